import type { Json } from "../graph/document.ts";
import { say } from "../language/say.ts";
import { decodeTensor, dtypeOf } from "./constants.ts";
import { boundaryName, Drawing, Undrawable } from "./drawing.ts";
import { foldConstants, isFoldable } from "./onnx-fold.ts";
import { operators } from "./onnx-operators.ts";
import { type FileGraph, type FileNode, type FileValue, ONNX_TYPES, OnnxError, quote } from "./onnx-proto.ts";
import { type Known, known, Reading, type Surroundings } from "./onnx-reading.ts";
import type { Inside, Read } from "./onnx-zones.ts";

/** One thing of a file that no layer here can say. */
export type Unsupported = { op: string; node: string; why: string };

export type Lifted = { drawing: Drawing; notes: string[] } | { unsupported: Unsupported[] };

/** Something inside a node's sub-graphs that no layer can say. */
class UndrawableInside extends Undrawable {
  readonly list: Unsupported[];
  constructor(list: Unsupported[]) {
    super(say("Something inside it could not be read."));
    this.list = list;
  }
}

/** What is around a sub-graph. */
type Outer = Inside & { fixedBatch: number | null; valueOf: (name: string) => Known };

/** Networks that halve images and double them again need sizes that halve so often. */
const MULTIPLES = [1, 2, 4, 8, 16, 32, 64];

/**
 * Reads an ONNX graph operator by operator into layers. Either all of it can be said with layers, or the answer lists everything that
 * cannot. Where shapes fit only for multiples of some size, which a file does not say, its free sizes become the least such multiples.
 * @throws OnnxError where the graph itself is not sound
 */
export function liftOnnx(graph: FileGraph, opset: number): Lifted {
  const first = new Lift(graph, opset, 1);
  const answer = first.run();
  if ("drawing" in answer || !first.hasFreeSizes) return answer;
  for (const multiple of MULTIPLES.slice(1)) {
    const again = new Lift(graph, opset, multiple).run();
    if ("drawing" in again) return again;
  }
  return answer;
}

class Lift {
  readonly #graph: FileGraph;
  readonly #drawing: Drawing;
  readonly #values = new Map<string, Known>();
  readonly #makers = new Map<string, FileNode>();
  readonly #uses = new Map<string, number>();
  /** Why a node could not be read; null where only its inputs are to blame. */
  readonly #failures = new Map<FileNode, string | null>();
  readonly #notes: string[] = [];
  readonly #around: Surroundings;
  /** What could not be read in the sub-graphs of a node. */
  readonly #failedInside = new Map<FileNode, Unsupported[]>();
  /** Of a sub-graph: what is around it. */
  readonly #outer: Outer | null;

  /** Whether an input has a size besides the batch that is known only at run time. */
  hasFreeSizes = false;
  readonly #multiple: number;

