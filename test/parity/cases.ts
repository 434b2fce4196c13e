import { LENGTHS_INPUT, type Manifest, type Preprocess } from "../../core/data/manifest.ts";
import { countElements, type Tensor, tensorOf } from "../../core/export/tensor.ts";
import { emptyGraph, type Graph, type Json, type Node } from "../../core/graph/document.ts";
import type { TensorType } from "../../core/graph/shape.ts";
import { layers } from "../../core/layers/index.ts";
import { type Example, type Layer, portsOf } from "../../core/layers/kit.ts";
import type { Params, Values } from "../../core/layers/params.ts";
import { lowerModel } from "../../core/program/lower.ts";
import type { Program } from "../../core/program/program.ts";
import { templates } from "../../core/templates/index.ts";
import { chain } from "../../core/templates/sketch.ts";

/** A model with weights and inputs, to be computed by the engine and by others. */
export type Case = { graph: Graph; preprocess?: Preprocess; program: Program; weights: Map<string, Tensor>; inputs: { [name: string]: Tensor }[] };

/** A case is made within its test, so that what keeps one from being made fails that one alone. */
export type LazyCase = readonly [name: string, make: () => Case];

/** Every example of every layer but the ends, as a model of its own. */
export function layerCases(): LazyCase[] {
  return layers
    .filter((layer) => !layer.boundary)
    .flatMap((layer) =>
      layer.examples.map((example, i): LazyCase => {
        const name = `${layer.title} example ${i + 1}`;
        return [
          name,
          () => {
            const { graph, inputs } = graphOfExample(layer, example);
            return makeCase(name, graph, [inputs]);
          },
        ];
      }),
    );
}

/** Tokens, which preprocessing must leave whole. */
export function tokenCases(): LazyCase[] {
  const graph = chain([
    ["tokens", "input", { shape: ["T"], dtype: "int64" }],
    ["embedding", "embedding", { num_embeddings: 20, embedding_dim: 4 }],
    ["mean", "mean", { dim: [1] }],
    ["scores", "linear", { out_features: 3 }],
    ["output", "output"],
  ]);
  const preprocess: Preprocess = { dtype: "int64", scale: 1, mean: [0], std: [1] };
  const batches = [tensorOf("int64", [2, 3], [0, 5, 19, 7, 7, 1]), tensorOf("int64", [1, 5], [4, 3, 2, 1, 0])];
  return [
    [
      "tokens with a data set's preprocessing",
      () =>
        makeCase(
          "tokens",
          graph,
          batches.map((x) => ({ x })),
          preprocess,
        ),
    ],
  ];
}

/** Every template on a batch of several samples and on a single one, with the preprocessing of data like its data set's. */
export function templateCases(): LazyCase[] {
  return templates.map(({ title, graph, task }): LazyCase => {
    const preprocess = forColumns(PREPROCESS[task], graph);
    return [title, () => makeCase(title, graph, [batchOf(graph, preprocess, 5, 6), batchOf(graph, preprocess, 1, 3)], preprocess)];
  });
}

