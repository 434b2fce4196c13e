"use client";

import type { Params } from "../../../core/layers/params.ts";
import { readParams } from "../../../core/layers/params.ts";
import type { ParamValues } from "../../../core/training/records.ts";
import { ParamField } from "../ParamField.tsx";
import { complain } from "./useTraining.ts";

/** The parameters of a loss, optimizer or schedule, by PyTorch's names; only what was changed is kept. `of` tells complaints of several records apart. */
export function RecordParams({ of, params, values, onChange }: { of: string; params: Params; values: ParamValues; onChange: (values: ParamValues) => void }) {
  const { values: filled } = readParams(params, values);
  return Object.entries(params).map(([name, param]) => (
    <ParamField
      key={`${of} ${name}`}
      name={name}
      param={param}
      value={filled[name]}
      changed={Object.hasOwn(values, name)}
      onValue={(value) => onChange({ ...values, [name]: value as ParamValues[string] })}
      onReset={() => {
        const { [name]: _, ...rest } = values;
        onChange(rest);
      }}
      onProblem={(problem) => complain(`${of}: ${name}`, problem)}
    />
  ));
}
