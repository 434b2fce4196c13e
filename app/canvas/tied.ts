import type { Checked } from "../../core/graph/check.ts";
import type { Body, Graph, Node } from "../../core/graph/document.ts";
import { type BodyStep, type NodePath, pathOf, resolvePath, splitPath, weightName } from "../../core/graph/path.ts";
import type { WeightPlan } from "../../core/layers/kit.ts";
import { titleOf } from "./names.ts";

/** A node whose weights another could use: `value` as `weightsOf` says it. */
export type Lender = { value: string; label: string };

type Plan = { [name: string]: WeightPlan };

/** The nodes whose weights fit a node: at least one of the same name, kind and shape. Those beside it come first. */
export function lendersOf(graph: Graph, checked: Checked, steps: readonly BodyStep[], node: Node): Lender[] {
  const path = pathOf(steps, node.id);
  const needed = neededBy(checked, steps, node, path);
  if (Object.keys(needed).length === 0) return [];
  const lenders: (Lender & { isBeside: boolean })[] = [];
  const look = (body: Body, at: readonly BodyStep[], names: readonly string[]): void => {
    const isBeside = at.length === steps.length && at.every((step, i) => step.node === steps[i]?.node && step.role === steps[i]?.role);
    for (const other of body.nodes) {
      const title = titleOf(other, graph.definitions);
      const otherPath = pathOf(at, other.id);
      const given = checked.weights.get(otherPath) ?? {};
      if (otherPath !== path && other.weightsOf === undefined && fits(needed, given))
        lenders.push({ value: isBeside ? other.id : `/${otherPath}`, label: [...(isBeside ? [] : names), `${title} ${other.id}`].join(" / "), isBeside });
      for (const [role, inner] of Object.entries(other.bodies ?? {})) look(inner, [...at, { node: other.id, role }], [...names, title]);
    }
  };
  look(graph, [], []);
  return lenders.sort((a, b) => Number(b.isBeside) - Number(a.isBeside)).map(({ value, label }) => ({ value, label }));
}

/** The weights that a node needs, those that it has from another included. */
function neededBy(checked: Checked, steps: readonly BodyStep[], node: Node, path: NodePath): Plan {
  const own = checked.weights.get(path) ?? {};
  if (node.weightsOf === undefined) return own;
  const target = resolvePath(steps, node.weightsOf);
  const theirs = Object.entries(checked.weights.get(target) ?? {}).filter(([name]) => checked.shared.get(weightName(path, name)) === weightName(target, name));
  return { ...own, ...Object.fromEntries(theirs) };
}

function fits(needed: Plan, given: Plan): boolean {
  return Object.entries(needed).some(([name, { shape, dtype }]) => {
    const other = Object.hasOwn(given, name) ? given[name] : undefined;
    return other !== undefined && other.dtype === dtype && other.shape.join() === shape.join();
  });
}

/** Whose weights a node uses, in words; null where it has its own. */
export function sayLender(graph: Graph, steps: readonly BodyStep[], node: Node): string | null {
  if (node.weightsOf === undefined) return null;
  const { steps: at, id } = splitPath(resolvePath(steps, node.weightsOf));
  let body: Body | undefined = graph;
  for (const step of at) body = body?.nodes.find((other) => other.id === step.node)?.bodies?.[step.role];
  const lender = body?.nodes.find((other) => other.id === id);
  return lender ? `${titleOf(lender, graph.definitions)} ${id}` : node.weightsOf;
}
