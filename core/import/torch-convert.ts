import type { Json } from "../graph/document.ts";
import type { Dim } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { Inputs } from "../layers/kit.ts";
import type { Drawn, Wire } from "./drawing.ts";
import type { Plain } from "./torch-modules.ts";
import { type Reading, Unreadable } from "./torch-reading.ts";
import { Builtin, CausalMask, ConstantTensor, Container, Dict, kindOf, Module, ParameterValue, Sequence, SizeValue, TensorValue, Training, type Value } from "./torch-values.ts";

/** A value as a wire: constants and parameters become nodes of the drawing at hand. */
export function wireOf(r: Reading, value: Value): Wire {
  if (value instanceof TensorValue) return value.wire;
  if (value instanceof ParameterValue) {
    const known = value.wires.get(r.drawing);
    if (known) return known;
    const shape = value.tensor.sizes.map((size) => (typeof size === "number" ? size : refuseItem()));
    const id = r.drawing.freeId(value.id ?? "parameter");
    const tie = value.drawnAt ? { weightsOf: `/${value.drawnAt}` } : {};
    const wire = r.drawing.draw("parameter", { shape, init: value.tensor.init }, {}, { id, ...tie });
    value.drawnAt ??= [...r.path.flatMap((step) => [step, "body"]), id].join("/");
    value.wires.set(r.drawing, wire);
    return wire;
  }
  if (value instanceof ConstantTensor) {
    const letters = value.sizes.filter((size) => typeof size === "string");
    const { dtype, sizes, values } = value;
    if (typeof values === "number" && (values === 0 || values === 1)) {
      const like = letters.length > 0 ? r.inputs.find(({ type }) => letters.every((letter) => type.shape.includes(letter))) : undefined;
      return r.drawing.draw(values === 0 ? "zeros" : "ones", { shape: sizes as Json[], dtype: dtype === "uint8" ? "int64" : dtype }, like ? { like } : {});
    }
    const shape = sizes.map((size) => (typeof size === "number" ? size : refuseItem()));
    const count = shape.reduce((product, size) => product * size, 1);
    return r.drawing.draw("constant", { values: typeof values === "number" ? Array<number>(count).fill(values) : values, shape, dtype: dtype === "uint8" ? "int64" : dtype }, {});
  }
  if (value instanceof CausalMask) {
    const like = r.inputs.find(({ type }) => type.shape[1] === value.size);
    if (like) return r.drawing.draw("causal_mask", {}, { x: like });
  }
  if (typeof value === "number") return r.drawing.draw("constant", { values: [value], shape: [] }, {});
  throw new Unreadable(say("A tensor is needed, but this is {kind}.", { kind: kindOf(value) }));
}

/** Adds a node; one of a module is called as it is, and uses the weights of its first call, or of the module that its weights are tied to. */
export function addNode(r: Reading, type: string, params: { [name: string]: Json }, inputs: Inputs<Wire>, { module }: { module?: Module } = {}): Drawn {
  const id = module?.id ? r.drawing.freeId(module.id) : undefined;
  const owner = module?.tiedTo ?? module;
  const drawn = r.drawing.add(type, params, inputs, { ...(id ? { id } : {}), ...(owner?.drawnAt ? { weightsOf: `/${owner.drawnAt}` } : {}) });
  if (owner && owner !== module && owner.drawnAt === null) owner.waiting.push(drawn.node);
  if (module && module.drawnAt === null) {
    module.drawnAt = [...r.path.flatMap((step) => [step, "body"]), drawn.node.id].join("/");
    for (const node of module.waiting) node.weightsOf = `/${module.drawnAt}`;
  }
  return drawn;
}

/** A value as a layer's parameter takes it. */
export function plainOf(value: Value): Plain {
  if (value === null || typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
  if (value instanceof Sequence) return value.items.map((item) => plainOf(item));
  if (Array.isArray(value)) return value;
  // A function where PyTorch takes its name: `activation=F.gelu`.
  if (value instanceof Builtin) return value.path.split(".").at(-1) ?? "";
  if (value instanceof Module && value.positional.length === 0) return value.name.replace("nn.", "").toLowerCase();
  if (value instanceof Training) return true;
  if (value instanceof SizeValue) throw new Unreadable(say("This must be a number that is known, but it is a size known only while the model runs."));
  throw new Unreadable(say("A plain number, text or list is needed, but this is {kind}.", { kind: kindOf(value) }));
}

/** The shape of a tensor. */
export function sizesOf(value: Value): Dim[] {
  if (value instanceof TensorValue) return value.wire.type.shape;
  if (value instanceof ConstantTensor) return value.sizes;
  if (value instanceof ParameterValue) return value.tensor.sizes;
  if (value instanceof CausalMask) return [value.size, value.size];
  throw new Unreadable(say("{kind} has no shape.", { kind: kindOf(value) }));
}

/** `x.shape`. */
export function shapeOf(value: Value): Sequence {
  return new Sequence("tuple", sizesOf(value).map(sizeOf));
}

/** What a loop over a value goes through. */
export function itemsOf(r: Reading, value: Value): Value[] {
  if (value instanceof Sequence) return value.items;
  if (value instanceof Container) return value.kind === "ModuleDict" ? value.items.map(([key]) => key) : value.items.map(([, item]) => item);
  if (value instanceof Dict) return [...value.entries.keys()].map(fromPlain);
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value === "string") return [...value];
  if (value instanceof TensorValue) {
    const [first] = value.wire.type.shape;
    if (typeof first === "number" && first <= 64)
      return Array.from({ length: first }, (_, index) => new TensorValue(r.drawing.draw("select", { dim: 0, index }, { x: value.wire })));
    throw new Unreadable(say("A loop over a tensor whose length is known only while the model runs is not read. Draw a ForEachStep zone for it."));
  }
  throw new Unreadable(say("One cannot go through {kind}.", { kind: kindOf(value) }));
}

/** What an `if` makes of a value. */
export function isTrue(value: Value): boolean {
  if (value instanceof TensorValue)
    throw new Unreadable(say("What the code does next depends on numbers that are known only while the model runs. Draw an If or While zone for it."));
  if (value instanceof Training) return false;
  if (value instanceof Sequence) return value.items.length > 0;
  if (value instanceof Container) return value.items.length > 0;
  if (value instanceof Dict) return value.entries.size > 0;
  if (value instanceof SizeValue) throw new Unreadable(say("What the code does next depends on a size that is known only while the model runs."));
  return Boolean(value) || (typeof value === "object" && value !== null);
}

/** Refuses a number that only the running model knows. */
export function refuseItem(): never {
  throw new Unreadable(say("A number that is read out of a tensor while the model runs cannot steer the code. Use torch.where, or draw a zone."));
}

/** Sizes in one: their product, their sum. */
export function foldSizes(items: Value[], f: (a: Dim, b: Dim) => Dim, start: Dim): Value {
  return sizeOf(items.reduce<Dim>((total, item) => f(total, dimOf(item) ?? 1), start));
}

/** A Python list. */
export function list(items: Value[]): Sequence {
  return new Sequence("list", items);
}

/** A layer's parameter as a value of the code. */
export function fromPlain(value: Plain): Value {
  return Array.isArray(value) ? new Sequence("tuple", value.map(fromPlain)) : value;
}

/** A size as a value: a number where it is known. */
export function sizeOf(dim: Dim): Value {
  return typeof dim === "number" ? dim : new SizeValue(dim);
}

/** A value as a size; null where it is none. */
export function dimOf(value: Value): Dim | null {
  return typeof value === "number" ? value : value instanceof SizeValue ? value.dim : null;
}
