import { ONNX_DTYPES } from "../export/onnx-proto.ts";
import type { Dim, Dtype, Shape, TensorType } from "../graph/shape.ts";
import type { BuilderArg, BuilderSize, OnnxAttribute, OnnxBuilder, OnnxValue, ProgramBuilder, Value } from "../layers/kit.ts";
import type { PyText } from "./python.ts";
import { lowerSize, onnxSize, printSize } from "./sizes.ts";

/** A tensor in an expression: an input of it, or a result of a step. */
export type Tensor = { kind: "tensor"; type: TensorType; from: { input: string } | { step: Step; index: number } };

/**
 * What a part of an expression may be. `number` is a number of Python's, which bends to the dtype of the tensor it meets; `size` is
 * a whole number known only at run time.
 */
export type Item =
  | Tensor
  | { kind: "number"; value: number; dtype: "float32" | "int64" | "bool" }
  | { kind: "size"; dim: string }
  | { kind: "tuple"; items: Item[] }
  | { kind: "text"; value: string }
  | { kind: "dtype"; dtype: Dtype }
  | { kind: "none" }
  | { kind: "rest" };

/** One operation on tensors, with what it is to the engine, to ONNX and to PyTorch. */
export type Step = {
  /** What the text calls its result. */
  name?: string;
  /** Of a step that is nothing but a number. */
  constant?: number;
  inputs: Tensor[];
  types: TensorType[];
  lower(e: EngineWriter, args: Value[]): Value | Value[];
  onnx(o: OnnxWriter, args: string[]): string | string[];
  /** Other tensors than `inputs` that Python's code is made of, where that says in one word what the step puts together. */
  torchInputs?: Tensor[];
  /** A tuple's text where there are several results. */
  torch(t: PyWriter, args: PyText[]): PyText | string;
  /** Of one sample, every symbolic size counting as 1. */
  multiplyAdds?: number;
};

/** Writes ops of the engine for one step. */
export class EngineWriter {
  readonly b: ProgramBuilder;
  readonly inputs: { readonly [name: string]: Value };
  private readonly types: TensorType[];

  constructor(b: ProgramBuilder, inputs: { readonly [name: string]: Value }, types: TensorType[]) {
    this.b = b;
    this.inputs = inputs;
    this.types = types;
  }

  /** The result has the step's type where none is given. */
  call(op: string, args: BuilderArg[], type: TensorType = this.type): Value {
    return this.b.call(op, args, type);
  }

  get type(): TensorType {
    const [type] = this.types;
    if (!type) throw new Error("A step has a result.");
    return type;
  }

  size = (dim: Dim): number | BuilderSize => (typeof dim === "number" ? dim : lowerSize(dim, this.inputs, this.b));

  sizes(shape: Shape): { ints: (number | BuilderSize)[] } {
    return { ints: shape.map(this.size) };
  }

  cast(x: Value, dtype: Dtype): Value {
    return x.type.dtype === dtype ? x : this.call("aten::to.dtype", [x, dtype], { dtype, shape: x.type.shape });
  }

  scalar(value: number, dtype: Dtype): Value {
    const type = { dtype, shape: [] };
    if (Number.isFinite(value)) return this.call("aten::scalar_tensor", [value, dtype], type);
    // A program is JSON, which has no word for these: 1/0, -(1/0) and log(-1).
    const start = this.call("aten::scalar_tensor", [Number.isNaN(value) ? -1 : 0, dtype], type);
    if (Number.isNaN(value)) return this.call("aten::log", [start], type);
    const infinity = this.call("aten::reciprocal", [start], type);
    return value > 0 ? infinity : this.call("aten::neg", [infinity], type);
  }
}

/** Writes ONNX nodes for one step. */
export class OnnxWriter {
  readonly b: OnnxBuilder;
  private readonly inputs: { readonly [name: string]: OnnxValue };

  constructor(b: OnnxBuilder, inputs: { readonly [name: string]: OnnxValue }) {
    this.b = b;
    this.inputs = inputs;
  }

  op(name: string, inputs: (string | null)[], attributes?: { [name: string]: OnnxAttribute }): string {
    return this.b.node(name, inputs, attributes)[0] ?? "";
  }

  /** One number of this dtype. */
  c(value: number, dtype: Dtype = "float32"): string {
    return this.b.constant([value], [], dtype);
  }

  ints(values: readonly number[]): string {
    return this.b.constant([...values], [values.length], "int64");
  }

  cast(x: string, from: Dtype, to: Dtype): string {
    return from === to ? x : this.op("Cast", [x], { to: ONNX_DTYPES[to] });
  }

  /** A size as a vector of one number. */
  size = (dim: Dim): string => onnxSize(dim, this.inputs, this.b);

  /** Sizes as one vector. */
  sizes(shape: Shape): string {
    if (shape.every((dim) => typeof dim === "number")) return this.ints(shape);
    const parts = shape.map(this.size);
    return parts.length === 1 ? (parts[0] ?? "") : this.op("Concat", parts, { axis: 0 });
  }
}

/** Writes Python for one step. */
export class PyWriter {
  private readonly inputs: { readonly [name: string]: string };
  private readonly shapes: { readonly [name: string]: Shape };

  constructor(inputs: { readonly [name: string]: string }, shapes: { readonly [name: string]: Shape }) {
    this.inputs = inputs;
    this.shapes = shapes;
  }

  size = (dim: Dim): PyText => printSize(dim, this.inputs, this.shapes);

  /** `, device=x.device`: what is made anew goes where the inputs are. */
  device(): string {
    const [first] = Object.values(this.inputs);
    return first === undefined ? "" : `, device=${first}.device`;
  }

  /** `2, x.shape[1]`: sizes between commas. */
  sizes(shape: Shape): string {
    return shape.map((dim) => this.size(dim).code).join(", ");
  }
}

/** `torch.float32` and the like. */
export function torchDtype(dtype: Dtype): string {
  return `torch.${dtype}`;
}
