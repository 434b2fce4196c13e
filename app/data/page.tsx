import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { DatasetList } from "./DatasetList.tsx";

export const metadata: Metadata = { title: say("Data") };

export default function Page() {
  return <DatasetList />;
}
