import type { Metadata } from "next";
import { Reset } from "../../account/Links.tsx";

export const metadata: Metadata = { title: "A new password" };

export default async function Page({ params }: { params: Promise<{ secret: string }> }) {
  return <Reset secret={(await params).secret} />;
}
