import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { OpenLink } from "./OpenLink.tsx";

export const metadata: Metadata = { title: say("A shared network") };

export default function Page() {
  return <OpenLink />;
}
