import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { AdminPage } from "./AdminPage.tsx";

export const metadata: Metadata = { title: say("Installation") };

export default function Page() {
  return <AdminPage />;
}
