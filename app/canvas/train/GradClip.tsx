"use client";

import { say } from "../../../core/language/say.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { Field, NumberInput, Select } from "../../ui/Field.tsx";
import { changeSettings, complain, useTraining } from "./useTraining.ts";

const KINDS = {
  off: { gradClipNorm: 0, gradClipValue: 0 },
  norm: { gradClipNorm: 1, gradClipValue: 0 },
  value: { gradClipNorm: 0, gradClipValue: 0.5 },
} as const;
const LIMIT = say("Clip at");

/** Whether gradients are kept small: all together by their norm, or each by its value. */
export function GradClip({ gradClipNorm, gradClipValue }: Pick<RunSettings, "gradClipNorm" | "gradClipValue">) {
  const problem = useTraining((s) => s.complaints[LIMIT]);
  const kind = gradClipNorm > 0 ? "norm" : gradClipValue > 0 ? "value" : "off";
  return (
    <>
      <Field label={say("Clip gradients")} doc={say("By norm: all gradients shrink together until their norm is at most this. By value: each number is cut to lie within ± this.")}>
        {(ids) => (
          <Select
            {...ids}
            value={kind}
            onChange={({ target: { value } }) => {
              complain(LIMIT, null);
              changeSettings(KINDS[value === "norm" || value === "value" ? value : "off"]);
            }}
          >
            <option value="off">{say("off")}</option>
            <option value="norm">{say("by norm")}</option>
            <option value="value">{say("by value")}</option>
          </Select>
        )}
      </Field>
      {kind !== "off" && (
        <Field label={LIMIT} problem={problem}>
          {(ids) => (
            <NumberInput
              {...ids}
              className="figures text-sm!"
              min={1e-9}
              max={1e6}
              value={kind === "norm" ? gradClipNorm : gradClipValue}
              onValue={(limit) => changeSettings(kind === "norm" ? { gradClipNorm: limit } : { gradClipValue: limit })}
              onProblem={(text) => complain(LIMIT, text)}
            />
          )}
        </Field>
      )}
    </>
  );
}
