import { type Tensor, tensorOf } from "../../core/export/tensor.ts";
import { type Body, emptyGraph, type Graph, type Node } from "../../core/graph/document.ts";
import type { TensorType } from "../../core/graph/shape.ts";

/** Graphs for parity tests in few words. */

export type Step = [type: string, params?: Node["params"], bodies?: Node["bodies"]];
export type Wire = [from: string, to: string];

/** Nodes by id, and wires as `id` or `id:port` (`y` and `x` where not said). */
export function body(nodes: { [id: string]: Step | [...Step, { name: string }] }, wires: Wire[]): Body {
  return {
    nodes: Object.entries(nodes).map(([id, [type, params = {}, bodies, named]]) => ({ id, type, params, at: { x: 0, y: 0 }, ...(bodies ? { bodies } : {}), ...(named ?? {}) })),
    edges: wires.map(([from, to], i) => ({ id: `w${i}`, from: end(from, "y"), to: end(to, "x") })),
  };
}

function end(text: string, port: string): { node: string; port: string } {
  const [node = "", given = port] = text.split(":");
  return { node, port: given };
}

export function graph(nodes: Parameters<typeof body>[0], wires: Wire[]): Graph {
  return { ...emptyGraph, ...body(nodes, wires) };
}

/** Input, the steps, output. */
export function chainBody(input: Node["params"], steps: Step[]): Body {
  const all: [string, Step][] = [["input", ["input", input]], ...steps.map((step, i): [string, Step] => [`${step[0]}_${i + 1}`, step]), ["output", ["output"]]];
  return body(
    Object.fromEntries(all),
    all.slice(1).map(([id], i): Wire => [all[i]?.[0] ?? "", id]),
  );
}

export function chain(input: Node["params"], ...steps: Step[]): Graph {
  return { ...emptyGraph, ...chainBody(input, steps) };
}

/** The bodies of If. */
export function branches(yes: Body, no: Body): { [role: string]: Body } {
  return { then: yes, else: no };
}

export const linear = (out_features: number): Step => ["linear", { out_features }];

export const f32 = (shape: number[]): TensorType => ({ dtype: "float32", shape });

export function filled(shape: number[], value: number): Tensor {
  return tensorOf("float32", shape, Array<number>(shape.reduce((a, b) => a * b, 1)).fill(value));
}

export function batchesOver<T>(shapes: number[][], make: (shape: number[]) => T): T[] {
  return shapes.map(make);
}
