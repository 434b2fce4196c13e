"use client";

import { X } from "lucide-react";
import type { Task } from "../../../core/data/manifest.ts";
import { mainOutput } from "../../../core/graph/predicting.ts";
import { say } from "../../../core/language/say.ts";
import { bodyOutputs } from "../../../core/layers/output.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { type LossName, lossesFor, lossNamed } from "../../../core/training/losses/index.ts";
import type { ExtraLoss } from "../../../core/training/settings.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { Field, NumberInput, Select } from "../../ui/Field.tsx";
import { useGraph } from "../useGraph.ts";
import { LossHelp } from "./RecordHelp.tsx";
import { RecordParams } from "./RecordParams.tsx";
import { changeSettings, complain } from "./useTraining.ts";

/** Further losses beside that of the main output: each of any output of the graph, with a weight. */
export function ExtraLosses({ losses, usual, task }: { losses: readonly ExtraLoss[]; usual: LossName; task: Task }) {
  const graph = useGraph((s) => s.graph);
  const main = mainOutput(graph)?.name ?? "y";
  const outputs = bodyOutputs(graph).map(({ name }) => name);
  const fits = lossesFor(taskNamed(task).learns);
  const change = (index: number, patch: Partial<ExtraLoss>) => changeSettings({ extraLosses: losses.map((loss, i) => (i === index ? { ...loss, ...patch } : loss)) });
  const add = () => {
    const free = outputs.find((name) => name !== main && !losses.some(({ output }) => output === name));
    changeSettings({ extraLosses: [...losses, { output: free ?? main, loss: usual, lossParams: {}, weight: 0.5 }] });
  };
  return (
    <section aria-label={say("Further losses")} className="pt-1">
      {losses.map(({ output, loss, lossParams, weight }, index) => (
        <div key={index} className="relative my-1 rounded-md border border-line px-2 py-1">
          <h4 className="flex items-center justify-between text-sm text-ink2">
            {say("Loss {index}", { index: index + 2 })}
            <IconButton
              label={say("Remove loss {index}", { index: index + 2 })}
              className="size-5!"
              onClick={() => {
                complain(say("Weight of loss {index}", { index: index + 2 }), null);
                changeSettings({ extraLosses: losses.filter((_, i) => i !== index) });
              }}
            >
              <X size={12} />
            </IconButton>
          </h4>
          <Field label={say("Output")} problem={outputs.includes(output) ? null : say("The graph has no output “{output}”.", { output })}>
            {(ids) => (
              <Select {...ids} value={output} onChange={(event) => change(index, { output: event.target.value })}>
                {[...new Set([...outputs, output])].map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </Select>
            )}
          </Field>
          <Field label={say("Loss")} hint={lossNamed(loss).doc}>
            {(ids) => (
              <Select
                {...ids}
                value={loss}
                onChange={(event) => {
                  const chosen = fits.find(({ name }) => name === event.target.value);
                  if (chosen) change(index, { loss: chosen.name, lossParams: {} });
                }}
              >
                {fits.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </Select>
            )}
          </Field>
          <LossHelp loss={lossNamed(loss)} params={lossParams} />
          <Field label={say("Weight")} doc={say("What this loss is multiplied by before it is added.")}>
            {(ids) => (
              <NumberInput
                {...ids}
                className="figures text-sm!"
                min={-1e6}
                max={1e6}
                value={weight}
                onValue={(value) => change(index, { weight: value })}
                onProblem={(problem) => complain(say("Weight of loss {index}", { index: index + 2 }), problem)}
              />
            )}
          </Field>
          <RecordParams
            of={say("Loss {index}", { index: index + 2 })}
            params={lossNamed(loss).params}
            values={lossParams}
            onChange={(next) => change(index, { lossParams: next })}
          />
        </div>
      ))}
      <Button size="sm" onClick={add} disabled={outputs.length === 0 || losses.length >= 16}>
        {say("Add a loss")}
      </Button>
    </section>
  );
}
