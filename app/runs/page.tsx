import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { RunsPage } from "../dashboard/RunsPage.tsx";

export const metadata: Metadata = { title: say("Runs") };

export default function Page() {
  return <RunsPage />;
}
