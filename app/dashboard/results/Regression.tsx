"use client";

import type { Run } from "../run.ts";
import { Samples } from "./Samples.tsx";
import { Residuals } from "./Study.tsx";
import { useStudy } from "./useStudy.ts";

/** How far off predictions are, over all values, and some samples. */
export function Regression({ run }: { run: Run }) {
  return (
    <>
      <Residuals study={useStudy(run)} />
      <Samples run={run} />
    </>
  );
}
