"use client";

import type { Node, Tuning } from "../../core/graph/document.ts";
import { tuningAt } from "../../core/graph/tuning.ts";
import { say } from "../../core/language/say.ts";
import { Field, NumberInput, Select } from "../ui/Field.tsx";
import { tuneNodes } from "./edits.ts";
import { useGraph } from "./useGraph.ts";

const STATES = ["as around it", "learns", "learns, averages stay", "frozen"] as const;
const TITLES: { [state in (typeof STATES)[number]]: string } = {
  "as around it": say("as around it"),
  learns: say("learns"),
  "learns, averages stay": say("learns, averages stay"),
  frozen: say("frozen"),
};

/** How training treats the weights of nodes and of all inside them. Of several the first is shown, and all are changed. */
export function TuningForm({ nodes, path }: { nodes: readonly Node[] /** Of the first. */; path: string }) {
  const graph = useGraph((s) => s.graph);
  const tuned = tuningAt(graph, path);
  const own = nodes[0]?.tuning ?? {};
  const isMixed = nodes.some(({ tuning }) => JSON.stringify(tuning ?? {}) !== JSON.stringify(own));
  const ids = nodes.map(({ id }) => id);
  const state = own.frozen ? "frozen" : own.evaluates ? "learns, averages stay" : own.frozen === false ? "learns" : "as around it";
  const changes: { [state in (typeof STATES)[number]]: Tuning } = {
    "as around it": {},
    learns: { frozen: false, evaluates: false },
    "learns, averages stay": { frozen: false, evaluates: true },
    frozen: { frozen: true },
  };
  return (
    <section className="pt-4" aria-label={say("Training")}>
      <h3 className="section-name pb-1">{say("Training")}</h3>
      {isMixed && <p className="pb-1 text-ink2">{say("They are trained in different ways; what you set here goes for all {count}.", { count: nodes.length })}</p>}
      <Field
        label={say("Weights")}
        doc={say("Frozen: they stay as they are, and all inside runs as in evaluation. What stands in front of the first that learns is computed once for each row.")}
      >
        {(labels) => (
          <Select
            {...labels}
            value={state}
            onChange={(event) =>
              tuneNodes(ids, ({ frozen: _, evaluates: __, ...rest }) => ({ ...rest, ...changes[STATES.find((one) => one === event.target.value) ?? "as around it"] }))
            }
          >
            {STATES.map((one) => (
              <option key={one} value={one}>
                {one === "as around it" && (tuned.frozen || tuned.evaluates) ? `${TITLES[one]}: ${tuned.frozen ? say("frozen") : say("averages stay")}` : TITLES[one]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {!tuned.frozen && (
        <>
          <Field label={say("Learning rate ×")} doc={say("Times the run's learning rate. Pretrained parts learn at a tenth or less, so that they keep what they know.")}>
            {(labels) => <NumberInput {...labels} min={0} max={1000} value={tuned.lrScale} onValue={(lrScale) => tuneNodes(ids, (before) => ({ ...before, lrScale }))} />}
          </Field>
          <Field label={say("From epoch")} doc={say("0 learns from the start; 3 stands still for three epochs, while what is new finds its place.")}>
            {(labels) => (
              <NumberInput {...labels} whole min={0} max={10_000} value={tuned.fromEpoch} onValue={(fromEpoch) => tuneNodes(ids, (before) => ({ ...before, fromEpoch }))} />
            )}
          </Field>
        </>
      )}
    </section>
  );
}
