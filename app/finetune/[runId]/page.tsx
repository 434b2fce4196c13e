import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { ResultPage } from "../ResultPage.tsx";

export const metadata: Metadata = { title: say("What it learned") };

export default async function Page({ params }: { params: Promise<{ runId: string }> }) {
  return <ResultPage runId={(await params).runId} />;
}
