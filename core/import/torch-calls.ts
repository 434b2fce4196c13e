import { multiply } from "../graph/dims.ts";
import type { Dim } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { Inputs } from "../layers/kit.ts";
import { boundaryName, Drawing, type Wire } from "./drawing.ts";
import { applyFunction } from "./torch-arithmetic.ts";
import { setAttribute } from "./torch-attributes.ts";
import { callBuiltin } from "./torch-builtins.ts";
import { addNode, foldSizes, fromPlain, itemsOf, list, plainOf, refuseItem, shapeOf, sizeOf, sizesOf, wireOf } from "./torch-convert.ts";
import { mismatch, readModuleArgs } from "./torch-modules.ts";
import { Poisoned, type Reading, Unreadable } from "./torch-reading.ts";
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
  ParameterValue,
  Poison,
  Scope,
  Sequence,
  TensorValue,
  UserFunction,
  type Value,
} from "./torch-values.ts";

/** Where an instance of a class that extends Sequential keeps its parts. */
const PARTS = "*parts*";

/** Ports of the memory that recurrent layers start with. */
const STATES: { [type: string]: readonly string[] | undefined } = { lstm: ["h0", "c0"], gru: ["h0"], rnn: ["h0"], lstm_cell: ["h", "c"], gru_cell: ["h"], rnn_cell: ["h"] };

/** Named arguments of calls that are ports under another name. */
const PORTS: { [name: string]: string | undefined } = {
  key_padding_mask: "key_padding_mask",
  attn_mask: "attn_mask",
  src_key_padding_mask: "src_key_padding_mask",
  memory_key_padding_mask: "memory_key_padding_mask",
  tgt: "x",
  src: "x",
  memory: "memory",
};

/** What a call gives, whatever it is that is called. */
export function callValue(r: Reading, called: Value, args: Value[], named: Map<string, Value>): Value {
  if (called instanceof UserFunction) return callFunction(r, called, args, named);
  if (called instanceof Method) return callMethod(r, called, args, named);
  if (called instanceof Class) return construct(r, called, args, named);
  if (called instanceof Instance) return callInstance(r, called, args, named);
  if (called instanceof Module) return callModule(r, called, args, named);
  if (called instanceof Container) {
    if (called.kind !== "Sequential") throw new Unreadable(`An nn.${called.kind} cannot be called; go through its parts.`);
    return called.items.reduce((value, [, part]) => r.call(part, value instanceof Sequence ? value.items : [value], new Map()), args[0] ?? null);
  }
  if (called instanceof Builtin) return callBuiltin(r, called.path, args, named);
  if (called instanceof DtypeValue) return args[0] ?? null;
  throw new Unreadable(say("{called} cannot be called.", { called: kindOf(called) }));
}

function callFunction(r: Reading, called: UserFunction, args: Value[], named: Map<string, Value>): Value {
  const { definition, scope, owner } = called;
  const local = new Scope(scope);
  if (owner) local.names.set("__class__", owner);
  const rest = new Map(named);
  let at = 0;
  for (const { name, star, fallback } of definition.parameters) {
    if (star === "*") {
      local.names.set(name, new Sequence("tuple", args.slice(at)));
      at = args.length;
    } else if (star === "**") {
      local.names.set(name, new Dict(new Map(rest)));
      rest.clear();
    } else if (at < args.length) local.names.set(name, args[at++] ?? null);
    else if (rest.has(name)) {
      local.names.set(name, rest.get(name) ?? null);
      rest.delete(name);
    } else if (fallback) local.names.set(name, r.evaluate(fallback, scope));
    else
      throw new Unreadable(
        say("{model} needs the argument {name}. Give it a default, as in {name}=10.", { model: definition.name === "__init__" ? say("The model") : definition.name, name }),
        definition.name === "__init__" ? definition.line : null,
      );
  }
  if (at < args.length)
    throw new Unreadable(say("{name} takes {count} arguments, and here are {count2}.", { name: definition.name, count: definition.parameters.length, count2: args.length }));
  const [unknown] = rest.keys();
  if (unknown !== undefined) throw new Unreadable(say("{name} has no argument {unknown}.", { name: definition.name, unknown }));
  const done = r.block(definition.body, local);
  const value = done.kind === "return" ? done.value : null;
  if (value instanceof Poison) throw new Poisoned();
  return value;
}

