import type { Metadata } from "next";
import { OpenLink } from "./OpenLink.tsx";

export const metadata: Metadata = { title: "A shared network" };

export default function Page() {
  return <OpenLink />;
}
