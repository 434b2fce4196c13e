import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { Verify } from "../../account/Links.tsx";

export const metadata: Metadata = { title: say("Confirm your address") };

export default async function Page({ params }: { params: Promise<{ secret: string }> }) {
  return <Verify secret={(await params).secret} />;
}