function construct(r: Reading, made: Class, args: Value[], named: Map<string, Value>): Value {
  const instance = new Instance(made);
  const init = made.find("__init__");
  if (init instanceof UserFunction) callFunction(r, init, [instance, ...args], named);
  const base = baseOf(made);
  // A class that extends Sequential is one.
  if (base === "torch.nn.Sequential" && !made.find("forward")) {
    const parts = instance.attributes.get(PARTS);
    if (parts instanceof Container) return parts;
  }
  return instance;
}

/** A module of the code's own becomes a block, with its forward drawn inside. */
function callInstance(r: Reading, instance: Instance, args: Value[], named: Map<string, Value>): Value {
  const forward = instance.class.find("forward") ?? instance.class.find("__call__");
  if (!(forward instanceof UserFunction)) throw new Unreadable(say("The class {name} has no forward.", { name: instance.class.name }));
  if (!instance.class.isModule) return callFunction(r, forward, [instance, ...args], named);
  const outer = { drawing: r.drawing, inputs: r.inputs };
  const id = outer.drawing.freeId(instance.id ?? instance.class.name.toLowerCase());
  const inner = new Drawing();
  const wires: { [name: string]: Wire } = {};
  const parameters = forward.definition.parameters.slice(1).map(({ name }) => name);
  r.inputs = [];
  const enter = (value: Value, name: string): Value => {
    if (value instanceof Sequence)
      return new Sequence(
        value.type,
        value.items.map((item, i) => enter(item, `${name}_${i + 1}`)),
      );
    if (!(value instanceof TensorValue)) return value;
    const label = boundaryName(name, "x");
    wires[label] = value.wire;
    const wire = inner.argument(label, value.wire.type);
    r.inputs.push(wire);
    return new TensorValue(wire);
  };
  const entered = args.map((value, i) => enter(value, parameters[i] ?? `x${i + 1}`));
  const enteredNamed = new Map([...named].map(([name, value]) => [name, enter(value, name)]));
  r.drawing = inner;
  r.path.push(id);
  const known = r.problems.size;
  try {
    const result = callFunction(r, forward, [instance, ...entered], enteredNamed);
    if (r.problems.size > known) throw new Poisoned();
    const outputs: { name: string; value: Value }[] = [];
    const leave = (value: Value, name: string): Value => {
      if (value instanceof Sequence)
        return new Sequence(
          value.type,
          value.items.map((item, i) => leave(item, name === "y" ? `y${i + 1}` : `${name}_${i + 1}`)),
        );
      if (!(value instanceof TensorValue || value instanceof ParameterValue || value instanceof ConstantTensor)) return value;
      outputs.push({ name, value });
      return new Left(name) as unknown as Value;
    };
    const left = leave(result, "y");
    if (outputs.length === 0) throw new Unreadable(say("The forward of {name} gives no tensor.", { name: instance.class.name }));
    for (const { name, value } of outputs) inner.result(name, wireOf(r, value));
    const { body } = inner.finishBody();
    r.drawing = outer.drawing;
    const drawn = outer.drawing.add("block", {}, wires, { id, name: instance.class.name, bodies: { body } });
    const arrive = (value: Value): Value => {
      if (value instanceof Sequence) return new Sequence(value.type, value.items.map(arrive));
      if (!((value as unknown) instanceof Left)) return value;
      const wire = drawn.outputs[(value as unknown as Left).name];
      if (!wire) throw new Unreadable(say("The forward of {name} gives nothing.", { name: instance.class.name }));
      return new TensorValue(wire);
    };
    return arrive(left);
  } finally {
    r.path.pop();
    r.drawing = outer.drawing;
    r.inputs = outer.inputs;
  }
}

