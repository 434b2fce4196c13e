import type { Metadata } from "next";
import { say } from "../../core/language/say.ts";
import { OrganizationPage } from "./OrganizationPage.tsx";

export const metadata: Metadata = { title: say("Organization") };

export default function Page() {
  return <OrganizationPage />;
}
