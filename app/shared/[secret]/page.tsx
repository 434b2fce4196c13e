import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { SharedPage } from "../SharedPage.tsx";

export const metadata: Metadata = { title: say("Shared") };

export default async function Page({ params }: { params: Promise<{ secret: string }> }) {
  return <SharedPage secret={(await params).secret} />;
}
