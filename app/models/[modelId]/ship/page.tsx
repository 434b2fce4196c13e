import type { Metadata } from "next";
import { say } from "../../../../core/language/say.ts";
import { ShipPage } from "../../../dashboard/ShipPage.tsx";

export const metadata: Metadata = { title: say("Ship") };

export default async function Page({ params }: { params: Promise<{ modelId: string }> }) {
  return <ShipPage modelId={(await params).modelId} />;
}
