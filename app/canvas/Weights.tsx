"use client";

import type { Checked } from "../../core/graph/check.ts";
import type { Node } from "../../core/graph/document.ts";
import { resolvePath, weightName } from "../../core/graph/path.ts";
import { printShape } from "../../core/graph/shape.ts";
import { say } from "../../core/language/say.ts";
import { Field, Select } from "../ui/Field.tsx";
import { Line } from "../ui/Panel.tsx";
import { tieWeights } from "./edits.ts";
import { lendersOf, sayLender } from "./tied.ts";
import { useGraph } from "./useGraph.ts";

/** The weights of a node, and whether they are its own or those of another that fits. */
export function Weights({ node, path, checked }: { node: Node; path: string; checked: Checked }) {
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const own = Object.entries(checked.weights.get(path) ?? {});
  const target = node.weightsOf === undefined ? undefined : resolvePath(scope, node.weightsOf);
  const lent =
    target === undefined ? [] : Object.entries(checked.weights.get(target) ?? {}).filter(([name]) => checked.shared.get(weightName(path, name)) === weightName(target, name));
  const lenders = lendersOf(graph, checked, scope, node);
  if (own.length === 0 && lent.length === 0 && node.weightsOf === undefined) return null;
  const isListed = node.weightsOf === undefined || lenders.some(({ value }) => value === node.weightsOf);
  return (
    <section className="pt-4" aria-label={say("Weights")}>
      <h3 className="section-name pb-1">{say("Weights")}</h3>
      {(lenders.length > 0 || node.weightsOf !== undefined) && (
        <Field label={say("Uses")} doc={say("Tied weights: two nodes that learn the same numbers.")}>
          {(ids) => (
            <Select {...ids} value={node.weightsOf ?? ""} onChange={(event) => tieWeights(node.id, event.target.value || undefined)}>
              <option value="">{say("its own")}</option>
              {!isListed && <option value={node.weightsOf}>{say("those of {label}", { label: sayLender(graph, scope, node) ?? "" })}</option>}
              {lenders.map(({ value, label }) => (
                <option key={value} value={value}>
                  {say("those of {label}", { label })}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <dl>
        {own.map(([name, plan]) => (
          <Line key={name} name={<span className="font-mono text-sm">{name}</span>}>
            {printShape(plan.shape)}
            {plan.trainable === false && <span className="text-ink3"> {say("kept, not trained")}</span>}
          </Line>
        ))}
        {lent.map(([name, plan]) => (
          <Line key={name} name={<span className="font-mono text-sm">{name}</span>}>
            {printShape(plan.shape)} <span className="text-ink3">{say("shared")}</span>
          </Line>
        ))}
      </dl>
    </section>
  );
}
