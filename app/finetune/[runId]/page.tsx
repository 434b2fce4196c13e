import type { Metadata } from "next";
import { ResultPage } from "../ResultPage.tsx";

export const metadata: Metadata = { title: "What it learned" };

export default async function Page({ params }: { params: Promise<{ runId: string }> }) {
  return <ResultPage runId={(await params).runId} />;
}
