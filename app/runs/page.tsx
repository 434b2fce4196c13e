import type { Metadata } from "next";
import { RunsPage } from "../dashboard/RunsPage.tsx";

export const metadata: Metadata = { title: "Runs" };

export default function Page() {
  return <RunsPage />;
}
