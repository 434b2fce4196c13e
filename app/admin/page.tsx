import type { Metadata } from "next";
import { AdminPage } from "./AdminPage.tsx";

export const metadata: Metadata = { title: "Installation" };

export default function Page() {
  return <AdminPage />;
}
