import type { Metadata } from "next";
import { OrganizationPage } from "./OrganizationPage.tsx";

export const metadata: Metadata = { title: "Organization" };

export default function Page() {
  return <OrganizationPage />;
}
