"use client";

import type { Run } from "../run.ts";
import { BoundaryMap } from "./BoundaryMap.tsx";
import { type Cell, Confusion } from "./Confusion.tsx";
import { PerClass } from "./PerClass.tsx";
import { Samples } from "./Samples.tsx";
import { CellRows, ClassCurves } from "./Study.tsx";
import { useStudy } from "./useStudy.ts";

/** Where the network draws the line, which classes are taken for which, how well each is known and told from the others, and some samples. */
export function Classification({ run }: { run: Run }) {
  const study = useStudy(run);
  const { evaluation, dataset } = run;
  const inside = (cell: Cell) => <CellRows key={`${cell.truth} ${cell.predicted}`} study={study} cell={cell} dataset={dataset} />;
  return (
    <>
      {evaluation?.boundary && <BoundaryMap boundary={evaluation.boundary} dataset={dataset} epoch={evaluation.epoch} />}
      {evaluation?.confusion && <Confusion counts={evaluation.confusion} classes={dataset.classes} {...(study.there ? { inside } : {})} />}
      {evaluation?.confusion && <PerClass counts={evaluation.confusion} classes={dataset.classes} />}
      <ClassCurves study={study} classes={dataset.classes} />
      <Samples run={run} />
    </>
  );
}
