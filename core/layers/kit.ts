import { evaluate } from "../graph/dims.ts";
import type { Body, Json, Node } from "../graph/document.ts";
import type { Dtype, Shape, TensorType } from "../graph/shape.ts";
import { sayRecord } from "../language/records.ts";
import type { Arg, Init } from "../program/program.ts";
import type { BreakCondition } from "../training/breakpoints.ts";
import type { Params, Values } from "./params.ts";
import type { Sliding } from "./window.ts";

/** Palette sections, in the order shown; each has its colour in `app/ui/tokens.css`. */
export const CATEGORIES = [
  "io",
  "convolution",
  "linear",
  "activation",
  "normalization",
  "pooling",
  "sequence",
  "attention",
  "shape",
  "math",
  "regularization",
  "augmentation",
  "control",
  "block",
] as const;
export type Category = (typeof CATEGORIES)[number];

/**
 * A port a wire can go into; it takes float32 unless `dtype` says else: one, several of which any will do, or "any".
 * `optional` ports may stay empty; a `many` port takes any number of wires, kept in edge order.
 */
export type InputPort = { doc: string; dtype?: Dtype | readonly Dtype[] | "any"; optional?: boolean; many?: boolean };
type OutputPort = { doc: string };
export type InputPorts = { [port: string]: InputPort };
export type OutputPorts = { [port: string]: OutputPort };

/** Inputs by port; `many` ports hold arrays, empty optional ports are absent. */
export type Inputs<T> = { [port: string]: T | T[] | undefined };
/** `Inputs` of known ports. */
type InputsOf<I, T> = string extends keyof I ? Inputs<T> : { [K in keyof I]: I[K] extends { many: true } ? T[] : I[K] extends { optional: true } ? T | undefined : T };

/** A value while lowering: a program value with its type. */
export type Value = { id: number; type: TensorType };
/** A value while writing ONNX. */
export type OnnxValue = { name: string; type: TensorType };

/**
 * What a layer says about itself once its inputs are known. `null`: unknown, because of problems inside one of its bodies,
 * which are reported there.
 */
export type Inferred =
  | { outputs: { [port: string]: TensorType }; weights?: { [name: string]: WeightPlan } /** What would run, but is probably not meant. */; hints?: InferHint[] }
  | InferProblem
  | null;
type InferHint = { message: string; port?: string; hint?: string; fixes?: Fix[] };

/** `code` is GRAPH_SHAPE where absent. `port` or `param` says where to look; `body` is the role of the body at fault. */
export type InferProblem = {
  problem: string;
  code?: "GRAPH_SHAPE" | "GRAPH_DTYPE" | "GRAPH_PARAM" | "GRAPH_BODY" | "GRAPH_OVERFLOW" | "GRAPH_BYPASS";
  port?: string;
  param?: string;
  hint?: string;
  fixes?: Fix[];
};

/**
 * A weight the layer owns, by PyTorch's state_dict name. Buffers are `trainable: false`. Order is the order in which the
 * PyTorch module draws its random numbers.
 */
export type WeightPlan = { shape: number[]; init: Init; trainable?: boolean; dtype?: Dtype };

/**
 * An edit that would mend a problem, ranked best first. `insert` puts a chain of new nodes on the wire into `port`;
 * `remove-node` bridges the wires around it; `remove-edge` takes away the problem's edge; `restore` ends a bypass. `node` is a node
 * path where the edit is not on the problem's own node.
 */
export type Fix =
  | { kind: "insert"; label: string; nodes: { type: string; params: { [name: string]: Json } }[]; port: string }
  | { kind: "set-param"; label: string; node?: string; name: string; value: Json }
  | { kind: "remove-param"; label: string; name: string }
  | { kind: "remove-node"; label: string; node?: string }
  | { kind: "remove-edge"; label: string }
  | { kind: "restore"; label: string }
  | { kind: "rename"; label: string; name: string }
  /** Draws a wire into the problem's node, from another of the same body. */
  | { kind: "connect"; label: string; from: { node: string; port: string }; port: string }
  /** Adds a node beside another at the top: below it and fed by its output, or above it and feeding its input. */
  | { kind: "add"; label: string; type: string; params: { [name: string]: Json }; beside: string; port: string; side: "above" | "below" };

/** Multiply-adds of one forward pass for one sample (every symbolic size counts as 1); parameters follow from the weights. */
export type Cost = { multiplyAdds: number };

/** Types around a node once they are known. */
export type NodeTypes = { inputs: Inputs<TensorType>; outputs: { [port: string]: TensorType } };

/**
 * Infers one of the node's bodies for these arguments (by the names of its input nodes) and gives the types of its output
 * nodes by name, or null where that is not possible.
 */
type BodyTypes = (role: string, args: { [name: string]: TensorType }) => { [name: string]: TensorType } | null;

