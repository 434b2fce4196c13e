import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { SignIn } from "../account/SignIn.tsx";

export const metadata: Metadata = { title: say("Sign in") };

type Props = { searchParams: Promise<{ problem?: string | string[]; join?: string | string[] }> };

export default async function Page({ searchParams }: Props) {
  const { problem, join } = await searchParams;
  return <SignIn problem={typeof problem === "string" ? problem.slice(0, 200) : null} join={typeof join === "string" && /^[\w-]{43}$/.test(join) ? join : null} />;
}
