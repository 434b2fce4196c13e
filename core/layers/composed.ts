import type { Body, Edge, Json, Node } from "../graph/document.ts";
import type { TensorType } from "../graph/shape.ts";
import { defineLayer, type InferProblem, type InputPorts, type Inputs, type Layer } from "./kit.ts";
import type { Params } from "./params.ts";

type Derived = "infer" | "lower" | "onnx" | "outputs" | "compose" | "torch";

/**
 * A layer written as a graph of other layers: `compose` draws it, and everything else follows from the layers it is made of. The
 * body's inputs and outputs are named as the layer's ports, its nodes as PyTorch names the parts: weights are then called alike.
 * `torch` may say the module that PyTorch has for it, with the same weights in the same order.
 */
export function defineComposed<P extends Params, const I extends InputPorts>(
  layer: Omit<Layer<P, I>, Derived> & { compose: (...given: Parameters<NonNullable<Layer<P, I>["compose"]>>) => Body | InferProblem } & Partial<
      Pick<Layer<P, I>, "outputs" | "torch">
    >,
): Layer<P, I> {
  return defineLayer<P, I>({
    torch: () => ({ is: "body" }),
    ...layer,
    compose: (params, inputs, node) => {
      const made = layer.compose(params, inputs, node);
      return "problem" in made ? made : { body: made };
    },
    infer: (_, inputs, bodies) => {
      const outputs = bodies("body", singleInputs<TensorType>(inputs));
      return outputs && { outputs };
    },
    lower: (_, inputs, b) => b.body("body", singleInputs(inputs)),
    onnx: (_, inputs, b) => Object.fromEntries(Object.entries(b.body("body", singleInputs(inputs))).map(([port, { name }]) => [port, name])),
  });
}

/** The connected ports that take one wire each. */
export function singleInputs<T>(inputs: Inputs<T>): { [port: string]: T } {
  return Object.fromEntries(Object.entries(inputs).flatMap(([port, value]): [string, T][] => (value === undefined || Array.isArray(value) ? [] : [[port, value]])));
}

/** A node of a sketched body: its type, its parameters, and what is wired into its ports, as `node` or `node:port`. Written alone, wires go into `x`. */
type Sketched = [type: string, params?: { [name: string]: Json }, wires?: string | { [port: string]: string | string[] }];

/**
 * A body in few words: inputs by name, nodes by id, outputs as the wire that each gives. A node without wires takes the result of the
 * one before it.
 */
export function sketchBody(inputs: readonly string[], nodes: { [id: string]: Sketched }, outputs: { [name: string]: string }): Body {
  const placed: Node[] = [];
  const edges: Edge[] = [];
  const place = (node: Omit<Node, "at">) => placed.push({ ...node, at: { x: 0, y: placed.length * 96 } });
  const wire = (from: string, node: string, port: string) => {
    const [source = "", output = "y"] = from.split(":");
    edges.push({ id: `wire_${edges.length + 1}`, from: { node: inputs.includes(source) ? `in_${source}` : source, port: output }, to: { node, port } });
  };
  for (const name of inputs) place({ id: `in_${name}`, type: "input", params: {}, name });
  let last = inputs[0] ?? "";
  for (const [id, [type, params = {}, wires = last]] of Object.entries(nodes)) {
    place({ id, type, params });
    for (const [port, from] of Object.entries(typeof wires === "string" ? { x: wires } : wires)) for (const one of [from].flat()) wire(one, id, port);
    last = id;
  }
  for (const [name, from] of Object.entries(outputs)) {
    place({ id: `out_${name}`, type: "output", params: {}, name });
    wire(from, `out_${name}`, "x");
  }
  return { nodes: placed, edges };
}
