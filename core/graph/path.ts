/**
 * Where a node stands: its id, behind the ids and roles of the zones and blocks around it: `conv2d_1`, `repeat_1/body/linear_3`.
 * Edges inside bodies are named in the same way.
 */
export type NodePath = string;

/** A step into a body: which node, and which of its bodies. */
export type BodyStep = { node: string; role: string };

/** The path of `id` in the body reached by `steps`. */
export function pathOf(steps: readonly BodyStep[], id: string): NodePath {
  return [...steps.flatMap(({ node, role }) => [node, role]), id].join("/");
}

/** The steps to the body that a node stands in, and its id there. */
export function splitPath(path: NodePath): { steps: BodyStep[]; id: string } {
  const parts = path.split("/");
  const steps: BodyStep[] = [];
  for (let i = 0; i + 2 < parts.length; i += 2) steps.push({ node: parts[i] ?? "", role: parts[i + 1] ?? "" });
  return { steps, id: parts.at(-1) ?? "" };
}

/** The `state_dict` key of a weight: `repeat_1.body.linear_3.weight`. */
export function weightName(path: NodePath, name: string): string {
  return `${path.replaceAll("/", ".")}.${name}`;
}
