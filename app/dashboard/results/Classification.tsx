"use client";

import type { Run } from "../run.ts";
import { BoundaryMap } from "./BoundaryMap.tsx";
import { Confusion } from "./Confusion.tsx";
import { PerClass } from "./PerClass.tsx";
import { Samples } from "./Samples.tsx";

/** Where the network draws the line, which classes are taken for which, how well each is known, and some samples. */
export function Classification({ run }: { run: Run }) {
  return (
    <>
      {run.evaluation?.boundary && <BoundaryMap boundary={run.evaluation.boundary} dataset={run.dataset} epoch={run.evaluation.epoch} />}
      {run.evaluation?.confusion && <Confusion counts={run.evaluation.confusion} classes={run.dataset.classes} />}
      {run.evaluation?.confusion && <PerClass counts={run.evaluation.confusion} classes={run.dataset.classes} />}
      <Samples run={run} />
    </>
  );
}
