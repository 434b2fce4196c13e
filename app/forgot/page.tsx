import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { Forgot } from "../account/Links.tsx";

export const metadata: Metadata = { title: say("Forgot the password") };

export default function Page() {
  return <Forgot />;
}
