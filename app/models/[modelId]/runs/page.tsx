import type { Metadata } from "next";
import { RunsPage } from "../../../dashboard/RunsPage.tsx";

export const metadata: Metadata = { title: "Runs" };

export default async function Page({ params }: { params: Promise<{ modelId: string }> }) {
  return <RunsPage modelId={(await params).modelId} />;
}
