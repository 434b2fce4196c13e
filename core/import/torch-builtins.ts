import { multiply } from "../graph/dims.ts";
import { say } from "../language/say.ts";
import { applyFunction, binary } from "./torch-arithmetic.ts";
import { getAttribute, setAttribute } from "./torch-attributes.ts";
import { foldSizes, isTrue, itemsOf, list, plainOf, refuseItem } from "./torch-convert.ts";
import { MODULES } from "./torch-modules.ts";
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
  Method,
  Module,
  nameModule,
  ParameterValue,
  Scope,
  Sequence,
  SizeValue,
  TensorValue,
  UserFunction,
  type Value,
} from "./torch-values.ts";

/** Names that Python knows by itself. */
export const BUILTINS = new Set(
  "range len int float bool str list tuple dict reversed enumerate zip sum min max abs round pow isinstance callable hasattr getattr setattr all any sorted print super object property staticmethod".split(
    " ",
  ),
);

/** A call of what Python, `torch`, `math` or `numpy` brings, by its path. */
export function callBuiltin(r: Reading, path: string, args: Value[], named: Map<string, Value>): Value {
  const [first = null, second = null] = args;
  if (path.startsWith("torch.nn.init.")) return first;
  if (path.startsWith("torch.nn.functional.")) return applyFunction(r, path.slice("torch.nn.functional.".length), args, named);
  if (path.startsWith("torch.nn.")) return makeModule(r, path.slice("torch.nn.".length), args, named);
  if (path.startsWith("torch.utils.checkpoint")) return r.call(first, args.slice(1), new Map());
  if (path.startsWith("torch.")) return applyFunction(r, path.split(".").at(-1) ?? "", args, named);
  if (path.startsWith("math.") || path.startsWith("numpy.")) return callMath(r, path.split(".").at(-1) ?? "", args);
  if (path.endsWith("OrderedDict")) {
    const pairs = first instanceof Sequence ? first.items : [];
    return new Dict(new Map(pairs.map((pair) => [plainOf(itemsOf(r, pair)[0] ?? null), itemsOf(r, pair)[1] ?? null])));
  }
  switch (path) {
    case "range": {
      const [start, stop, step] = [args.length > 1 ? first : 0, args.length > 1 ? second : first, args[2] ?? 1];
      if (typeof start !== "number" || typeof stop !== "number" || typeof step !== "number" || step === 0)
        throw new Unreadable(say("The number of turns is known only while the model runs. Draw a Repeat or ForEachStep zone for such a loop."));
      const count = Math.max(0, Math.ceil((stop - start) / step));
      if (count > 10_000) throw new Unreadable(say("A loop of {count} turns is too long to be written out.", { count }));
      return list(Array.from({ length: count }, (_, i) => start + i * step));
    }
    case "len":
      return itemsOf(r, first).length;
    case "int":
      return typeof first === "number"
        ? Math.trunc(first)
        : typeof first === "boolean"
          ? Number(first)
          : first instanceof SizeValue
            ? first
            : typeof first === "string"
              ? Number(first)
              : refuseItem();
    case "float":
      return typeof first === "string"
        ? /inf/i.test(first)
          ? first.trim().startsWith("-")
            ? -Infinity
            : Infinity
          : Number(first)
        : typeof first === "number"
          ? first
          : refuseItem();
    case "bool":
      return isTrue(first);
    case "str":
      return typeof first === "string" ? first : String(plainOf(first));
    case "list":
    case "tuple":
      return new Sequence(path, args.length > 0 ? [...itemsOf(r, first)] : []);
    case "dict":
      return new Dict(new Map(named));
    case "reversed":
      return list([...itemsOf(r, first)].reverse());
    case "enumerate": {
      const start = typeof (named.get("start") ?? second) === "number" ? Number(named.get("start") ?? second) : 0;
      return list(itemsOf(r, first).map((item, i) => new Sequence("tuple", [i + start, item])));
    }
    case "zip": {
      const lists = args.map((item) => itemsOf(r, item));
      return list(
        Array.from(
          { length: Math.min(...lists.map(({ length }) => length)) },
          (_, i) =>
            new Sequence(
              "tuple",
              lists.map((items) => items[i] ?? null),
            ),
        ),
      );
    }
    case "sum":
      return itemsOf(r, first).reduce((total, item) => binary(r, "+", total, item), second ?? 0);
    case "min":
    case "max": {
      const numbers = (args.length > 1 ? args : itemsOf(r, first)).map((item) => (typeof item === "number" ? item : refuseItem()));
      return Math[path](...numbers);
    }
    case "abs":
    case "round":
    case "pow":
      if (typeof first === "number") return path === "pow" ? first ** Number(second) : path === "abs" ? Math.abs(first) : Math.round(first);
      return applyFunction(r, path, args, named);
    case "isinstance":
      return isInstance(first, second);
    case "callable":
      return first instanceof UserFunction || first instanceof Class || first instanceof Builtin || first instanceof Module || first instanceof Method;
    case "hasattr":
      return first instanceof Instance && typeof second === "string" && (first.attributes.has(second) || first.class.find(second) !== undefined);
    case "getattr":
      if (typeof second !== "string") throw new Unreadable("getattr needs a name that is known.");
      if (args.length > 2 && first instanceof Instance && !first.attributes.has(second) && !first.class.find(second)) return args[2] ?? null;
      return getAttribute(r, first, second);
    case "setattr":
      if (typeof second === "string") setAttribute(r, first, second, args[2] ?? null);
      return null;
    case "all":
    case "any":
      return itemsOf(r, first)[path === "all" ? "every" : "some"]((item) => isTrue(item));
    case "sorted":
      return list([...itemsOf(r, first)].sort((a, b) => Number(a) - Number(b)));
    case "print":
      return null;
    case "functools.partial":
    case "partial":
      return new UserFunction(
        {
          kind: "function",
          line: r.line,
          name: "partial",
          parameters: [
            { name: "args", star: "*", fallback: null },
            { name: "named", star: "**", fallback: null },
          ],
          body: [
            {
              kind: "return",
              line: r.line,
              value: {
                kind: "call",
                line: r.line,
                callee: { kind: "name", line: r.line, name: "made" },
                args: [
                  { name: null, star: "*", value: { kind: "name", line: r.line, name: "first" } },
                  { name: null, star: "*", value: { kind: "name", line: r.line, name: "args" } },
                  { name: null, star: "**", value: { kind: "name", line: r.line, name: "known" } },
                  { name: null, star: "**", value: { kind: "name", line: r.line, name: "named" } },
                ],
              },
            },
          ],
          decorators: [],
        },
        scopeOf({ made: first, first: list(args.slice(1)), known: new Dict(new Map(named)) }),
      );
  }
  throw new Unreadable(say("{path} is not read here.", { path }));
}

