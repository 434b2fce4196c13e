import { type Body, type Edge, emptyGraph, type Graph, type Json, type Node } from "../graph/document.ts";
import { NODE_SIZE, tidyLayout } from "../graph/layout.ts";
import { findLayer } from "../layers/index.ts";

/** A node before it has a place and an id. */
export type Part = Pick<Node, "type" | "params" | "name" | "bodies" | "weightsOf">;

/** What goes into a node: a wire into `x`, or wires by port. A wire is `node` for its output y, `node:port` for another. */
type Wires = string | { [port: string]: string | string[] };

/** A body drawn node by node. Ids become attribute names in PyTorch code and parts of weight names. */
export class Drawing {
  readonly #nodes: Node[] = [];
  readonly #edges: Edge[] = [];
  #last: string | undefined;

  /** Puts a node and gives its id. Without `from`, x takes the result of the node before. */
  put(id: string, part: Part, from: Wires | undefined = this.#last): string {
    this.#nodes.push({ id, ...part, at: { x: 0, y: 0 } });
    for (const [port, sources] of Object.entries(typeof from === "object" ? from : { x: from ?? [] })) {
      for (const source of [sources].flat()) {
        const [node = "", output = "y"] = source.split(":");
        this.#edges.push({ id: `wire_${this.#edges.length + 1}`, from: { node, port: output }, to: { node: id, port } });
      }
    }
    this.#last = id;
    return id;
  }

  /** Where a value comes in: the one that is called x needs no name. */
  input(name = "x", params: Node["params"] = {}): string {
    this.#last = undefined;
    return this.put(`in_${name}`, { ...layer("input", params), ...(name === "x" ? {} : { name }) });
  }

  /** Where a value goes out. */
  output(from: Wires | undefined = this.#last, name = "y"): void {
    this.put(`out_${name}`, { ...layer("output"), ...(name === "y" ? {} : { name }) }, from);
  }

  body(): Body {
    const body: Body = { nodes: this.#nodes, edges: this.#edges };
    const places = tidyLayout(body, roomOf);
    const nodes = body.nodes.map((node) => {
      const corner = places.get(node.id) ?? node.at;
      // A wide node's place is that of a plain one in its middle.
      return { ...node, at: { x: Math.round(corner.x + (roomOf(node).width - NODE_SIZE.width) / 2), y: corner.y } };
    });
    return { nodes, edges: body.edges };
  }

  graph(): Graph {
    return { ...emptyGraph, ...this.body() };
  }
}

export function layer(type: string, params: { [name: string]: Json } = {}, name?: string): Part {
  return { type, params, ...(name === undefined ? {} : { name }) };
}

/** A block under a name, which is also that of its class in PyTorch code. */
export function block(name: string, body: Body): Part {
  return { type: "block", params: {}, name, bodies: { body } };
}

/** Copies of a body one behind the other, each with weights of its own, called 0, 1, … */
export function stack(name: string, n: number, body: Body): Part {
  return { type: "stack", params: { n }, name, bodies: { body } };
}

/** A block whose parts stand one behind the other: one class of PyTorch code, or `nn.Sequential` where the ids are 0, 1, … */
export function chain(name: string, parts: readonly (readonly [id: string, part: Part])[]): Part {
  const drawing = new Drawing();
  drawing.input();
  for (const [id, part] of parts) drawing.put(id, part);
  drawing.output();
  return block(name, drawing.body());
}

/** `nn.Sequential` of these parts. */
export function sequential(name: string, parts: readonly Part[]): Part {
  return chain(
    name,
    parts.map((part, i) => [String(i), part]),
  );
}

/** The canvas opens what holds so few layers, and draws what is inside at about half size. */
const OPEN = { layers: 8, scaleX: 122 / (NODE_SIZE.width + 56), scaleY: 33 / (NODE_SIZE.height + 44), margin: 42, head: 58 };

/** About how large the canvas draws a node. */
function roomOf(node: Node): { width: number; height: number } {
  const inside = Object.values(node.bodies ?? {});
  if (inside.length === 0) return NODE_SIZE;
  const layers = inside.flatMap(({ nodes }) => nodes).filter(({ type }) => !findLayer(type)?.boundary);
  if (layers.length > OPEN.layers) return { width: NODE_SIZE.width, height: NODE_SIZE.height + 40 };
  let size = { width: NODE_SIZE.width, height: NODE_SIZE.height };
  for (const body of inside) {
    const places = [...tidyLayout(body).values()];
    const span = (axis: "x" | "y") => Math.max(...places.map((place) => place[axis])) - Math.min(...places.map((place) => place[axis]));
    size = {
      width: Math.max(size.width, Math.ceil((span("x") + NODE_SIZE.width) * OPEN.scaleX) + OPEN.margin),
      height: Math.max(size.height, Math.ceil((span("y") + NODE_SIZE.height) * OPEN.scaleY) + OPEN.head + 12),
    };
  }
  return size;
}
