import type { Dtype } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { Expr } from "./python.ts";
import { applyFunction } from "./torch-arithmetic.ts";
import { fromPlain, itemsOf, shapeOf, sizesOf } from "./torch-convert.ts";
import { type Reading, Unreadable } from "./torch-reading.ts";
import {
  Builtin,
  CausalMask,
  Class,
  ConstantTensor,
  Container,
  Dict,
  DtypeValue,
  Instance,
  kindOf,
  Method,
  Module,
  nameModule,
  ParameterValue,
  type Scope,
  Sequence,
  TensorValue,
  Training,
  UserFunction,
  type Value,
} from "./torch-values.ts";

const MODULE_METHODS = new Set(
  "register_buffer add_module register_module register_parameter modules parameters named_parameters named_modules children named_children buffers apply to eval train forward cuda cpu requires_grad_ float".split(
    " ",
  ),
);

const CONTAINER_METHODS = new Set("append extend add_module forward items keys values children update modules parameters apply".split(" "));

const DTYPES: { [name: string]: Dtype } = {
  float: "float32",
  float32: "float32",
  long: "int64",
  int64: "int64",
  int: "int64",
  int32: "int64",
  bool: "bool",
  uint8: "uint8",
};

/** `object.name`. */
export function getAttribute(r: Reading, object: Value, name: string): Value {
  if (object instanceof Builtin) {
    const path = tidyPath(`${object.path}.${name}`);
    if (path.startsWith("torch.") && Object.hasOwn(DTYPES, name)) return new DtypeValue(DTYPES[name] ?? null);
    if (path === "math.pi") return Math.PI;
    if (path === "math.inf" || path === "torch.inf") return Infinity;
    return new Builtin(path);
  }
  if (object instanceof Instance) {
    if (object.attributes.has(name)) return object.attributes.get(name) ?? null;
    if (name === "training") return new Training();
    const found = object.class.find(name);
    if (found instanceof UserFunction) {
      if (found.definition.decorators.some((decorator) => decorator.kind === "name" && decorator.name === "staticmethod")) return found;
      if (found.definition.decorators.some((decorator) => decorator.kind === "name" && decorator.name === "property")) return r.call(found, [object], new Map());
      return new Method(object, found);
    }
    if (found !== undefined) return found;
    if (MODULE_METHODS.has(name) || name === "__class__") return new Method(object, name);
    throw new Unreadable(`self has no ${name}: it is not set in __init__.`);
  }
  if (object instanceof TensorValue || object instanceof ConstantTensor || object instanceof ParameterValue || object instanceof CausalMask) {
    if (name === "device" || name === "data") return name === "data" ? object : null;
    if (name === "shape") return shapeOf(object);
    if (name === "ndim") return sizesOf(object).length;
    if (name === "dtype") return new DtypeValue(object instanceof TensorValue ? object.wire.type.dtype : object instanceof ConstantTensor ? object.dtype : "float32");
    if (name === "T" || name === "mT") return applyFunction(r, "transpose", [object, -2, -1], new Map());
    return new Method(object, name);
  }
  if (object instanceof Module) {
    const value = object.named.get(name) ?? object.positional[object.rule.args.indexOf(name)];
    if (value !== undefined) return fromPlain(value);
    return new Method(object, name);
  }
  if (object instanceof Class) {
    const found = object.find(name);
    if (found !== undefined) return found;
    if (name === "__name__") return object.name;
  }
  if (object instanceof Container && object.kind === "ModuleDict" && !CONTAINER_METHODS.has(name)) {
    const found = object.items.find(([key]) => key === name);
    if (found) return found[1];
  }
  if (object instanceof Container || object instanceof Sequence || object instanceof Dict || object instanceof Method || typeof object === "string")
    return new Method(object, name);
  throw new Unreadable(say("{object} has no {name}.", { object: kindOf(object), name }));
}

/** `object.name = value`. */
export function setAttribute(_r: Reading, object: Value, name: string, value: Value): void {
  if (object instanceof Instance) {
    object.attributes.set(name, value);
    nameModule(value, name);
    // A list of modules is no container for PyTorch, but forward may go through it all the same.
    if (value instanceof Sequence) for (const [i, item] of value.items.entries()) nameModule(item, `${name}_${i}`);
  } else if (object instanceof Module && value instanceof Method && value.self instanceof Module) {
    // `self.decoder.weight = self.encoder.weight`: tied weights.
    object.tiedTo = value.self;
  } else if (object instanceof Module || object instanceof Container || object instanceof ConstantTensor || object instanceof ParameterValue) {
    // `bias.data`, `requires_grad` and the like say nothing about what is computed.
  } else throw new Unreadable(say("Nothing can be kept in {object}.", { object: kindOf(object) }));
}

/** `target = value`, with all that Python takes for a target. */
export function assign(r: Reading, target: Expr, value: Value, scope: Scope): void {
  if (target.kind === "name") scope.names.set(target.name, value);
  else if (target.kind === "sequence") {
    const items = itemsOf(r, value);
    const star = target.items.findIndex(({ kind }) => kind === "starred");
    if (star === -1 ? items.length !== target.items.length : items.length < target.items.length - 1)
      throw new Unreadable(say("Here are {count} names for {count2} values.", { count: target.items.length, count2: items.length }));
    const extra = items.length - target.items.length + 1;
    for (const [i, part] of target.items.entries()) {
      if (part.kind === "starred") assign(r, part.value, new Sequence("list", items.slice(i, i + extra)), scope);
      else assign(r, part, items[star !== -1 && i > star ? i + extra - 1 : i] ?? null, scope);
    }
  } else if (target.kind === "attribute") setAttribute(r, r.evaluate(target.object, scope), target.name, value);
  else if (target.kind === "index") {
    const object = r.evaluate(target.object, scope);
    const [item] = target.items;
    const key = item && item.kind !== "slice" ? r.evaluate(item, scope) : null;
    if (object instanceof Dict && (typeof key === "string" || typeof key === "number")) object.entries.set(key, value);
    else if (object instanceof Sequence && typeof key === "number") object.items[key < 0 ? key + object.items.length : key] = value;
    else if (object instanceof Container && typeof key === "string") object.add(key, value);
    else throw new Unreadable("Parts of a tensor cannot be assigned; make a new one, with torch.where or torch.cat.");
  } else throw new Unreadable(say("Nothing can be assigned to this."));
}

/** `nn` and `F` are what they are usually short for. */
export function tidyPath(path: string): string {
  return path.replace(/^torch\.nn\.modules\.\w+\./, "torch.nn.").replace(/^np(?=\.|$)/, "numpy");
}
