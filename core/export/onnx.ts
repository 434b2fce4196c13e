import type { Preprocess } from "../data/manifest.ts";
import type { Body, Graph } from "../graph/document.ts";
import { bodyOf, foldBody, requirePredicting, type Step } from "../graph/fold.ts";
import { type BodyStep, weightName } from "../graph/path.ts";
import type { Dtype, TensorType } from "../graph/shape.ts";
import { GRAPH_KEY, HASH_KEY, hashOnnx, PREPROCESS_KEY } from "../import/onnx-hash.ts";
import { ONNX_LIMITS, readOnnx } from "../import/onnx-proto.ts";
import type { OnnxAttribute, OnnxBuilder, OnnxValue } from "../layers/kit.ts";
import { isMeasure, lowerModel } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { encodeOnnx, ONNX_DTYPES, type OnnxAttributeValue, type OnnxGraph, type OnnxNode, type OnnxTensor, setOnnxMetadata } from "./onnx-proto.ts";
import { type Tensor, tensorBytes, tensorOf, type Weights } from "./tensor.ts";
import { pickWeights } from "./weights.ts";

/** The operator set that layers write for, and the file format version that goes with it: ONNX 1.16, ONNX Runtime 1.18 and later. */
export const ONNX_OPSET = 21;
const IR_VERSION = 10;
/** Protobuf messages end at 2 GiB, and readers refuse larger ones. */
const MAX_WEIGHT_BYTES = 2 ** 31 - 2 ** 24;

export type OnnxOptions = {
  /** Of the training data: put inside, so that the model takes the data as it is stored. */
  preprocess?: Preprocess;
  /** Class names in order; kept as JSON under `tensorloom.classes`. */
  classes?: readonly string[];
  /** Further `metadata_props`: licence, hash of the graph, parity report. */
  metadata?: { [key: string]: string };
};

/**
 * The model as an ONNX file, for inference: dropout is gone, batch norm uses its running averages, zones are `If` and `Loop`.
 * Inputs and outputs are called as in the graph, weights as in a `state_dict`, and every node's name begins with the path of the
 * canvas node it came from. Sizes known only at run time keep their letters.
 *
 * @throws GraphInvalid · WeightsError where weights are missing or of another shape · RangeError beyond what one file can hold.
 */