function callModule(r: Reading, module: Module, args: Value[], named: Map<string, Value>): Value {
  const { rule, name } = module;
  const read = readModuleArgs(rule, module.positional, module.named);
  if ("why" in read) throw new Unreadable(`${name}: ${read.why}`);
  const ports = rule.ports ?? ["x"];
  const inputs: Inputs<Wire> = {};
  let params = read.params;
  const states = STATES[rule.type];
  const takesState = states !== undefined;
  for (const [i, value] of args.entries()) {
    if (takesState && i === 1) Object.assign(inputs, readStates(r, value, states));
    else if (ports[i] === undefined) {
      if (i >= ports.length && value === null) continue;
      throw new Unreadable(
        ports.length === 1
          ? say("{name} takes one tensor, and here are {count}.", { name, count: args.length })
          : say("{name} takes {count} tensors, and here are {count2}.", { name, count: ports.length, count2: args.length }),
      );
    } else inputs[ports[i] ?? "x"] = wireOf(r, value);
  }
  for (const [key, value] of named) {
    const port = PORTS[key];
    if (key === "hx" && takesState) Object.assign(inputs, readStates(r, value, states));
    else if (["need_weights", "average_attn_weights"].includes(key)) continue;
    else if (key === "is_causal" || key === "tgt_is_causal") {
      if (value === true) params = { ...params, [causalParam(rule.type)]: true };
    } else if (value === null) continue;
    else if (value instanceof CausalMask && ["attn_mask", "src_mask", "mask", "tgt_mask"].includes(key)) params = { ...params, [causalParam(rule.type)]: true };
    else if (ports.includes(key)) inputs[key] = wireOf(r, value);
    else if (key === "input") inputs.x = wireOf(r, value);
    else if (port !== undefined) inputs[port] = wireOf(r, value);
    else throw new Unreadable(say("{name} has no argument {key} that is read here.", { name, key }));
  }
  // Decoders here look at the past alone unless told otherwise, PyTorch's at everything.
  if (rule.type.startsWith("transformer_decoder") && params.tgt_is_causal === undefined) params = { ...params, tgt_is_causal: false };
  if (rule.type === "multihead_attention")
    for (const [port, same] of [
      ["key", "query"],
      ["value", "key"],
    ] as const) {
      const [a, b] = [inputs[port], inputs[same] ?? inputs.query];
      if (a && b && !Array.isArray(a) && !Array.isArray(b) && a.node === b.node && a.port === b.port && port === "key") delete inputs[port];
      else if (port === "value" && a && !Array.isArray(a)) {
        const other = inputs.key ?? inputs.query;
        if (other && !Array.isArray(other) && other.node === a.node && other.port === a.port) delete inputs.value;
      }
    }
  const [first] = Object.values(inputs).flat();
  const wrong = first && mismatch(name, read.checks, first.type.shape);
  if (wrong) throw new Unreadable(wrong);
  const drawn = addNode(r, rule.type, params, inputs, { module });
  const { y, h, c } = drawn.outputs;
  const tensor = (wire: Wire | undefined): Value => (wire ? new TensorValue(wire) : new Poison());
  if (rule.type === "lstm") return new Sequence("tuple", [tensor(y), new Sequence("tuple", [tensor(h), tensor(c)])]);
  if (rule.type === "lstm_cell") return new Sequence("tuple", [tensor(h), tensor(c)]);
  if (rule.type === "gru" || rule.type === "rnn") return new Sequence("tuple", [tensor(y), tensor(h)]);
  if (rule.type === "gru_cell" || rule.type === "rnn_cell") return tensor(h);
  if (rule.type === "multihead_attention") return new Sequence("tuple", [tensor(y), null]);
  return tensor(y);
}

