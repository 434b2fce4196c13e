"use client";

import { say } from "../../../core/language/say.ts";
import { balancedWeights } from "../../../core/training/classWeights.ts";
import type { ParamValues } from "../../../core/training/records.ts";
import { Button } from "../../ui/Button.tsx";
import { usePurpose } from "../checked.ts";

/** Fills in the class weights under which every class of the data set weighs the same, or empties them. */
export function ClassWeights({ param, values, onChange }: { param: string; values: ParamValues; onChange: (values: ParamValues) => void }) {
  const counts = usePurpose((s) => s.data?.splits.train.classCounts ?? []);
  if (counts.length === 0) return null;
  const balanced = balancedWeights(counts);
  const isBalanced = values[param] === balanced;
  const { [param]: _, ...rest } = values;
  return (
    <div className="flex justify-end py-[3px]">
      <Button
        size="sm"
        title={say("Classes with fewer training rows count more: {balanced}", { balanced })}
        onClick={() => onChange(isBalanced ? rest : { ...values, [param]: balanced })}
      >
        {isBalanced ? say("Count all classes the same") : say("Balance the classes")}
      </Button>
    </div>
  );
}
