import type { Metadata } from "next";
import { SharedPage } from "../SharedPage.tsx";

export const metadata: Metadata = { title: "Shared" };

export default async function Page({ params }: { params: Promise<{ secret: string }> }) {
  return <SharedPage secret={(await params).secret} />;
}
