import { findLayer } from "../layers/index.ts";
import type { Body, Node } from "./document.ts";
import type { NodePath } from "./path.ts";

/** The node at a path through bodies, `loop1/body/linear3`, with the path that it stands at: inside a layer made of layers, that layer. */
export function findNode(body: Body, path: NodePath, before = ""): { node: Node; path: NodePath } | null {
  const [id = "", role, ...rest] = path.split("/");
  const node = body.nodes.find((candidate) => candidate.id === id);
  if (!node) return null;
  const inner = role === undefined ? undefined : node.bodies?.[role];
  return (inner && rest.length > 0 ? findNode(inner, rest.join("/"), `${before}${id}/${role}/`) : null) ?? { node, path: before + id };
}

/** What people see a node called: its own name, or its layer's. */
export function nameOfNode(body: Body, path: NodePath): string {
  const found = findNode(body, path);
  return found ? found.node.name || findLayer(found.node.type)?.title || found.node.type : path;
}

/** The same for several nodes, so that they can be told apart: those of one name are numbered in their order. */
export function namesApart(body: Body, paths: readonly NodePath[]): Map<NodePath, string> {
  const names = new Map(paths.map((path) => [path, nameOfNode(body, path)]));
  const known = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const name of names.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [path, name] of names) {
    const nth = (known.get(name) ?? 0) + 1;
    known.set(name, nth);
    if ((counts.get(name) ?? 0) > 1) names.set(path, `${name} ${nth}`);
  }
  return names;
}
