import type { Metadata } from "next";
import { ModelData } from "../../../data/ModelData.tsx";

export const metadata: Metadata = { title: "Data" };

export default async function Page({ params }: { params: Promise<{ modelId: string }> }) {
  return <ModelData modelId={(await params).modelId} />;
}
