import type { Metadata } from "next";
import { Forgot } from "../account/Links.tsx";

export const metadata: Metadata = { title: "Forgot the password" };

export default function Page() {
  return <Forgot />;
}
