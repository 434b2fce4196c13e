import type { Arg, Init } from "../program/program.ts";
import type { Dtype, Shape, TensorType } from "../graph/shape.ts";
import type { Json } from "../graph/document.ts";
import type { Params, Values } from "./params.ts";

/** Palette sections, in the order shown; each has its colour in `app/ui/tokens.css`. */
export const CATEGORIES = ["io", "convolution", "linear", "activation", "normalization", "pooling", "sequence", "attention", "shape", "math", "regularization", "control"] as const;
export type Category = (typeof CATEGORIES)[number];

/** A port a wire can go into. `optional` ports may stay empty; a `many` port takes any number of wires, kept in edge order. */
export type InputPort = { doc: string; dtype?: Dtype | "any"; optional?: boolean; many?: boolean };
export type OutputPort = { doc: string };

/** A value while lowering: a program value with its type. */
export type Value = { id: number; type: TensorType };

/** What a layer says about itself once its inputs are known. */
export type Inferred =
  | { outputs: { [port: string]: TensorType }; weights?: { [name: string]: WeightPlan } }
  | { problem: string; port?: string; hint?: string; fixes?: Fix[] };

/** A weight the layer owns, by PyTorch's state_dict name. Buffers are `trainable: false`. Order is PyTorch's order of creation. */
export type WeightPlan = { shape: number[]; init: Init; trainable?: boolean; dtype?: Dtype };

/** An edit that would mend a problem, ranked best first. `insert` puts a new node on the wire into `port`. */
export type Fix =
  | { kind: "insert"; label: string; type: string; params: { [name: string]: Json }; port: string }
  | { kind: "set-param"; label: string; name: string; value: Json };

/** Multiply-adds of one forward pass for one sample; parameters follow from the weights. */
export type Cost = { multiplyAdds: number };

/** Inputs by port; `many` ports hold arrays, empty optional ports are absent. */
export type Inputs<T> = { [port: string]: T | T[] | undefined };

/** Writes program ops while a layer is lowered. `call` returns the first result; `calls` returns `count` of them. */
export type ProgramBuilder = {
  call(op: string, args: BuilderArg[], type: TensorType): Value;
  calls(op: string, args: BuilderArg[], types: TensorType[]): Value[];
  weight(name: string): Value;
};
/** `Value` and `Value[]` may stand where an Arg does. */
export type BuilderArg = Arg | Value | Value[] | { ints: (number | { size: [Value, number] })[] };

/** Writes ONNX nodes (opset of `export/onnx.ts`). Names are made unique by the builder. */
export type OnnxBuilder = {
  node(op: string, inputs: (string | null)[], attributes?: { [name: string]: OnnxAttribute }, outputCount?: number): string[];
  /** A constant tensor; ints become int64. */
  constant(data: number[], shape: number[], dtype: Dtype): string;
  /** The initializer of one of the layer's weights. */
  weight(name: string): string;
};
export type OnnxAttribute = number | string | number[] | { float: number } | { floats: number[] };

/** PyTorch code of a layer: what to make in `__init__` (absent: nothing) and the expression in `forward`. */
export type TorchCode = {
  /** `nn.Linear(784, 128)`; its attribute is named by the node. */
  module?: string;
  /** Assigned in order to the output ports. `self_` is `self.<attribute>`, `inputs` are variable names. */
  forward: (self_: string, inputs: Inputs<string>) => string;
};

/** A kind of node, said once. The palette, inspector, checks, training, exports and docs are all derived from this record. */
export type Layer<P extends Params = Params> = {
  type: string;
  title: string;
  category: Category;
  /** One sentence: what it does and why one would want it. */
  doc: string;
  source?: string;
  /** Words a person might search for instead of the title. */
  keywords?: string[];
  params: P;
  inputs: { [port: string]: InputPort };
  outputs: { [port: string]: OutputPort };
  /** Roles of the bodies a zone or block holds. Those layers are lowered by `core/program/lower.ts` through `control`. */
  bodies?: readonly string[];
  /** The line under the node's name: `32 filters, 3×3, same`. */
  summary: (params: Values<P>) => string;
  infer: (params: Values<P>, inputs: Inputs<TensorType>) => Inferred;
  lower: (params: Values<P>, inputs: Inputs<Value>, b: ProgramBuilder, types: { outputs: { [port: string]: TensorType } }) => { [port: string]: Value };
  onnx: (params: Values<P>, inputs: Inputs<{ name: string; type: TensorType }>, b: OnnxBuilder, types: { outputs: { [port: string]: TensorType } }) => { [port: string]: string };
  torch: (params: Values<P>, types: { inputs: Inputs<TensorType>; outputs: { [port: string]: TensorType } }) => TorchCode;
  cost?: (params: Values<P>, types: { inputs: Inputs<TensorType>; outputs: { [port: string]: TensorType } }) => Cost;
  /** The contract test tries every promise on each. Shapes with numbers only. */
  examples: { params?: Partial<Values<P>>; inputs: { [port: string]: TensorType | TensorType[] | Shape } }[];
};

/** Fills in `outputs: { y }` where a layer says none, and keeps parameter types while hiding them from the registry. */
export function defineLayer<P extends Params>(layer: Omit<Layer<P>, "outputs"> & { outputs?: Layer["outputs"] }): Layer<P> {
  return { outputs: { y: { doc: "The result." } }, ...layer };
}
