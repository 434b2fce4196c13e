import type { Metadata } from "next";
import { Studio } from "../../canvas/Studio.tsx";

export const metadata: Metadata = { title: "Build" };

export default async function Page({ params }: { params: Promise<{ modelId: string }> }) {
  return <Studio modelId={(await params).modelId} />;
}
