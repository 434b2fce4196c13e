import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { AccountPage } from "./AccountPage.tsx";

export const metadata: Metadata = { title: say("Account") };

export default function Page() {
  return <AccountPage />;
}