/** Memories to start with; zeros need not be said. */
function readStates(r: Reading, value: Value, ports: readonly string[]): Inputs<Wire> {
  if (value === null) return {};
  const given = value instanceof Sequence ? value.items : [value];
  const inputs: Inputs<Wire> = {};
  for (const [i, port] of ports.entries()) {
    const state = given[i];
    if (state === undefined) throw new Unreadable(say("It needs a memory for each of its states."));
    if (!(state instanceof ConstantTensor && state.values === 0)) inputs[port] = wireOf(r, state);
  }
  return inputs;
}

function callMethod(r: Reading, { self, function: called }: Method, args: Value[], named: Map<string, Value>): Value {
  if (called instanceof UserFunction) return callFunction(r, called, [self, ...args], named);
  if (self instanceof Method && typeof self.function === "string" && self.function.startsWith("super ") && self.self instanceof Instance)
    return callSuper(r, self.self, self.function.slice(6), called, args, named);
  if (self instanceof Instance) return moduleMethod(r, self, called, args);
  if (self instanceof Container) return containerMethod(r, self, called, args);
  if (self instanceof Sequence) return listMethod(r, self, called, args);
  if (self instanceof Dict) {
    if (called === "items") return list([...self.entries].map(([key, value]) => new Sequence("tuple", [fromPlain(key), value])));
    if (called === "keys") return list([...self.entries.keys()].map(fromPlain));
    if (called === "values") return list([...self.entries.values()]);
    if (called === "get") return self.entries.get(plainOf(args[0] ?? null)) ?? args[1] ?? null;
  }
  if (typeof self === "string") {
    if (called === "lower") return self.toLowerCase();
    if (called === "format") return self;
  }
  // `self.fc.weight.data.normal_()` and the like set first values.
  if (self instanceof Method || self instanceof Module) return self instanceof Module && called === "forward" ? callModule(r, self, args, named) : null;
  if (self instanceof ConstantTensor && called.endsWith("_")) return fillConstant(self, called);
  if (self instanceof ConstantTensor && ["view", "reshape", "unsqueeze"].includes(called)) {
    const reshaped = reshapeConstant(self, called, args);
    if (reshaped) return reshaped;
  }
  if (called === "size") {
    const shape = shapeOf(self);
    const [axis] = args.length > 0 ? args : [named.get("dim")];
    return typeof axis === "number" ? (shape.items[axis < 0 ? axis + shape.items.length : axis] ?? null) : shape;
  }
  if (called === "dim" || called === "ndimension") return sizesOf(self).length;
  if (called === "numel") return sizeOf(sizesOf(self).reduce<Dim>(multiply, 1));
  if (["requires_grad_", "type", "item"].includes(called)) return called === "item" ? refuseItem() : self;
  return applyFunction(r, called, [self, ...args], named);
}

function callSuper(r: Reading, self: Instance, owner: string, called: string, args: Value[], named: Map<string, Value>): Value {
  let at: Class | null = self.class;
  while (at && at.name !== owner) at = at.bases.find((base): base is Class => base instanceof Class) ?? null;
  for (const base of at?.bases ?? []) {
    const found = base instanceof Class ? base.find(called) : undefined;
    if (found instanceof UserFunction) return callFunction(r, found, [self, ...args], named);
  }
  if (called !== "__init__") throw new Unreadable(say("The classes that {owner} extends have no {called}.", { owner, called }));
  if (baseOf(self.class) === "torch.nn.Sequential") {
    const parts = callBuiltin(r, "torch.nn.Sequential", args, named);
    self.attributes.set(PARTS, parts);
  }
  return null;
}

