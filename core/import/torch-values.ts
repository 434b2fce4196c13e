import type { Node } from "../graph/document.ts";
import type { Dim, Dtype } from "../graph/shape.ts";
import type { Drawing, Wire } from "./drawing.ts";
import type { Statement } from "./python.ts";
import type { ModuleRule, Plain } from "./torch-modules.ts";

/** What Python names stand for while a model's code is read. */
export type Value =
  | Plain
  | TensorValue
  | ConstantTensor
  | SizeValue
  | Sequence
  | Dict
  | Module
  | Container
  | Instance
  | Class
  | UserFunction
  | Method
  | Builtin
  | DtypeValue
  | ParameterValue
  | CausalMask
  | Training
  | Poison;

/** A tensor that flows along a wire of the drawing at hand. */
export class TensorValue {
  readonly wire: Wire;
  constructor(wire: Wire) {
    this.wire = wire;
  }
}

/** A tensor made of numbers in the code: `torch.zeros(2, n)`, `torch.tensor([1, 2])`. It becomes a node only where it is needed. */
export class ConstantTensor {
  readonly sizes: Dim[];
  readonly values: number | number[];
  readonly dtype: Dtype;
  /** How a parameter of it would begin. */
  readonly init: string;
  constructor(sizes: Dim[], values: number | number[], dtype: Dtype = "float32", init = values === 1 ? "ones" : "zeros") {
    this.sizes = sizes;
    this.values = values;
    this.dtype = dtype;
    this.init = init;
  }
}

/** A size known only at run time. */
export class SizeValue {
  readonly dim: Dim;
  constructor(dim: Dim) {
    this.dim = dim;
  }
}

export class Sequence {
  readonly type: "tuple" | "list";
  readonly items: Value[];
  constructor(type: "tuple" | "list", items: Value[]) {
    this.type = type;
    this.items = items;
  }
}

export class Dict {
  readonly entries: Map<Plain, Value>;
  constructor(entries: Map<Plain, Value>) {
    this.entries = entries;
  }
}

/** One of `torch.nn`'s modules with its arguments. `id` is what it is called in the module that owns it. */
export class Module {
  readonly name: string;
  readonly rule: ModuleRule;
  readonly positional: Plain[];
  readonly named: Map<string, Plain>;
  id: string | null = null;
  /** Where it was drawn first: other calls use the same weights. */
  drawnAt: string | null = null;
  /** The module whose weights it was given. */
  tiedTo: Module | null = null;
  /** Nodes that are to use its weights and were drawn before it. */
  readonly waiting: Node[] = [];
  constructor(name: string, rule: ModuleRule, positional: Plain[], named: Map<string, Plain>) {
    this.name = name;
    this.rule = rule;
    this.positional = positional;
    this.named = named;
  }
}

/** Sequential, ModuleList, ModuleDict. */
export class Container {
  readonly kind: "Sequential" | "ModuleList" | "ModuleDict";
  readonly items: [name: string, value: Value][];
  #id: string | null = null;
  constructor(kind: Container["kind"], items: [string, Value][]) {
    this.kind = kind;
    this.items = items;
  }

  get id(): string | null {
    return this.#id;
  }

  /** Parts are named by their place in it. */
  set id(id: string | null) {
    this.#id = id;
    for (const [name, value] of this.items) nameModule(value, id === null ? name : `${id}_${name}`);
  }

  add(name: string, value: Value): void {
    this.items.push([name, value]);
    if (this.#id !== null) nameModule(value, `${this.#id}_${name}`);
  }
}

/** An object of a class in the code. */
export class Instance {
  readonly class: Class;
  readonly attributes = new Map<string, Value>();
  id: string | null = null;
  constructor(made: Class) {
    this.class = made;
  }
}

export class Class {
  readonly name: string;
  readonly bases: Value[];
  readonly members: Map<string, Value>;
  readonly doc: string;
  readonly line: number;
  constructor(name: string, bases: Value[], members: Map<string, Value>, doc: string, line: number) {
    this.name = name;
    this.bases = bases;
    this.members = members;
    this.doc = doc;
    this.line = line;
  }

  find(name: string): Value | undefined {
    const own = this.members.get(name);
    if (own !== undefined) return own;
    for (const base of this.bases) {
      const found = base instanceof Class ? base.find(name) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether it is a module: it, or a class that it extends, extends `nn.Module`. */
  get isModule(): boolean {
    return this.bases.some((base) => (base instanceof Class ? base.isModule : base instanceof Builtin && base.path.startsWith("torch.nn.")));
  }
}

export class Scope {
  readonly names = new Map<string, Value>();
  readonly outer: Scope | null;
  constructor(outer: Scope | null) {
    this.outer = outer;
  }
  find(name: string): Value | undefined {
    return this.names.has(name) ? this.names.get(name) : this.outer?.find(name);
  }
}

export class UserFunction {
  readonly definition: Extract<Statement, { kind: "function" }>;
  readonly scope: Scope;
  /** The class it stands in, for `super()`. */
  owner: Class | null = null;
  constructor(definition: Extract<Statement, { kind: "function" }>, scope: Scope) {
    this.definition = definition;
    this.scope = scope;
  }
}

/** A function with its first argument. */
export class Method {
  readonly self: Value;
  readonly function: UserFunction | string;
  constructor(self: Value, made: UserFunction | string) {
    this.self = self;
    this.function = made;
  }
}

/** A name of PyTorch's or Python's own, by its full path: `torch.nn.Linear`, `len`. */
export class Builtin {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

export class DtypeValue {
  readonly dtype: Dtype | null;
  constructor(dtype: Dtype | null) {
    this.dtype = dtype;
  }
}

/** `nn.Parameter`. It becomes one node in each body that reads it. */
export class ParameterValue {
  readonly tensor: ConstantTensor;
  id: string | null = null;
  drawnAt: string | null = null;
  readonly wires = new Map<Drawing, Wire>();
  constructor(tensor: ConstantTensor) {
    this.tensor = tensor;
  }
}

/** A square mask that is true above the diagonal. */
export class CausalMask {
  readonly size: Dim;
  constructor(size: Dim) {
    this.size = size;
  }
}

/** `self.training` */
export class Training {
  readonly isTraining = null;
}

/** What could not be read; what is made of it is not read either, without another word. */
export class Poison {
  readonly isPoison = true;
}

/** Gives a module its name in its owner, unless it has one. */
export function nameModule(value: Value, id: string): void {
  if ((value instanceof Module || value instanceof Container || value instanceof Instance || value instanceof ParameterValue) && value.id === null) value.id = id;
}

/** Python's word for what a value is. */
export function kindOf(value: Value): string {
  if (value === null) return "None";
  if (typeof value === "number" || value instanceof SizeValue) return "a number";
  if (typeof value === "string") return "a text";
  if (typeof value === "boolean" || value instanceof Training) return "a truth value";
  if (value instanceof TensorValue || value instanceof ConstantTensor || value instanceof ParameterValue || value instanceof CausalMask) return "a tensor";
  if (value instanceof Sequence || Array.isArray(value)) return "a list";
  if (value instanceof Dict) return "a dict";
  if (value instanceof Module || value instanceof Container || value instanceof Instance) return "a module";
  if (value instanceof Class) return `the class ${value.name}`;
  if (value instanceof Builtin) return value.path;
  return "something else";
}
