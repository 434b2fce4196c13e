import type { Metadata } from "next";
import { Suspense } from "react";
import { say } from "../../../core/language/say.ts";
import { ComparePage } from "../../dashboard/compare/ComparePage.tsx";

export const metadata: Metadata = { title: say("Compare runs") };

export default function Page() {
  return (
    <Suspense>
      <ComparePage />
    </Suspense>
  );
}
