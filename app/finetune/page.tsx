import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { FineTunePage } from "./FineTunePage.tsx";

export const metadata: Metadata = { title: say("Fine-tune") };

export default async function Page({ searchParams }: { searchParams: Promise<{ data?: string | string[] }> }) {
  const { data } = await searchParams;
  return <FineTunePage first={typeof data === "string" ? data : null} />;
}