const PREPROCESS: { [task in Manifest["task"]]: Preprocess } = {
  "image-classification": { dtype: "uint8", scale: 1 / 255, mean: [0.1307], std: [0.3081] },
  "tabular-classification": { dtype: "float32", scale: 1, mean: [44, 17, 201, 4207, 0, 0, 0, 0, 0], std: [5.4, 2, 14, 803, 1, 1, 1, 1, 1] },
  "tabular-regression": { dtype: "float32", scale: 1, mean: [0], std: [1] },
  "text-classification": { dtype: "int64", scale: 1, mean: [0], std: [1] },
  "text-regression": { dtype: "int64", scale: 1, mean: [0], std: [1] },
  "language-model": { dtype: "int64", scale: 1, mean: [0], std: [1] },
  forecasting: { dtype: "float32", scale: 1, mean: [9546.5], std: [1067] },
  "semantic-segmentation": { dtype: "uint8", scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  autoencoder: { dtype: "uint8", scale: 1 / 255, mean: [0.1307], std: [0.3081] },
};

/** A table's figures are for each of its columns: those of as many as the graph takes. */
function forColumns(preprocess: Preprocess, graph: Graph): Preprocess {
  if (preprocess.dtype !== "float32" || preprocess.mean.length === 1) return preprocess;
  const width = lowerModel(graph)
    .inputs.find(({ dtype }) => dtype === "float32")
    ?.shape.at(-1);
  if (typeof width !== "number") return preprocess;
  return { ...preprocess, mean: preprocess.mean.slice(0, width), std: preprocess.std.slice(0, width) };
}

/** What a graph takes, of so many samples of so many steps; each `lengths` differs and the longest is whole. */
function batchOf(graph: Graph, preprocess: Preprocess, samples: number, steps: number): { [name: string]: TensorType | Tensor } {
  const sizeOf = (size: number | string) => (size === "B" ? samples : typeof size === "string" ? steps : size);
  return Object.fromEntries(
    lowerModel(graph, { preprocess }).inputs.map(({ name, dtype, shape }) => [
      name,
      name === LENGTHS_INPUT
        ? tensorOf(
            "int64",
            [samples],
            Array.from({ length: samples }, (_, i) => steps - (i % steps)),
          )
        : { dtype, shape: shape.map(sizeOf) },
    ]),
  );
}

/** Draws weights for a graph, the same for the same seed, and inputs where a batch says only their types (with numbers for sizes). */
export function makeCase(seed: string, graph: Graph, batches: { [name: string]: TensorType | Tensor }[], preprocess?: Preprocess): Case {
  const random = randomNumbers(seed);
  const program = lowerModel(graph, { preprocess });
  const weights = new Map(
    program.weights.map(({ name, dtype, shape, init }) => {
      const count = countElements(shape);
      if (init.kind === "values") return [name, tensorOf(dtype, shape, init.values)];
      if (dtype !== "float32") return [name, tensorOf(dtype, shape, Array<number>(count).fill(3))];
      // Variances are positive; scales and shifts are away from 1 and 0, so that a forgotten one shows.
      // Sums of very many terms stay moderate: a Sigmoid behind thousands would only show how those were rounded.
      const reach = Math.min(0.6, 6 / Math.sqrt(count / (shape[0] ?? 1)));
      const draw = name.endsWith("running_var") ? () => 0.5 + random() : () => reach * (random() * 2 - 1) + (init.kind === "constant" ? init.value : 0);
      return [name, tensorOf(dtype, shape, Array.from({ length: count }, draw))];
    }),
  );
  const inputs = batches.map((batch) => Object.fromEntries(Object.entries(batch).map(([name, given]) => [name, "data" in given ? given : randomTensor(given, random)])));
  return { graph, preprocess, program, weights, inputs };
}

function randomTensor({ dtype, shape }: TensorType, random: () => number): Tensor {
  const sizes = shape.map(Number);
  const draw = { float32: () => random() * 4 - 2, int64: () => Math.floor(random() * 3), uint8: () => Math.floor(random() * 256), bool: () => Math.round(random()) }[dtype];
  return tensorOf(dtype, sizes, Array.from({ length: countElements(sizes) }, draw));
}

/** One node with an input for each wire it takes and an output for each port it has. */
function graphOfExample(layer: Layer, example: Example<Values<Params>>): { graph: Graph; inputs: { [name: string]: TensorType | Tensor } } {
  const nodes: Node[] = [{ id: "node", type: layer.type, params: Object.fromEntries(Object.entries(example.params ?? {}) as [string, Json][]), at: { x: 0, y: 0 } }];
  const node = nodes[0] as Node;
  if (example.bodies) node.bodies = example.bodies;
  const edges: Graph["edges"] = [];
  const inputs: { [name: string]: TensorType | Tensor } = {};
  const wire = (from: string, to: string, toPort: string, fromPort = "y") =>
    edges.push({ id: `e${edges.length}`, from: { node: from, port: fromPort }, to: { node: to, port: toPort } });

  const wires = Object.entries(example.inputs).flatMap(([port, given]) => {
    const several = Array.isArray(given) && given.some((one) => typeof one === "object");
    return ((several ? given : [given]) as (TensorType | TensorType["shape"])[]).map((one, i) => ({
      port,
      name: `${port}${i}`,
      type: Array.isArray(one) ? { dtype: "float32" as const, shape: one } : one,
    }));
  });
  const batch = wires.map(({ type }) => (type.dtype === "bool" ? undefined : type.shape[0])).find((size) => size !== undefined) ?? 2;
  for (const { port, name, type } of wires) {
    // A condition, and what has no batch axis or another, is made of an input that has one: a comparison, a mean over the batch.
    const whole = type.dtype === "int64" || (type.dtype !== "bool" && type.shape[0] === batch);
    const shape = (whole ? type.shape.slice(1) : type.shape).map(Number);
    const dtype = type.dtype === "bool" ? "float32" : type.dtype;
    nodes.push({ id: name, name, type: "input", params: { shape, dtype }, at: { x: 0, y: 0 } });
    const values = example.values?.[port];
    inputs[name] = values ? tensorOf(dtype, [Number(batch), ...shape], values) : { dtype, shape: [Number(batch), ...shape] };
    let last = name;
    if (!whole) {
      nodes.push({ id: `${name}-mean`, type: "mean", params: { dim: [0], keepdim: false }, at: { x: 0, y: 0 } });
      wire(last, `${name}-mean`, "x");
      last = `${name}-mean`;
    }
    if (example.positive && dtype === "float32") {
      nodes.push({ id: `${name}-sigmoid`, type: "sigmoid", params: {}, at: { x: 0, y: 0 } });
      wire(last, `${name}-sigmoid`, "x");
      last = `${name}-sigmoid`;
    }
    if (type.dtype === "bool") {
      nodes.push({ id: `${name}-greater`, type: "greater", params: {}, at: { x: 0, y: 0 } });
      wire(last, `${name}-greater`, "x");
      last = `${name}-greater`;
    }
    wire(last, "node", port);
  }
  if (wires.length === 0) {
    // A model has an input, though the layer takes nothing.
    nodes.push({ id: "beside", name: "x", type: "input", params: { shape: [1], dtype: "float32" }, at: { x: 0, y: 0 } });
    nodes.push({ id: "out-beside", name: "z", type: "output", params: {}, at: { x: 0, y: 0 } });
    inputs.x = { dtype: "float32", shape: [2, 1] };
    wire("beside", "out-beside", "x");
  }
  for (const port of Object.keys(portsOf(layer, node).outputs)) {
    nodes.push({ id: `out-${port}`, name: `out ${port}`, type: "output", params: {}, at: { x: 0, y: 0 } });
    wire("node", `out-${port}`, "x", port);
  }
  return { graph: { ...emptyGraph, nodes, edges }, inputs };
}

/** Uniform in [0, 1), the same for the same text. Park and Miller's generator. */
function randomNumbers(seed: string): () => number {
  let state = [...seed].reduce((hash, letter) => (hash * 31 + (letter.codePointAt(0) ?? 0)) % 2147483647, 7) || 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
