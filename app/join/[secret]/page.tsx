import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { Join } from "../../account/SignUp.tsx";

export const metadata: Metadata = { title: say("Invitation") };

export default async function Page({ params }: { params: Promise<{ secret: string }> }) {
  return <Join secret={(await params).secret} />;
}