  constructor(graph: FileGraph, opset: number, multiple: number, outer: Outer | null = null) {
    this.#graph = graph;
    this.#multiple = multiple;
    this.#outer = outer;
    this.#drawing = outer?.drawing ?? new Drawing();
    const batches = this.#ownInputs().map(({ shape }) => shape?.[0] ?? null);
    this.#around = {
      drawing: this.#drawing,
      opset,
      inputs: [],
      fixedBatch: outer ? outer.fixedBatch : typeof batches[0] === "number" && batches[0] > 0 ? batches[0] : null,
      valueOf: (name) => this.#valueOf(name),
      makerOf: (name) => this.#makers.get(name) ?? null,
      usesOf: (name) => this.#uses.get(name) ?? 0,
      inside: (inside) => new Lift(inside.graph, opset, multiple, { ...inside, fixedBatch: this.#around.fixedBatch, valueOf: (name) => this.#valueOf(name) }).runInside(),
      merged: new Map(),
    };
  }

  /** Reads a sub-graph, all of it or nothing. @throws UndrawableInside */
  runInside(): Read {
    for (const tensor of this.#graph.initializers) this.#values.set(tensor.name, known.constant(decodeTensor(tensor), tensor.name));
    for (const node of this.#readOrder()) this.#read(node);
    const outputs = this.#graph.outputs.map(({ name }) => ({ name, value: this.#valueOf(name) }));
    const failed = outputs.filter(({ value }) => value.kind === "failed").map(({ name }) => name);
    if (failed.length > 0) throw new UndrawableInside(this.#blame(failed));
    // Only how it holds constants is asked of this reading.
    const reading = new Reading({ name: this.#graph.name, op: "", domain: "", inputs: [], outputs: [], attributes: new Map() }, this.#around);
    return { outputs: outputs.map(({ value }) => value), asWire: (value) => reading.asWire(value) };
  }

  run(): Lifted {
    const nodes = this.#readOrder();
    const inputProblems = this.#drawInputs();
    for (const node of nodes) this.#read(node);
    const problems = [...inputProblems, ...this.#drawOutputs()];
    if (problems.length > 0) return { unsupported: problems };
    if (this.#around.fixedBatch !== null && this.#around.fixedBatch > 1) {
      this.#notes.push(`The file fixes the batch at ${this.#around.fixedBatch} samples; here it is free.`);
    }
    if (this.#multiple > 1) this.#notes.push(`Sizes known only at run time must be multiples of ${this.#multiple}: other shapes do not fit together in this network.`);
    return { drawing: this.#drawing, notes: this.#notes };
  }

  /** Inputs that are not merely the declaration of a weight. */
  #ownInputs(): FileValue[] {
    const weights = new Set(this.#graph.initializers.map(({ name }) => name));
    return this.#graph.inputs.filter(({ name }) => !weights.has(name));
  }

  #valueOf(name: string): Known {
    const value = this.#values.get(name) ?? this.#valueFromOutside(name);
    if (value) this.#values.set(name, value);
    return value ?? { kind: "failed" };
  }

  /** Of a sub-graph: one of its arguments, or a value from around it, which comes in by a port of the zone. */
  #valueFromOutside(name: string): Known | null {
    if (!this.#outer || this.#makers.has(name)) return null;
    const argument = this.#outer.args[this.#graph.inputs.findIndex((input) => input.name === name)];
    if (argument) return argument();
    const value = this.#outer.valueOf(name);
    return value.kind === "wire" ? known.wire(this.#drawing.argument(this.#outer.ports.of(name, value.wire), value.wire.type)) : value;
  }

  /** The nodes in the order in which they run. @throws OnnxError where a value has no source, two, or one that needs itself */
  #readOrder(): FileNode[] {
    const { nodes, initializers, inputs, outputs } = this.#graph;
    const sources = new Set<string>();
    const declare = (name: string, what: string) => {
      if (sources.has(name)) throw new OnnxError("ONNX_GRAPH", say("The value {name} has two sources{what}.", { name: quote(name), what }));
      sources.add(name);
    };
    for (const { name } of initializers) declare(name, "");
    for (const { name } of inputs) if (!sources.has(name)) declare(name, "");
    for (const node of nodes) {
      for (const output of node.outputs) {
        if (output === "") continue;
        declare(output, `; one is the ${node.op} ${quote(node.name)}`);
        this.#makers.set(output, node);
      }
    }
    const waiting = new Map<FileNode, number>();
    const readers = new Map<string, FileNode[]>();
    for (const node of nodes) {
      const needed = new Set([...node.inputs, ...outerValues(node)].filter((input) => input !== ""));
      for (const input of needed) {
        // What a sub-graph reads from around it was looked for there.
        if (!sources.has(input) && this.#outer === null)
          throw new OnnxError("ONNX_GRAPH", say("{op} {name} reads {input}, which nothing gives.", { op: node.op, name: quote(node.name), input: quote(input) }));
        this.#uses.set(input, (this.#uses.get(input) ?? 0) + 1);
      }
      const open = [...needed].filter((input) => this.#makers.has(input));
      waiting.set(node, open.length);
      for (const input of open) {
        const list = readers.get(input);
        if (list) list.push(node);
        else readers.set(input, [node]);
      }
    }
    for (const { name } of outputs) {
      if (!sources.has(name)) throw new OnnxError("ONNX_GRAPH", say("The output {name} is given by nothing.", { name: quote(name) }));
      this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    }
    const order: FileNode[] = nodes.filter((node) => waiting.get(node) === 0);
    for (let i = 0; i < order.length; i++) {
      for (const output of order[i]?.outputs ?? []) {
        for (const reader of readers.get(output) ?? []) {
          const left = (waiting.get(reader) ?? 0) - 1;
          waiting.set(reader, left);
          if (left === 0) order.push(reader);
        }
      }
    }
    if (order.length < nodes.length) {
      const stuck = nodes.find((node) => !order.includes(node));
      throw new OnnxError("ONNX_GRAPH", say("The graph runs in a circle through {op} {name}.", { op: String(stuck?.op), name: quote(stuck?.name ?? "") }));
    }
    return order;
  }

  #drawInputs(): Unsupported[] {
    for (const tensor of this.#graph.initializers) this.#values.set(tensor.name, known.constant(decodeTensor(tensor), tensor.name));
    const symbols = new Symbols();
    const taken = new Set<string>();
    return this.#ownInputs().flatMap(({ name, type, shape }) => {
      const refuse = (why: string): Unsupported[] => [{ op: "input", node: name, why }];
      const dtype = type === null ? null : dtypeOf(type);
      if (type === null || shape === null) return refuse(say("The file does not say its type and number of axes."));
      if (dtype === null || dtype === "bool") return refuse(say("Its type is {value}; inputs here are float32, int64 or uint8.", { value: ONNX_TYPES[type]?.name ?? type }));
      if (shape.length === 0) return refuse(say("It is a single number without a batch axis."));
      const sizes = shape.slice(1).map((size, i) => {
        if (typeof size === "number" && size > 0) return size;
        this.hasFreeSizes = true;
        const symbol = symbols.of(size, i + 1, shape.length);
        return this.#multiple === 1 ? symbol : `${this.#multiple}*${symbol}`;
      });
      const label = unique(boundaryName(name, "x"), taken);
      if (label !== name) this.#notes.push(`The input ${quote(name)} is called ${label} here.`);
      try {
        const wire = this.#drawing.draw("input", { shape: sizes as Json[], dtype }, {}, label === "x" ? {} : { name: label });
        this.#values.set(name, known.wire(wire));
        this.#around.inputs.push(wire);
        return [];
      } catch (error) {
        if (error instanceof Undrawable) return refuse(error.message);
        throw error;
      }
    });
  }

  #read(node: FileNode): void {
    const outputs = node.outputs.map((): Known => ({ kind: "failed" }));
    try {
      const reading = new Reading(node, this.#around);
      if (node.inputs.some((input) => input !== "" && this.#valueOf(input).kind === "failed")) {
        // A pattern may still begin further up; else those inputs are to blame.
        this.#failures.set(node, operators[keyOf(node)] || isFoldable(keyOf(node)) ? null : reasonFor(node));
        return;
      }
      const folded = node.domain === "" ? foldConstants(reading) : null;
      if (!folded && !operators[keyOf(node)]) {
        this.#failures.set(node, reasonFor(node));
        return;
      }
      const results = folded ?? operators[keyOf(node)]?.(reading) ?? [];
      for (const [i, result] of [results].flat().entries()) outputs[i] = result;
    } catch (error) {
      if (!(error instanceof Undrawable)) throw error;
      this.#failures.set(node, error instanceof UndrawableInside ? null : error.message);
      if (error instanceof UndrawableInside) this.#failedInside.set(node, error.list);
    } finally {
      for (const [i, name] of node.outputs.entries()) if (name !== "") this.#values.set(name, outputs[i] ?? { kind: "failed" });
    }
  }

  #drawOutputs(): Unsupported[] {
    const problems: Unsupported[] = [];
    const taken = new Set<string>();
    const failed: string[] = [];
    for (const { name } of this.#graph.outputs) {
      const value = this.#valueOf(name);
      const label = unique(boundaryName(name, "y"), taken);
      if (label !== name) this.#notes.push(`The output ${quote(name)} is called ${label} here.`);
      if (value.kind === "wire") this.#drawing.add("output", {}, { x: value.wire }, label === "y" ? {} : { name: label });
      else if (value.kind === "failed") failed.push(name);
      else problems.push({ op: "output", node: name, why: say("It does not depend on any input.") });
    }
    return [...problems, ...this.#blame(failed)];
  }

  /** The nodes on which these values depend and that could not be read. */
  #blame(names: string[]): Unsupported[] {
    const seen = new Set<FileNode>();
    const found: Unsupported[] = [];
    const open = [...names];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const node = this.#makers.get(name);
      if (!node || seen.has(node)) continue;
      seen.add(node);
      const why = this.#failures.get(node);
      if (why) found.push({ op: keyOf(node), node: node.name || (node.outputs[0] ?? ""), why });
      found.push(...(this.#failedInside.get(node) ?? []).toReversed());
      open.push(...[...node.inputs, ...outerValues(node)].filter((input) => input !== "" && this.#valueOf(input).kind === "failed"));
      // A node that was read but leaves this very output unread.
      if (why === undefined)
        found.push({ op: keyOf(node), node: node.name || (node.outputs[0] ?? ""), why: say("Its result {name} is not one that can be had here.", { name: quote(name) }) });
    }
    return found.reverse();
  }
}

/** `Conv`, `com.microsoft.FusedConv`. */
function keyOf({ domain, op }: FileNode): string {
  return domain === "" ? op : `${domain}.${op}`;
}

function reasonFor({ domain }: FileNode): string {
  if (domain !== "") return say("Operators of {domain} are not read.", { domain: quote(domain) });
  return say("No layer here says what it does.");
}

/** Values from outside that a node's sub-graphs read. */
function outerValues(node: FileNode): string[] {
  return [...node.attributes.values()].flatMap(({ graph }) => {
    if (!graph) return [];
    const inside = new Set([...graph.inputs, ...graph.initializers].map(({ name }) => name));
    for (const { outputs } of graph.nodes) for (const output of outputs) inside.add(output);
    return graph.nodes.flatMap((inner) => [...inner.inputs, ...outerValues(inner)]).filter((name) => name !== "" && !inside.has(name));
  });
}

function unique(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted.slice(0, 60)}_${i}`;
  taken.add(name);
  return name;
}

/** Letters for sizes known only at run time: the file's own where they can stand, else H and W of images, T of sequences. */
class Symbols {
  readonly #known = new Map<string, string>();
  readonly #taken = new Set(["B"]);

  of(size: number | string | null, axis: number, rank: number): string {
    const text = typeof size === "string" && size !== "" ? size : null;
    const before = text === null ? undefined : this.#known.get(text);
    if (before) return before;
    const usual = rank === 4 ? ["C", "H", "W"][axis - 1] : rank === 3 || rank === 2 ? ["T", "F"][axis - 1] : undefined;
    const candidates = [...(text && /^[A-Z]\w{0,7}$/.test(text) ? [text] : []), ...(usual ? [usual] : []), ..."TSLMNKPQ"];
    let symbol = candidates.find((candidate) => !this.#taken.has(candidate));
    for (let i = 1; symbol === undefined; i++) symbol = this.#taken.has(`D${i}`) ? undefined : `D${i}`;
    this.#taken.add(symbol);
    if (text !== null) this.#known.set(text, symbol);
    return symbol;
  }
}
