"use client";

import type { Node, Tuning } from "../../core/graph/document.ts";
import { tuningAt } from "../../core/graph/tuning.ts";
import { Field, NumberInput, Select } from "../ui/Field.tsx";
import { tuneNode } from "./edits.ts";
import { useGraph } from "./useGraph.ts";

const STATES = ["as around it", "learns", "learns, averages stay", "frozen"] as const;

/** How training treats the weights of a node and of all inside it. */
export function TuningForm({ node, path }: { node: Node; path: string }) {
  const graph = useGraph((s) => s.graph);
  const tuned = tuningAt(graph, path);
  const own = node.tuning ?? {};
  const { frozen: _, evaluates: __, ...rest } = own;
  const state = own.frozen ? "frozen" : own.evaluates ? "learns, averages stay" : own.frozen === false ? "learns" : "as around it";
  const changes: { [state in (typeof STATES)[number]]: Tuning } = {
    "as around it": {},
    learns: { frozen: false, evaluates: false },
    "learns, averages stay": { frozen: false, evaluates: true },
    frozen: { frozen: true },
  };
  return (
    <section className="pt-4" aria-label="Training">
      <h3 className="section-name pb-1">Training</h3>
      <Field
        label="Weights"
        doc="Frozen: they stay as they are, and all inside runs as in evaluation. What stands in front of the first that learns is computed once for each row."
      >
        {(ids) => (
          <Select {...ids} value={state} onChange={(event) => tuneNode(node.id, { ...rest, ...changes[STATES.find((one) => one === event.target.value) ?? "as around it"] })}>
            {STATES.map((one) => (
              <option key={one} value={one}>
                {one === "as around it" && (tuned.frozen || tuned.evaluates) ? `${one}: ${tuned.frozen ? "frozen" : "averages stay"}` : one}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {!tuned.frozen && (
        <>
          <Field label="Learning rate ×" doc="Times the run's learning rate. Pretrained parts learn at a tenth or less, so that they keep what they know.">
            {(ids) => <NumberInput {...ids} min={0} max={1000} value={tuned.lrScale} onValue={(lrScale) => tuneNode(node.id, { ...own, lrScale })} />}
          </Field>
          <Field label="From epoch" doc="0 learns from the start; 3 stands still for three epochs, while what is new finds its place.">
            {(ids) => <NumberInput {...ids} whole min={0} max={10_000} value={tuned.fromEpoch} onValue={(fromEpoch) => tuneNode(node.id, { ...own, fromEpoch })} />}
          </Field>
        </>
      )}
    </section>
  );
}
