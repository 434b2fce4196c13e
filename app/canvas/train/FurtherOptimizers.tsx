"use client";

import { X } from "lucide-react";
import { useId } from "react";
import { say } from "../../../core/language/say.ts";
import { findOptimizer, optimizers } from "../../../core/training/optimizers/index.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { Field, NumberInput, Select } from "../../ui/Field.tsx";
import { useChecked } from "../checked.ts";
import { titleOf } from "../names.ts";
import { useGraph } from "../useGraph.ts";
import { RecordParams } from "./RecordParams.tsx";
import { changeSettings, complain } from "./useTraining.ts";

type Further = RunSettings["furtherOptimizers"][number];

/** Optimizers beside the main one, as a GAN has them: each with nodes of its own to train, and further losses to make small. */
export function FurtherOptimizers({ settings }: { settings: RunSettings }) {
  const graph = useGraph((s) => s.graph);
  const { weights } = useChecked();
  const { furtherOptimizers: all, extraLosses } = settings;
  const outputs = [...new Set(extraLosses.map(({ output }) => output))];
  const learners = graph.nodes
    .filter(({ id }) => [...weights].some(([path, own]) => (path === id || path.startsWith(`${id}/`)) && Object.values(own).some(({ trainable }) => trainable !== false)))
    .map((node) => ({ id: node.id, title: titleOf(node, graph.definitions) }));
  const taken = (of: "nodes" | "outputs", name: string, but: number) => all.some((one, i) => i !== but && one[of].includes(name));
  const change = (index: number, patch: Partial<Further>) => changeSettings({ furtherOptimizers: all.map((one, i) => (i === index ? { ...one, ...patch } : one)) });
  const [freeOutput] = outputs.filter((name) => !taken("outputs", name, -1));
  const [freeNode, ...left] = learners.filter(({ id }) => !taken("nodes", id, -1));
  const whyNot =
    freeOutput === undefined
      ? say("Add a loss of a further Output first: it is what the optimizer makes small.")
      : !freeNode || left.length === 0
        ? say("Every node with weights has its optimizer.")
        : null;
  const add = () => {
    if (freeOutput === undefined || !freeNode) return;
    const usual = findOptimizer("Adam");
    changeSettings({
      furtherOptimizers: [
        ...all,
        { nodes: [freeNode.id], outputs: [freeOutput], optimizer: "Adam", optimizerParams: {}, lr: usual.defaults.lr, weightDecay: usual.defaults.weightDecay },
      ],
    });
  };
  if (outputs.length === 0 && all.length === 0) return null;
  return (
    <section aria-label={say("Further optimizers")} className="pt-1">
      {all.map((one, index) => {
        const record = findOptimizer(one.optimizer);
        const title = `optimizer ${index + 2}`;
        return (
          <div key={index} className="my-1 rounded-md border border-line px-2 py-1">
            <h4 className="flex items-center justify-between text-sm text-ink2">
              {say("Optimizer {index}", { index: index + 2 })}
              <IconButton
                label={say("Remove {title}", { title })}
                className="size-5!"
                onClick={() => {
                  for (const field of [say("Learning rate"), say("Weight decay")]) complain(say("{field} of {title}", { field, title }), null);
                  changeSettings({ furtherOptimizers: all.filter((_, i) => i !== index) });
                }}
              >
                <X size={12} />
              </IconButton>
            </h4>
            <Choices
              title={say("Makes small the loss of")}
              choices={[...new Set([...outputs, ...one.outputs])].map((name) => ({ id: name, title: name, disabled: taken("outputs", name, index) }))}
              chosen={one.outputs}
              onChange={(next) => change(index, { outputs: next })}
            />
            <Choices
              title={say("Trains alone")}
              choices={[
                ...learners.map(({ id, title }) => ({ id, title: title === id ? id : `${title} · ${id}`, disabled: taken("nodes", id, index) })),
                ...one.nodes.filter((id) => !learners.some((node) => node.id === id)).map((id) => ({ id, title: say("{id} (not there)", { id }), disabled: false })),
              ]}
              chosen={one.nodes}
              onChange={(next) => change(index, { nodes: next })}
            />
            <Field label={say("Optimizer")} hint={record.doc}>
              {(ids) => (
                <Select
                  {...ids}
                  value={one.optimizer}
                  onChange={(event) => {
                    const chosen = optimizers.find(({ name }) => name === event.target.value);
                    if (chosen) change(index, { optimizer: chosen.name, optimizerParams: {}, lr: chosen.defaults.lr, weightDecay: chosen.defaults.weightDecay });
                  }}
                >
                  {optimizers.map(({ name }) => (
                    <option key={name} disabled={name === "LBFGS"}>
                      {name}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            {(
              [
                [say("Learning rate"), "lr", { min: 1e-8, max: 100 }],
                [say("Weight decay"), "weightDecay", { min: 0, max: 10 }],
              ] as const
            ).map(([label, of, range]) => (
              <Field key={of} label={label}>
                {(ids) => (
                  <NumberInput
                    {...ids}
                    {...range}
                    className="figures text-sm!"
                    value={one[of]}
                    onValue={(value) => change(index, { [of]: value })}
                    onProblem={(problem) => complain(say("{label} of {title}", { label, title }), problem)}
                  />
                )}
              </Field>
            ))}
            <RecordParams
              of={say("Optimizer {index}", { index: index + 2 })}
              params={record.params}
              values={one.optimizerParams}
              onChange={(next) => change(index, { optimizerParams: next })}
            />
          </div>
        );
      })}
      <Button size="sm" onClick={add} disabled={whyNot !== null || all.length >= 8} title={whyNot ?? say("Its own weights, its own loss: they take turns in every step.")}>
        {say("Add an optimizer")}
      </Button>
    </section>
  );
}

/** Several of some names; the last one stays. */
function Choices({
  title,
  choices,
  chosen,
  onChange,
}: {
  title: string;
  choices: readonly { id: string; title: string; disabled: boolean }[];
  chosen: readonly string[];
  onChange: (next: string[]) => void;
}) {
  const prefix = useId();
  return (
    <fieldset className="py-1">
      <legend className="text-sm text-ink2">{title}</legend>
      <div className="max-h-36 overflow-y-auto">
        {choices.map(({ id, title: name, disabled }) => {
          const isChosen = chosen.includes(id);
          return (
            <label key={id} htmlFor={`${prefix}${id}`} className="flex items-center gap-2 py-0.5 text-sm">
              <input
                id={`${prefix}${id}`}
                type="checkbox"
                checked={isChosen}
                disabled={disabled || (isChosen && chosen.length === 1)}
                onChange={() => onChange(isChosen ? chosen.filter((other) => other !== id) : [...chosen, id])}
              />
              <span className="truncate" title={name}>
                {name}
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