/**
 * Writes program ops while a layer is lowered. `call` returns the first result; `calls` returns one for each type.
 *
 * Control flow: `if`, `while`, `repeat` and `switch` write a nested block by calling the given function once, at a time when
 * everything the function writes lands inside that block. `body` writes one of the node's bodies at the place where the builder stands.
 */
export type ProgramBuilder = {
  call(op: string, args: BuilderArg[], type: TensorType): Value;
  calls(op: string, args: BuilderArg[], types: TensorType[]): Value[];
  weight(name: string): Value;
  /** Has a single number measured on every batch of training, under a name of its own; within branches and loops of the program nothing is. */
  watch(name: string, value: Value): void;
  /** Has a run pause where this condition holds for figures of a batch, float32 [5] as `BROKE_AT` has them; as `watch`, not within branches and loops. */
  breakAt(condition: BreakCondition, figures: Value): void;
  body(role: string, args: { [name: string]: Value }): { [name: string]: Value };
  if(condition: Value | { flag: "training" }, then: () => Value[], otherwise: () => Value[], types: TensorType[]): Value[];
  while(init: Value[], condition: (carried: Value[]) => Value, body: (carried: Value[]) => Value[], options: { maxIterations: number; limit: "fail" | "stop" }): Value[];
  /** `body` gives the carried values and then an item for each `stack`; the results are the carried values and the stacks. */
  repeat(init: Value[], times: number | Value | BuilderSize, body: (carried: Value[], index: Value, slices: Value[]) => Value[], options: RepeatOptions): Value[];
  /** Each case sees its rows of `args` alone; `rows` are the types of these. */
  switch(index: Value, args: Value[], rows: TensorType[], cases: ((args: Value[]) => Value[])[], types: TensorType[]): Value[];
};
/** `scan`: what is taken apart along an axis, a slice for each turn. `stack`: the new axis and the type of each stack of items. `reverse`: from the last slice to the first. */
export type RepeatOptions = { maxIterations: number; scan?: { value: Value; axis: number }[]; stack?: { axis: number; type: TensorType }[]; reverse?: boolean };
/** `Value` and `Value[]` may stand where an Arg does. */
export type BuilderArg = Arg | Value | Value[] | BuilderSize | { ints: (number | BuilderSize)[] };
/** A size of a value known only at run time: `[value, axis]`. */
export type BuilderSize = { size: [Value, number] };

/**
 * Writes ONNX nodes (opset of `export/onnx.ts`). Names are made unique by the builder.
 *
 * If and Loop take sub-graphs: `subgraph` calls `write` once with fresh names for its inputs; what `write` writes lands inside,
 * may use names from outside, and what it returns are the sub-graph's outputs. The result stands as an attribute:
 * `b.node("If", [c], { then_branch: b.subgraph([], () => [...]), else_branch: ... }, 1)`.
 */
export type OnnxBuilder = {
  node(op: string, inputs: (string | null)[], attributes?: { [name: string]: OnnxAttribute }, outputCount?: number): string[];
  /** A constant tensor; `shape` `[]` is a scalar. */
  constant(data: number[], shape: number[], dtype: Dtype): string;
  /** The initializer of one of the layer's weights. */
  weight(name: string): string;
  subgraph(inputs: TensorType[], write: (inputs: OnnxValue[]) => OnnxValue[]): OnnxSubgraph;
  /** Writes one of the node's bodies at the place where the builder stands. */
  body(role: string, args: { [name: string]: OnnxValue }): { [name: string]: OnnxValue };
};
export type OnnxAttribute = number | string | number[] | string[] | { float: number } | { floats: number[] } | OnnxSubgraph;
/** A handle that means something only to the builder that made it. */
type OnnxSubgraph = { subgraph: number };

/**
 * PyTorch code of a layer. `torch`, `nn` and `F` (`torch.nn.functional`) are imported.
 *
 * Plain layers: what to make in `__init__` (absent: nothing) and an expression in `forward`.
 * Zones: the lines of the `forward` of a Module class of their own, whose arguments are the connected input ports. Its body with
 * the role `body` is a method, each other a Module, `self.<role>`; `call` writes its call and gives a value, or a tuple in order
 * of its output names; `fresh` names a variable like no other. Blocks and composed layers: the role of the body that it `is`. Stacks: the roles of the bodies that run
 * one after another, as nn.Sequential. So a weight's `state_dict` key is what `weightName` says.
 */
