import { type Tensor, tensorOf } from "../export/tensor.ts";
import type { Json } from "../graph/document.ts";
import type { Dim } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { Inputs } from "../layers/kit.ts";
import { decodeTensor, numbersOf, scalarOf } from "./constants.ts";
import { type Drawing, Undrawable, type Wire } from "./drawing.ts";
import { type FileAttribute, type FileGraph, type FileNode, OnnxError, quote } from "./onnx-proto.ts";
import type { Inside, Read } from "./onnx-zones.ts";

/** What is known of an ONNX value: numbers in the file, sizes worked out from shapes, a wire, or nothing because of what came before. */
export type Known = { kind: "constant"; tensor: Tensor; name: string } | { kind: "sizes"; sizes: Dim[]; isScalar: boolean } | { kind: "wire"; wire: Wire } | { kind: "failed" };

export const known = {
  wire: (wire: Wire): Known => ({ kind: "wire", wire }),
  constant: (tensor: Tensor, name = ""): Known => ({ kind: "constant", tensor, name }),
  sizes: (sizes: Dim[], isScalar = false): Known => ({ kind: "sizes", sizes, isScalar }),
};

/** What the rules may ask of the graph around a node. */
export type Surroundings = {
  drawing: Drawing;
  opset: number;
  /** The wires of the model's inputs. */
  inputs: Wire[];
  /** The batch size that the file fixes on its inputs; null where it is free. */
  fixedBatch: number | null;
  valueOf(name: string): Known;
  /** The node that makes a value; null for inputs and constants. */
  makerOf(name: string): FileNode | null;
  /** How many nodes and outputs read a value. */
  usesOf(name: string): number;
  /** Reads a sub-graph into a drawing of its own. @throws UndrawableInside */
  inside(inside: Inside): Read;
  /** Wires with the axes of a recurrent layer's sequence merged, by the names of the values that still have them apart. */
  merged: Map<string, { wire: Wire; form: "time, directions, batch" | "time, batch, directions" }>;
};

/** One ONNX node while it is read: its attributes and inputs in the forms that rules need, and the drawing. */
export class Reading {
  readonly node: FileNode;
  readonly around: Surroundings;

  constructor(node: FileNode, around: Surroundings) {
    this.node = node;
    this.around = around;
  }

  get op(): string {
    return this.node.op;
  }

  get opset(): number {
    return this.around.opset;
  }

  /** @throws Undrawable */
  refuse(why: string): never {
    throw new Undrawable(why);
  }

