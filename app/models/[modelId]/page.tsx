import type { Metadata } from "next";
import { say } from "../../../core/language/say.ts";
import { BuildPage } from "../../canvas/BuildPage.tsx";

export const metadata: Metadata = { title: say("Build") };

/** `?node=repeat_1/body/linear_3` opens the drawing at that node. */
type Props = { params: Promise<{ modelId: string }>; searchParams: Promise<{ node?: string | string[] }> };

export default async function Page({ params, searchParams }: Props) {
  const { node } = await searchParams;
  return <BuildPage modelId={(await params).modelId} show={typeof node === "string" ? node : null} />;
}
