import type { Metadata } from "next";
import { SignUp } from "../account/SignUp.tsx";

export const metadata: Metadata = { title: "Make an account" };

export default function Page() {
  return <SignUp />;
}
