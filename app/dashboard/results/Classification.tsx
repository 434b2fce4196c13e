"use client";

import type { Run } from "../run.ts";
import { Confusion } from "./Confusion.tsx";
import { PerClass } from "./PerClass.tsx";
import { Samples } from "./Samples.tsx";

/** Which classes are taken for which, how well each is known, and some samples. */
export function Classification({ run }: { run: Run }) {
  return (
    <>
      {run.evaluation?.confusion && <Confusion counts={run.evaluation.confusion} classes={run.dataset.classes} />}
      {run.evaluation?.confusion && <PerClass counts={run.evaluation.confusion} classes={run.dataset.classes} />}
      <Samples run={run} />
    </>
  );
}