type TorchCode =
  | {
      /** `nn.Linear(784, 128)`; its attribute is named by the node. */
      module?: string;
      /** `self_` is `self.<attribute>`, `inputs` are variable names. */
      forward: (self_: string, inputs: Inputs<string>) => string;
      /** A class that `module` is made of and PyTorch lacks, as source text beginning with `class `; written once. */
      helper?: string;
      /** The left side of the assignment, given a variable for each output port; without it the variables joined by commas. */
      assign?: (outputs: { [port: string]: string }) => string;
    }
  | { is: string }
  | { chain: string[] /** How often the chain runs; once where absent. */; times?: number }
  | { lines: (inputs: Inputs<string>, call: (role: string, args: { [name: string]: string }) => string, fresh: (wanted: string) => string) => string[] };

/** One body of a zone or block: what it is for, and what a new node starts with. */
type BodyRole = { doc: string; start: Body };

/** A kind of node, said once. The palette, inspector, checks, training, exports and docs are all derived from this record. */
export type Layer<P extends Params = Params, I extends InputPorts = InputPorts> = {
  type: string;
  title: string;
  category: Category;
  /** One sentence: what it does and why one would want it. */
  doc: string;
  /** What it computes, as plain text: `y = max(0, x)`. */
  formula?: string;
  /** When to use it, and when something else is better: one or two sentences. */
  when?: string;
  /** Of a layer that treats each number by itself: its curve with default parameters, as help draws it. */
  curve?: (x: number) => number;
  /** Of a layer that slides a window over its first input: how, as help shows it. */
  slides?(params: Values<P>): Sliding;
  source?: string;
  /** Words a person might search for instead of the title. */
  keywords?: string[];
  params: P;
  inputs: I;
  outputs: OutputPorts;
  /** Ports that depend on the node, such as a block's; read them with `portsOf`. */
  ports?(node: Node): { inputs: InputPorts; outputs: OutputPorts };
  /** The bodies a zone or block holds, by role, in order. */
  bodies?: { [role: string]: BodyRole };
  /** Of a loop: which inputs of its bodies go round, and as which outputs they come back. */
  carries?(node: Node): readonly { input: string; output: string }[];
  /** Which of `bodies` a node has, where that depends on its parameters; read them with `bodiesOf`. */
  roles?(node: Node): string[];
  /**
   * The bodies it runs where these are not simply those drawn inside it: a layer written as a graph of other layers makes its
   * own (role `body`), a stack one copy of its body for each turn (roles `0`, `1`, …). Pure; called once the types of its inputs
   * are known. Such bodies are checked, counted, lowered and exported like drawn ones.
   */
  compose?(params: Values<P>, inputs: InputsOf<I, TensorType>, node: Node): { [role: string]: Body } | InferProblem;
  /**
   * `input`: its value comes from outside the body and arrives as `inputs.x`, though no port is drawn; `output`: its value
   * goes outside; `target`: its value is the data set's target, and is there while training only. `name` is the name of such a node
   * while it has none.
   */
  boundary?: { kind: "input" | "output" | "target"; name: string };
  /** Hands inputs on as they are: which input each output gives, of those that are wired. Programs and exports have no trace of it. */
  passes?(node: Node, wired: ReadonlySet<string>): { [output: string]: string };
  /** Drawn as a dot on a wire. */
  dot?: true;
  /** What lint needs to know: `affine` bends nothing, `neutral` changes no value, `probabilities` yields what a loss on logits does itself, `statistics` keeps what it saw while training. */
  trait?: "affine" | "neutral" | "probabilities" | "statistics";
  /** `false`: no gradient flows from its results to its inputs or weights, so nothing before it can learn through it. */
  gradient?: false;
  /** Of a layer over steps, where a step of its result knows of later steps as it is set and wired: the setting that keeps it from that. */
  lookahead?(params: Values<P>, wired: ReadonlySet<string>): { name: string; value: boolean } | null;
  /** It draws new numbers on every pass, also outside training, so no two passes give the same. */
  random?: true;
  /** The parameter that sets the size of the last axis of its result, such as Linear's `out_features`. */
  widthParam?: string;
  /** The line under the node's name: `32 filters, 3×3, same`. */
  summary(params: Values<P>): string;
  infer(params: Values<P>, inputs: InputsOf<I, TensorType>, bodies: BodyTypes, node: Node): Inferred;
  lower(
    params: Values<P>,
    inputs: InputsOf<I, Value>,
    b: ProgramBuilder,
    types: { inputs: InputsOf<I, TensorType>; outputs: { [port: string]: TensorType } },
    node: Node,
  ): { [port: string]: Value };
  onnx(
    params: Values<P>,
    inputs: InputsOf<I, OnnxValue>,
    b: OnnxBuilder,
    types: { inputs: InputsOf<I, TensorType>; outputs: { [port: string]: TensorType } },
    node: Node,
  ): { [port: string]: string };
  torch(params: Values<P>, types: { inputs: InputsOf<I, TensorType>; outputs: { [port: string]: TensorType } }, node: Node): TorchCode;
  /** Absent: no multiply-adds of its own, and the sum of its bodies. `bodies` holds those of one run of each body. */
  cost?(params: Values<P>, types: { inputs: InputsOf<I, TensorType>; outputs: { [port: string]: TensorType } }, bodies: { [role: string]: Cost }): Cost;
  /** The contract test tries every promise on each. Shapes with numbers only; a bare shape is float32. */
  examples: Example<Values<P>>[];
};

