import type { Metadata } from "next";
import { ShipPage } from "../../../dashboard/ShipPage.tsx";

export const metadata: Metadata = { title: "Ship" };

export default async function Page({ params }: { params: Promise<{ modelId: string }> }) {
  return <ShipPage modelId={(await params).modelId} />;
}
