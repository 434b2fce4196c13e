import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { SignUp } from "../account/SignUp.tsx";

export const metadata: Metadata = { title: say("Make an account") };

export default function Page() {
  return <SignUp />;
}