/** What every `nn.Module` can do besides its forward. */
function moduleMethod(r: Reading, self: Instance, called: string, args: Value[]): Value {
  const [name, value = null] = args;
  if ((called === "register_buffer" || called === "add_module" || called === "register_module" || called === "register_parameter") && typeof name === "string") {
    if (called === "register_buffer" && value instanceof TensorValue) throw new Unreadable(say("A buffer is made of numbers that are known in __init__."));
    setAttribute(r, self, name, value);
    return null;
  }
  // First values are drawn as the layers say; loops over parts set nothing else.
  if (["modules", "parameters", "named_parameters", "named_modules", "children", "named_children", "buffers"].includes(called)) return list([]);
  if (called === "forward") return callInstance(r, self, args, new Map());
  return self;
}

function containerMethod(r: Reading, self: Container, called: string, args: Value[]): Value {
  const [first = null, second = null] = args;
  if (called === "append") self.add(String(self.items.length), first);
  else if (called === "extend") for (const item of itemsOf(r, first)) self.add(String(self.items.length), item);
  else if (called === "add_module" && typeof first === "string") self.add(first, second);
  else if (called === "forward") return r.call(self, args, new Map());
  else if (called === "items") return list(self.items.map(([key, value]) => new Sequence("tuple", [key, value])));
  else if (called === "keys") return list(self.items.map(([key]) => key));
  else if (called === "values" || called === "children") return list(self.items.map(([, value]) => value));
  else if (called === "update" && first instanceof Dict) for (const [key, value] of first.entries) self.add(String(key), value);
  else if (["modules", "parameters", "named_parameters"].includes(called)) return list([]);
  else if (!["apply", "to", "eval", "train"].includes(called)) throw new Unreadable(say("An nn.{kind} has no {called} that is read here.", { kind: self.kind, called }));
  return self;
}

function listMethod(r: Reading, self: Sequence, called: string, args: Value[]): Value {
  const [first = null, second = null] = args;
  if (called === "append") self.items.push(first);
  else if (called === "extend") self.items.push(...itemsOf(r, first));
  else if (called === "insert" && typeof first === "number") self.items.splice(first, 0, second);
  else if (called === "pop") return (typeof first === "number" ? self.items.splice(first, 1)[0] : self.items.pop()) ?? null;
  else if (called === "reverse") self.items.reverse();
  else if (called === "numel") return foldSizes(self.items, multiply, 1);
  else if (called === "index") return self.items.indexOf(first);
  else throw new Unreadable(say("A list has no {called} that is read here.", { called }));
  return null;
}

function fillConstant(tensor: ConstantTensor, called: string): ConstantTensor {
  const init = called.includes("uniform") ? "uniform" : called === "zero_" ? "zeros" : called === "fill_" ? "ones" : "normal";
  return new ConstantTensor(tensor.sizes, init === "ones" ? 1 : 0, tensor.dtype, init);
}

function reshapeConstant(tensor: ConstantTensor, called: string, args: Value[]): ConstantTensor | null {
  const sizes = tensor.sizes;
  if (called === "unsqueeze") {
    const [axis] = args;
    if (typeof axis !== "number") return null;
    const at = axis < 0 ? axis + sizes.length + 1 : axis;
    return new ConstantTensor([...sizes.slice(0, at), 1, ...sizes.slice(at)], tensor.values, tensor.dtype, tensor.init);
  }
  const wanted = (args[0] instanceof Sequence ? args[0].items : args).map((item) => (typeof item === "number" ? item : Number.NaN));
  const total = sizes.reduce<number>((product, size) => product * Number(size), 1);
  const known = wanted.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const shape = wanted.map((size) => (size === -1 ? total / known : size));
  return shape.every(Number.isInteger) ? new ConstantTensor(shape, tensor.values, tensor.dtype, tensor.init) : null;
}

/** A tensor that leaves a block by this name, until the block is drawn. */
class Left {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

function causalParam(type: string): string {
  return type.startsWith("transformer_decoder") ? "tgt_is_causal" : "is_causal";
}

function baseOf(made: Class): string | null {
  for (const base of made.bases) {
    if (base instanceof Builtin) return base.path;
    if (base instanceof Class) return baseOf(base);
  }
  return null;
}
