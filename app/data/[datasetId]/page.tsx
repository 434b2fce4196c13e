import type { Metadata } from "next";
import { DatasetPage } from "../DatasetPage.tsx";

export const metadata: Metadata = { title: "Data" };

export default async function Page({ params }: { params: Promise<{ datasetId: string }> }) {
  return <DatasetPage datasetId={(await params).datasetId} />;
}
