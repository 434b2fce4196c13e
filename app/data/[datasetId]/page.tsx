import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { DatasetPage } from "../DatasetPage.tsx";

export const metadata: Metadata = { title: say("Data") };

export default async function Page({ params }: { params: Promise<{ datasetId: string }> }) {
  return <DatasetPage datasetId={(await params).datasetId} />;
}