  /** @throws OnnxError ONNX_ATTRIBUTE where the attribute is of another kind */
  #attribute<K extends keyof FileAttribute>(name: string, kind: K): NonNullable<FileAttribute[K]> | undefined {
    const attribute = this.node.attributes.get(name);
    if (!attribute) return undefined;
    const value = attribute[kind];
    if (value === undefined || value === null)
      throw new OnnxError(
        "ONNX_ATTRIBUTE",
        say("The attribute {name} of {op} {name2} is not {kind}.", { name: quote(name), op: this.op, name2: quote(this.node.name), kind: articleOf(kind) }),
      );
    return value as NonNullable<FileAttribute[K]>;
  }

  int(name: string, fallback: number): number {
    return this.#attribute(name, "int") ?? fallback;
  }

  float(name: string, fallback: number): number {
    const value = this.#attribute(name, "float");
    return value === undefined ? fallback : tidyFloat(value);
  }

  text(name: string, fallback: string): string {
    const bytes = this.#attribute(name, "text");
    return bytes ? new TextDecoder().decode(bytes) : fallback;
  }

  /** A list of texts; empty where it is not given. */
  texts(name: string): string[] {
    return (this.node.attributes.get(name)?.texts ?? []).map((bytes) => new TextDecoder().decode(bytes));
  }

  /** A tensor attribute, where it is given. */
  tensor(name: string): Tensor | null {
    const tensor = this.#attribute(name, "tensor");
    return tensor ? decodeTensor(tensor) : null;
  }

  /** A sub-graph, as control flow has. @throws OnnxError ONNX_ATTRIBUTE where there is none */
  graph(name: string): FileGraph {
    const graph = this.#attribute(name, "graph");
    if (!graph) throw new OnnxError("ONNX_ATTRIBUTE", say("{op} {name} has no {name2}.", { op: this.op, name: quote(this.node.name), name2: name }));
    return graph;
  }

  ints(name: string): number[] | null {
    const attribute = this.node.attributes.get(name);
    // An empty list has no field that says what it is a list of.
    if (attribute && Object.keys(attribute).length === 0) return [];
    return this.#attribute(name, "ints") ?? null;
  }

  floats(name: string): number[] | null {
    return this.#attribute(name, "floats") ?? null;
  }

  /** A list with a number for each of `count` axes. @throws OnnxError ONNX_ATTRIBUTE */
  perAxis(name: string, count: number, fallback: number): number[] {
    const values = this.ints(name);
    if (values === null) return Array<number>(count).fill(fallback);
    if (values.length !== count)
      throw new OnnxError(
        "ONNX_ATTRIBUTE",
        say("{op} {name} works along {count} axes, but its {name2} has {count2} numbers.", { op: this.op, name: quote(this.node.name), count, name2: name, count2: values.length }),
      );
    return values;
  }

  has(i: number): boolean {
    return Boolean(this.node.inputs[i]);
  }

  input(i: number): Known | null {
    const name = this.node.inputs[i];
    return name ? this.around.valueOf(name) : null;
  }

  /** The input as a wire; a constant becomes a node that holds it. */
  wire(i: number): Wire {
    const value = this.input(i);
    if (!value) this.refuse(`its input ${i + 1} is left out.`);
    return this.asWire(value);
  }

  asWire(value: Known): Wire {
    if (value.kind === "wire") return value.wire;
    if (value.kind === "constant") return this.hold(value.tensor, value.name);
    if (value.kind === "sizes") this.refuse("it computes with the sizes of a tensor, which are known here only where a shape is set.");
    this.refuse("one of its inputs could not be read.");
  }

  /** A node that holds a constant: whole numbers and truth values as they are, floats as a parameter of the model. */
  hold(tensor: Tensor, name: string): Wire {
    if (tensor.dtype === "uint8") this.refuse("it takes a constant of bytes as data, which no node here holds.");
    if (tensor.dtype !== "float32") return this.draw("constant", { values: numbersOf(tensor), shape: tensor.shape, dtype: tensor.dtype }, {});
    return this.draw("parameter", { shape: tensor.shape }, {}, { name: labelOf(name), weights: { "": tensor } });
  }

  constant(i: number): Tensor | null {
    const value = this.input(i);
    if (value?.kind === "constant") return value.tensor;
    if (value?.kind === "sizes" && value.sizes.every((size) => typeof size === "number")) return tensorOf("int64", value.isScalar ? [] : [value.sizes.length], value.sizes);
    return null;
  }

  /** A constant that must be one. */
  need(i: number, what: string): Tensor {
    return this.constant(i) ?? this.refuse(`its ${what} is computed while the model runs; it must be a constant.`);
  }

  scalar(i: number): number | null {
    const tensor = this.constant(i);
    return tensor && scalarOf(tensor);
  }

  numbers(i: number): number[] | null {
    const tensor = this.constant(i);
    return tensor && numbersOf(tensor);
  }

  /** Sizes, where the input is a short list of whole numbers or was worked out from shapes. */
  sizes(i: number): Dim[] | null {
    const value = this.input(i);
    if (value?.kind === "sizes") return value.sizes;
    if (value?.kind !== "constant" || value.tensor.dtype === "float32" || value.tensor.data.length > 64) return null;
    return numbersOf(value.tensor);
  }

  /** Axes as an attribute (older files) or as an input; null where not given. */
  axes(input: number, rank: number): number[] | null {
    const axes = this.ints("axes") ?? (this.has(input) ? numbersOf(this.need(input, "list of axes")) : null);
    return axes?.map((axis) => this.axis(axis, rank)) ?? null;
  }

  axis(axis: number, rank: number): number {
    const from = axis < 0 ? axis + rank : axis;
    if (from < 0 || from >= rank)
      throw new OnnxError("ONNX_ATTRIBUTE", say("{op} {name} names the axis {axis} of a tensor with {rank}.", { op: this.op, name: quote(this.node.name), axis, rank }));
    return from;
  }

  draw(type: string, params: { [name: string]: Json }, inputs: Inputs<Wire>, options: { name?: string; weights?: { [name: string]: Tensor } } = {}): Wire {
    return this.around.drawing.draw(type, params, inputs, options);
  }

  /** The node that makes this value, where it is of this kind. */
  made(value: string | undefined, op: string): FileNode | null {
    const node = value ? this.around.makerOf(value) : null;
    return node?.op === op && node.domain === "" ? node : null;
  }

  /** The number that a value holds, where it is one known number. */
  numberAt(value: string | undefined): number | null {
    const found = value ? this.around.valueOf(value) : null;
    return found?.kind === "constant" ? scalarOf(found.tensor) : null;
  }

  /** What a person called the layer: the name of its weight without `.weight`, where that is a name and not a number. */
  label(i: number): string | undefined {
    const value = this.input(i);
    return value?.kind === "constant" ? labelOf(value.name) : undefined;
  }
}

function articleOf(kind: string): string {
  return (
    { int: "a whole number", float: "a number", text: "a text", tensor: "a tensor", graph: "a graph", floats: "a list of numbers", ints: "a list of whole numbers" }[kind] ?? kind
  );
}

/** A float32 as people wrote it: 9.999999747378752e-6 is 1e-5. */
export function tidyFloat(value: number): number {
  const tidy = Number(value.toPrecision(7));
  return Math.fround(tidy) === Math.fround(value) ? tidy : value;
}

/** `features.0` of `features.0.weight`; nothing of names that an exporter made up. */
export function labelOf(name: string): string | undefined {
  const [, label] = /^([A-Za-z_][\w.-]*)\.(?:weight|bias|weight_ih_l0|running_mean)$/.exec(name) ?? [];
  return label;
}

/** What one ONNX operator is in layers: its outputs in order. Throws Undrawable with the reason where layers cannot say it. */
export type Rule = (r: Reading) => Known | Known[];