export function exportOnnx(graph: Graph, weights: Weights, options: OnnxOptions = {}): Uint8Array {
  const program = lowerModel(graph, { preprocess: options.preprocess });
  const picked = pickWeights(program, weights);
  const weightBytes = [...picked.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (weightBytes > MAX_WEIGHT_BYTES)
    throw new RangeError(`The weights take ${weightBytes} bytes; one ONNX file holds at most ${MAX_WEIGHT_BYTES}. Take the safetensors file instead.`);
  const file = encodeOnnx({
    irVersion: IR_VERSION,
    opset: ONNX_OPSET,
    producer: "tensorloom",
    producerVersion: "",
    doc: "",
    graph: writeModel(graph, program, picked, options.preprocess),
    metadata: { ...(options.classes?.length ? { "tensorloom.classes": JSON.stringify(options.classes) } : {}), ...options.metadata },
  });
  return setOnnxMetadata(file, documentOf(graph, program, file, options.preprocess));
}

/** The graph itself, so that an import gives back what was drawn; the fingerprint tells whether the file still is that graph. */
function documentOf(graph: Graph, program: Program, file: Uint8Array, preprocess: Preprocess | undefined): { [key: string]: string } {
  if (file.length > ONNX_LIMITS.fileBytes) return {};
  // Mean and deviation of the data are weights of the file, but not of the graph.
  const inputs = new Set(program.inputs.map(({ node }) => node));
  const names = new Set(program.weights.filter(({ node }) => !inputs.has(node)).map(({ name }) => name));
  return {
    [GRAPH_KEY]: JSON.stringify(graph),
    [HASH_KEY]: hashOnnx(readOnnx(file).graph, names),
    ...(preprocess ? { [PREPROCESS_KEY]: JSON.stringify(preprocess) } : {}),
  };
}

function writeModel(whole: Graph, program: Program, weights: Map<string, Tensor>, preprocess: Preprocess | undefined): OnnxGraph {
  const { graph, checked } = requirePredicting(whole);
  const names = new Names();
  const initializers = new Map<string, OnnxTensor>();
  const subgraphs: OnnxGraph[] = [];
  /** Where nodes land: the model, or the branch or loop body that is being written. */
  let scope: OnnxNode[] = [];

  /** A tensor of the model's own, visible from every branch and loop body. Equal constants are kept once. */
  function keep(key: string, name: string, tensor: Tensor): string {
    const known = initializers.get(key);
    if (known) return known.name;
    const kept = { name: names.take(name), dtype: tensor.dtype, shape: tensor.shape, bytes: tensorBytes(tensor) };
    initializers.set(key, kept);
    return kept.name;
  }

  function write(path: string, op: string, inputs: (string | null)[], attributes: { [name: string]: OnnxAttribute } = {}, outputCount = 1): string[] {
    const name = names.take(`${path}/${op}`);
    const outputs = outputCount === 1 ? [name] : Array.from({ length: outputCount }, (_, i) => names.take(`${name}.${i}`));
    const given = inputs.map((input) => input ?? "");
    while (given.at(-1) === "") given.pop();
    scope.push({
      name,
      op,
      inputs: given,
      outputs,
      attributes: Object.entries(attributes).map(([attribute, value]) => ({ name: attribute, value: attributeValue(value, subgraphs) })),
    });
    return outputs;
  }

  function builderOf({ path, node, steps }: Step): OnnxBuilder {
    return {
      node: (op, inputs, attributes, outputCount) => write(path, op, inputs, attributes, outputCount),
      constant: (data, shape, dtype) => keep(`${dtype} [${shape}] ${data}`, `${path}/constant`, tensorOf(dtype, shape, data)),
      weight(name) {
        const own = weightName(path, name);
        const key = checked.shared.get(own) ?? own;
        const tensor = weights.get(key);
        if (!tensor) throw new Error(`The program of the graph has no weight ${key}.`);
        return keep(key, key, tensor);
      },
      subgraph(types, writeInside) {
        const outside = scope;
        scope = [];
        const inputs = types.map((type) => ({ name: names.take(`${path}/carried`), type }));
        const outputs = ownOutputs(path, writeInside(inputs));
        subgraphs.push({ name: names.take(`${path}/graph`), nodes: scope, initializers: [], inputs: inputs.map(valueInfo), outputs: outputs.map(valueInfo) });
        scope = outside;
        return { subgraph: subgraphs.length - 1 };
      },
      body(role, args) {
        return writeBody(bodyOf(checked, { path, node }, role), [...steps, { node: node.id, role }], args);
      },
    };
  }

  /** A sub-graph's outputs must be made inside it, each by a node of its own: what is not gets an Identity. */
  function ownOutputs(path: string, values: OnnxValue[]): OnnxValue[] {
    const made = new Set(scope.flatMap(({ outputs }) => outputs));
    return values.map((value) => (made.delete(value.name) ? value : { ...value, name: write(path, "Identity", [value.name])[0] ?? "" }));
  }

  function writeBody(body: Body, steps: readonly BodyStep[], args: { [name: string]: OnnxValue }): { [name: string]: OnnxValue } {
    return foldBody(checked, body, steps, args, (step, inputs) => {
      const outputs = Object.entries(step.layer.onnx(step.params, inputs, builderOf(step), step.types, step.node));
      return Object.fromEntries(outputs.flatMap(([port, name]) => (step.types.outputs[port] ? [[port, { name, type: step.types.outputs[port] }]] : [])));
    });
  }

  const inputs = program.inputs.map(({ name, node, dtype, shape }) => ({ node, name: names.take(name), type: { dtype, shape } }));
  const declared = (node: string) => {
    const type = checked.types.get(node)?.outputs.y;
    if (!type) throw new Error(`Input ${node} of a checked graph has a type.`);
    return type;
  };
  const outputNames = program.outputs.map(({ name }) => ({ name, taken: names.take(name) }));
  const args = Object.fromEntries(inputs.map((input, i) => [program.inputs[i]?.name ?? "", preprocess && isMeasure(declared(input.node)) ? writePreprocess(input) : input]));
  const results = writeBody(graph, [], args);
  const outputs = outputNames.map(({ name, taken }) => {
    const result = results[name];
    if (!result) throw new Error(`The graph has no output ${name}.`);
    // An Identity gives the output its name; runtimes drop it.
    scope.push({ name: taken, op: "Identity", inputs: [result.name], outputs: [taken], attributes: [] });
    return { name: taken, type: result.type };
  });
  return { name: "tensorloom", nodes: scope, initializers: [...initializers.values()], inputs: inputs.map(valueInfo), outputs: outputs.map(valueInfo) };

  /** (x · scale − mean) / std, as the program does it; it has no mean of zeros and no std of ones. */
  function writePreprocess({ node, name, type }: { node: string; name: string; type: TensorType }): OnnxValue {
    let x = name;
    if (type.dtype !== "float32") [x = ""] = write(node, "Cast", [x], { to: ONNX_DTYPES.float32 });
    if (preprocess && preprocess.scale !== 1) [x = ""] = write(node, "Mul", [x, keep(`${node} scale`, `${node}.scale`, tensorOf("float32", [], [preprocess.scale]))]);
    for (const [part, op] of [
      ["mean", "Sub"],
      ["std", "Div"],
    ] as const) {
      const key = weightName(node, part);
      const moment = weights.get(key);
      if (moment) [x = ""] = write(node, op, [x, keep(key, key, moment)]);
    }
    return { name: x, type: { dtype: "float32", shape: type.shape } };
  }
}

function valueInfo({ name, type }: OnnxValue): { name: string; dtype: Dtype; shape: TensorType["shape"] } {
  return { name, dtype: type.dtype, shape: type.shape };
}

function attributeValue(value: OnnxAttribute, subgraphs: readonly OnnxGraph[]): OnnxAttributeValue {
  if (typeof value === "number") return { int: value };
  if (typeof value === "string") return { text: value };
  if (Array.isArray(value)) return isTexts(value) ? { texts: value } : { ints: value };
  if (!("subgraph" in value)) return value;
  const graph = subgraphs[value.subgraph];
  if (!graph) throw new Error(`There is no sub-graph ${value.subgraph}.`);
  return { graph };
}

function isTexts(values: number[] | string[]): values is string[] {
  return typeof values[0] === "string";
}

/** Names that are unique over the model and its sub-graphs, as ONNX wants them. */
class Names {
  readonly #taken = new Set<string>();

  take(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }
}