export type Example<V> = {
  params?: Partial<V>;
  inputs: { [port: string]: TensorType | TensorType[] | Shape };
  bodies?: { [role: string]: Body };
  /** The numbers on these ports, where random ones would not do. */
  values?: { [port: string]: number[] };
  /** The numbers of its float32 inputs lie between 0 and 1, as Log and Sqrt need. */
  positive?: true;
};

/** Fills in `outputs: { y }` where a layer says none, and keeps its own types of params and ports. */
export function defineLayer<P extends Params, const I extends InputPorts>(layer: Omit<Layer<P, I>, "outputs"> & { outputs?: OutputPorts }): Layer<P, I> {
  return sayRecord({ outputs: { y: { doc: "The result." } }, ...layer });
}

/** The ports of a node, whether its layer fixes them or its bodies do. */
export function portsOf(layer: Layer, node: Node): { inputs: InputPorts; outputs: OutputPorts } {
  return layer.ports?.(node) ?? layer;
}

/** The bodies that a node of this layer holds, by role, in order. */
export function bodiesOf(layer: Layer, node: Node): { [role: string]: BodyRole } {
  const { bodies = {} } = layer;
  return layer.roles ? Object.fromEntries(layer.roles(node).flatMap((role) => (bodies[role] ? [[role, bodies[role]]] : []))) : bodies;
}

/** Whether a wire of this dtype may go into the port. */
export function accepts({ dtype = "float32" }: InputPort, given: Dtype): boolean {
  return dtype === "any" || dtype === given || (Array.isArray(dtype) && dtype.includes(given));
}

/** What a port takes, in words: `float32 or int64`. */
export function acceptedDtypes({ dtype = "float32" }: InputPort): string {
  return typeof dtype === "string" ? dtype : dtype.join(" or ");
}

/** A float32 tensor of this shape. */
export function float32(shape: Shape): TensorType {
  return { dtype: "float32", shape };
}

/** Which axis `dim` means, where negative numbers count from the end; null where there is none. */
export function axisOf(dim: number, rank: number): number | null {
  const axis = dim < 0 ? dim + rank : dim;
  return axis >= 0 && axis < rank ? axis : null;
}

/** Numbers in one sample of a tensor whose first axis is the batch; symbolic sizes count as 1. */
export function countPerSample(shape: Shape): number {
  return shape.slice(1).reduce<number>((count, dim) => count * evaluate(dim, 1), 1);
}

/** Writes an ONNX node of one output and gives its name. */
export function onnxNode(b: OnnxBuilder, op: string, inputs: (string | null)[], attributes?: { [name: string]: OnnxAttribute }): string {
  return b.node(op, inputs, attributes)[0] ?? "";
}

/** An int64 vector for ONNX's Reshape and Expand: numbers, and sizes of `x` asked at run time. */
export function onnxSizes(b: OnnxBuilder, sizes: (number | { of: string; axis: number })[]): string {
  if (sizes.every((size) => typeof size === "number")) return b.constant(sizes, [sizes.length], "int64");
  const parts = sizes.map((size) =>
    typeof size === "number" ? b.constant([size], [1], "int64") : (b.node("Shape", [size.of], { start: size.axis, end: size.axis + 1 })[0] ?? ""),
  );
  return parts.length === 1 ? (parts[0] ?? "") : (b.node("Concat", parts, { axis: 0 })[0] ?? "");
}

/** What a new body starts with: its input x, these layers one below the other, its output y. */
export function startBody(...layers: { type: string; params?: Node["params"] }[]): Body {
  const types = ["input", ...layers.map(({ type }) => type), "output"];
  const nodes = types.map(
    (type, i): Node => ({ id: `${type}_${types.slice(0, i + 1).filter((other) => other === type).length}`, type, params: layers[i - 1]?.params ?? {}, at: { x: 0, y: i * 96 } }),
  );
  const edges = nodes.slice(1).map(({ id }, i) => ({ id: `wire_${i + 1}`, from: { node: nodes[i]?.id ?? "", port: "y" }, to: { node: id, port: "x" } }));
  return { nodes, edges };
}

/** Whether a tensor holds exactly one number, as conditions and counts do. */
export function isOneElement({ shape }: TensorType): boolean {
  return shape.every((size) => size === 1);
}

/** Whether two tensors surely have the same dtype and sizes. */
export function isSameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);
}