function scopeOf(names: { [name: string]: Value }): Scope {
  const scope = new Scope(null);
  for (const [name, value] of Object.entries(names)) scope.names.set(name, value);
  return scope;
}

function callMath(_r: Reading, name: string, args: Value[]): Value {
  const numbers = args.map((arg) => (typeof arg === "number" ? arg : arg instanceof Sequence ? Number(foldSizes(arg.items, multiply, 1)) : refuseItem()));
  const [a = 0, b = 0] = numbers;
  const known: { [name: string]: number } = {
    sqrt: Math.sqrt(a),
    log: numbers.length > 1 ? Math.log(a) / Math.log(b) : Math.log(a),
    log2: Math.log2(a),
    exp: Math.exp(a),
    ceil: Math.ceil(a),
    floor: Math.floor(a),
    pow: a ** b,
    prod: a,
    sin: Math.sin(a),
    cos: Math.cos(a),
    fabs: Math.abs(a),
  };
  const value = Object.hasOwn(known, name) ? known[name] : undefined;
  if (value === undefined) throw new Unreadable(say("{name} of numbers is not read here.", { name }));
  return value;
}

function makeModule(r: Reading, name: string, args: Value[], named: Map<string, Value>): Value {
  const [first = null] = args;
  if (name === "Sequential") {
    if (first instanceof Dict && args.length === 1)
      return new Container(
        "Sequential",
        [...first.entries].map(([key, value]) => [String(key), value]),
      );
    return new Container(
      "Sequential",
      args.map((part, i) => [String(i), part]),
    );
  }
  if (name === "ModuleList")
    return new Container(
      "ModuleList",
      (args.length > 0 ? itemsOf(r, first) : []).map((part, i) => [String(i), part]),
    );
  if (name === "ModuleDict" || name === "ParameterDict") {
    const entries = first instanceof Dict ? [...first.entries] : [];
    for (const [key, value] of entries) if (value instanceof ParameterValue) nameModule(value, String(key));
    return name === "ParameterDict"
      ? new Dict(new Map(entries))
      : new Container(
          "ModuleDict",
          entries.map(([key, value]) => [String(key), value]),
        );
  }
  if (name === "Parameter" || name === "parameter.Parameter" || name === "Buffer") {
    if (first instanceof ConstantTensor) return named.get("requires_grad") === false ? first : new ParameterValue(first);
    throw new Unreadable(say("A parameter is made of numbers that are known: torch.zeros, torch.ones, torch.randn, torch.empty."));
  }
  if (name === "TransformerEncoder" || name === "TransformerDecoder") {
    const layer = first ?? named.get("encoder_layer") ?? named.get("decoder_layer");
    const count = args[1] ?? named.get("num_layers");
    const norm = args[2] ?? named.get("norm") ?? null;
    if (!(layer instanceof Module) || typeof count !== "number") throw new Unreadable(`nn.${name} is read with one of PyTorch's own layers and a number of them.`);
    const rule = { ...layer.rule, type: name === "TransformerEncoder" ? "transformer_encoder" : "transformer_decoder", args: [...layer.rule.args, "num_layers", "norm"] };
    return new Module(name, rule, layer.positional, new Map([...layer.named, ["num_layers", count] as const, ["norm", norm !== null] as const]));
  }
  if (name.includes("generate_square_subsequent_mask")) {
    if (typeof first === "number") return new CausalMask(first);
    if (first instanceof SizeValue) return new CausalMask(first.dim);
  }
  const rule = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined;
  if (!rule) throw new Unreadable(`nn.${name} is not among the layers here.`);
  return new Module(
    `nn.${name}`,
    rule,
    args.map((value) => plainOf(value)),
    new Map([...named].filter(([, value]) => !(value instanceof DtypeValue)).map(([key, value]) => [key, plainOf(value)])),
  );
}

function isInstance(value: Value, wanted: Value): boolean {
  if (wanted instanceof Sequence) return wanted.items.some((one) => isInstance(value, one));
  if (wanted instanceof Class) {
    const extendsIt = (made: Class): boolean => made === wanted || made.bases.some((base) => base instanceof Class && extendsIt(base));
    return value instanceof Instance && extendsIt(value.class);
  }
  if (!(wanted instanceof Builtin)) return false;
  if (wanted.path === "int") return typeof value === "number" && Number.isInteger(value);
  if (wanted.path === "float") return typeof value === "number";
  if (wanted.path === "str") return typeof value === "string";
  if (wanted.path === "list" || wanted.path === "tuple") return value instanceof Sequence && value.type === wanted.path;
  if (wanted.path === "dict") return value instanceof Dict;
  if (wanted.path === "torch.Tensor") return value instanceof TensorValue || value instanceof ConstantTensor;
  if (wanted.path === "torch.nn.Module") return value instanceof Module || value instanceof Instance || value instanceof Container;
  return value instanceof Module && `torch.${value.name}` === wanted.path;
}
