import type { Metadata } from "next";
import { DatasetList } from "./DatasetList.tsx";

export const metadata: Metadata = { title: "Data" };

export default function Page() {
  return <DatasetList />;
}
