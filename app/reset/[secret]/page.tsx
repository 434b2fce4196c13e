import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { Reset } from "../../account/Links.tsx";

export const metadata: Metadata = { title: say("A new password") };

export default async function Page({ params }: { params: Promise<{ secret: string }> }) {
  return <Reset secret={(await params).secret} />;
}
