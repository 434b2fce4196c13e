import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { RunPage } from "../../dashboard/RunPage.tsx";

export const metadata: Metadata = { title: say("Run") };

export default async function Page({ params }: { params: Promise<{ runId: string }> }) {
  const { runId } = await params;
  // Another run is another page: nothing of the last one may stay.
  return <RunPage key={runId} runId={runId} />;
}
