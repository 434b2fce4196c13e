import type { Body, Graph, Node } from "../graph/document.ts";
import { block, Drawing, layer, type Part } from "./draw.ts";

/** A node of a drawing as a part, to be put into another. @throws TypeError where there is none of this id */
export function partOf({ nodes }: Body, id: string): Part {
  const node = nodes.find((one) => one.id === id);
  if (!node) throw new TypeError(`There is no node ${id} to take out.`);
  const { at: _, id: __, ...part } = node;
  return part;
}

/**
 * A network without its head: everything that the node `head` hangs on, as one block with the input x and the output y. Weights keep their names inside it.
 * @throws TypeError where nothing goes into `head`
 */
export function cutHead({ nodes, edges }: Graph, head: string, name: string): Part {
  const last = edges.find(({ to }) => to.node === head)?.from;
  if (!last) throw new TypeError(`Nothing goes into ${head}.`);
  const kept = new Set([last.node]);
  // Sources stand before what they go into, however long the way is.
  for (let size = 0; size !== kept.size; ) {
    size = kept.size;
    for (const { from, to } of edges) if (kept.has(to.node)) kept.add(from.node);
  }
  const place = nodes.find(({ id }) => id === head)?.at ?? { x: 0, y: 0 };
  return block(name, {
    nodes: [
      ...nodes.filter(({ id }) => kept.has(id)).map((node): Node => (node.type === "input" ? { ...node, params: {} } : node)),
      { id: "out_y", ...layer("output"), at: place },
    ],
    edges: [...edges.filter(({ to }) => kept.has(to.node)), { id: "wire_out", from: last, to: { node: "out_y", port: "x" } }],
  });
}

/** The same part with each copy of its stacks drawn, so that each can be frozen, and cut, by itself. Weights are called the same. */
export function unrolled(part: Part): Part {
  if (!part.bodies) return part;
  const bodies = Object.fromEntries(Object.entries(part.bodies).map(([role, body]) => [role, { ...body, nodes: body.nodes.map((node) => ({ ...node, ...unrolled(node) })) }]));
  const body = bodies.body;
  if (part.type !== "stack" || !body) return { ...part, bodies };
  const d = new Drawing();
  let x = d.input();
  const others = body.nodes.flatMap(({ type, name }) => (type === "input" && name ? [name] : [])).map((name) => [name, d.input(name)] as const);
  const copies = Number(part.params.n);
  for (let i = 0; i < copies; i++) x = d.put(String(i), block(part.name ?? "Layer", body), { ...Object.fromEntries(others), x });
  d.output(x);
  return block(`${part.name ?? "Layer"}s`, d.body());
}
