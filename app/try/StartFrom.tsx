"use client";

import { say } from "../../core/language/say.ts";
import { Field, Select } from "../ui/Field.tsx";
import type { Sample } from "./useValidationSamples.ts";

/** Which of the held-back samples one begins with; `picked` is null once its values are one's own. */
export function StartFrom({
  samples,
  picked,
  nameOf,
  onPick,
}: {
  samples: readonly Sample[];
  picked: number | null;
  nameOf: (sample: Sample) => string;
  onPick: (index: number) => void;
}) {
  return (
    <Field label={say("Start from")}>
      {(ids) => (
        <Select {...ids} value={picked === null ? "" : String(picked)} onChange={(event) => onPick(Number(event.target.value))}>
          {picked === null && <option value="">{say("your own values")}</option>}
          {samples.map((sample, index) => (
            <option key={sample.row} value={index}>
              {nameOf(sample)}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
