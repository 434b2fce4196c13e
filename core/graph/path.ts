/**
 * Where a node stands: its id, behind the ids and roles of the zones and blocks around it: `conv2d_1`, `repeat_1/body/linear_3`.
 * Edges inside bodies are named in the same way.
 */
export type NodePath = string;

/** A step into a body: which node, and which of its bodies. */
export type BodyStep = { node: string; role: string };

/** The path of `id` in the body reached by `steps`. */
export function pathOf(steps: readonly BodyStep[], id: string): NodePath {
  if (steps.length === 0) return id;
  return [...steps.flatMap(({ node, role }) => [node, role]), id].join("/");
}

/** The paths of the nodes around the one at `path`, the nearest first. */
export function ancestorsOf(path: NodePath): NodePath[] {
  const { steps } = splitPath(path);
  return steps.map(({ node }, i) => pathOf(steps.slice(0, i), node)).reverse();
}

/** The steps to the body that a node stands in, and its id there. */
export function splitPath(path: NodePath): { steps: BodyStep[]; id: string } {
  const parts = path.split("/");
  const steps: BodyStep[] = [];
  for (let i = 0; i + 2 < parts.length; i += 2) steps.push({ node: parts[i] ?? "", role: parts[i + 1] ?? "" });
  return { steps, id: parts.at(-1) ?? "" };
}

/**
 * The `state_dict` key of a weight: ids and roles joined by dots, where a role `body` goes without saying, so that names are those
 * of the PyTorch modules: `layer1.0.conv1.weight`, `if_1.then.linear_2.bias`.
 */
export function weightName(path: NodePath, name: string): string {
  // A lone parameter has no name but its node's.
  return name === "" ? weightPrefix(path).slice(0, -1) : weightPrefix(path) + name;
}

/** What the names of all weights of the node at `path`, and of those inside it, begin with: `layer1.0.conv1.` */
export function weightPrefix(path: NodePath): string {
  return path
    .split("/")
    .filter((part, i) => i % 2 === 0 || part !== PLAIN_ROLE)
    .map((part) => `${part}.`)
    .join("");
}

/** The role of the one body of a block or loop. */
const PLAIN_ROLE = "body";

/** The path that `text` means at a node in the body reached by `steps`: from the top where it begins with `/`, else from that body. */
export function resolvePath(steps: readonly BodyStep[], text: string): NodePath {
  return text.startsWith("/") ? text.slice(1) : pathOf(steps, text);
}
