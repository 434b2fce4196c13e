import type { Metadata } from "next";
import { say } from "../../../../core/language/say.ts";
import { ModelData } from "../../../data/ModelData.tsx";

export const metadata: Metadata = { title: say("Data") };

export default async function Page({ params }: { params: Promise<{ modelId: string }> }) {
  return <ModelData modelId={(await params).modelId} />;
}
