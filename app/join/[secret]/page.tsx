import type { Metadata } from "next";
import { Join } from "../../account/SignUp.tsx";

export const metadata: Metadata = { title: "Invitation" };

export default async function Page({ params }: { params: Promise<{ secret: string }> }) {
  return <Join secret={(await params).secret} />;
}
