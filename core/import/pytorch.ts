import { hasErrors } from "../graph/check.ts";
import { add, floorDivide, multiply, subtract } from "../graph/dims.ts";
import type { Graph, Json } from "../graph/document.ts";
import type { Dim, Dtype } from "../graph/shape.ts";
import type { Inputs } from "../layers/kit.ts";
import { boundaryName, Drawing, type Drawn, Undrawable, type Wire } from "./drawing.ts";
import { type Argument, type Expr, parsePython, type SliceItem, type Statement } from "./python.ts";
import { type Call, FUNCTIONS, OPERATORS } from "./torch-functions.ts";
import { MODULES, mismatch, type Plain, readModuleArgs } from "./torch-modules.ts";
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
  Poison,
  Scope,
  Sequence,
  SizeValue,
  TensorValue,
  Training,
  UserFunction,
  type Value,
} from "./torch-values.ts";

/** A line that could not be read, and why. */
export type UnreadLine = { line: number; text: string; why: string };

export type PyTorchImport = { ok: true; graph: Graph; className: string; notes: string[] } | { ok: false; message: string; lines: UnreadLine[] };

export type PyTorchOptions = {
  /** Which class is the model; else the last one that no other uses. */
  className?: string;
  /** Shape without the batch and dtype of an argument of `forward`, where it is known. */
  inputs?: { [name: string]: { shape: (number | string)[]; dtype?: Dtype } };
};

/**
 * Reads the code of an `nn.Module` class as a graph: runs `__init__` and `forward` as Python would, on modules and wires in place of
 * numbers. Nothing of it is evaluated by JavaScript or Python. All of it or nothing: the lines that cannot be read are listed.
 */
export function importPyTorch(code: string, options: PyTorchOptions = {}): PyTorchImport {
  const statements = parsePython(code);
  const lines = code.split(/\r?\n/);
  const failed = (problems: Map<number, string>, message?: string): PyTorchImport => {
    const list = [...problems].sort(([a], [b]) => a - b).map(([line, why]) => ({ line, text: (lines[line - 1] ?? "").trim().slice(0, 200), why }));
    return { ok: false, message: message ?? `${list.length === 1 ? "One line" : `${list.length} lines`} could not be read, so nothing was imported.`, lines: list };
  };

  let best: { problems: Map<number, string>; message?: string; furthest: number } | null = null;
  let tries: Types[] = [{}];
  for (let i = 0; i < tries.length && i < MOST_TRIES; i++) {
    const answer = new Reader(statements, options).run(tries[i] ?? {});
    if ("graph" in answer) return { ok: true, ...answer };
    if (i === 0) tries = [{}, ...answer.guesses];
    // The guess that got furthest says what is really wrong.
    if (!best || answer.furthest > best.furthest) best = answer;
  }
  return failed(best?.problems ?? new Map(), best?.message);
}

/** What the inputs are taken to be while reading. */
type Types = { [name: string]: { shape: (number | string)[]; dtype: Dtype } };

const MOST_TRIES = 160;
const MOST_STEPS = 200_000;
/** Sizes of images and sequences that people use, for models that fit one alone. */
const IMAGE_SIZES = [28, 32, 64, 224, 96, 128, 256, 227, 299, 48, 16, 84, 112, 160, 192, 240, 384, 512];
const LENGTHS = [16, 32, 64, 128, 10, 20, 50, 100, 28, 8, 256, 512, 784, 1024];

class Unreadable extends Error {
  readonly line: number | null;
  constructor(why: string, line: number | null = null) {
    super(why);
    this.line = line;
  }
}

/** Something made of what could not be read: no news. */
class Poisoned extends Error {}

type Done = { kind: "next" | "break" | "continue" } | { kind: "return"; value: Value };
const NEXT: Done = { kind: "next" };

class Reader {
  readonly #statements: Statement[];
  readonly #options: PyTorchOptions;
  readonly #globals = new Scope(null);
  readonly #problems = new Map<number, string>();
  readonly #notes: string[] = [];
  #drawing = new Drawing();
  /** The ids of the blocks around the drawing at hand. */
  #path: string[] = [];
  #inputs: Wire[] = [];
  #steps = 0;
  #furthest = 0;
  #line = 0;
  #depth = 0;

  constructor(statements: Statement[], options: PyTorchOptions) {
    this.#statements = statements;
    this.#options = options;
  }

  run(types: Types): { graph: Graph; className: string; notes: string[] } | { problems: Map<number, string>; message?: string; guesses: Types[]; furthest: number } {
    const none = (message: string) => ({ problems: this.#problems, message, guesses: [], furthest: this.#furthest });
    try {
      this.#readModule();
      const model = this.#findModel();
      if (typeof model === "string") return none(model);
      this.#line = model.line;
      const instance = this.#statement(model.line, () => this.#construct(model, [], new Map()));
      const forward = model.find("forward");
      if (!(forward instanceof UserFunction)) return none(`The class ${model.name} has no forward.`);
      if (!(instance instanceof Instance)) return { problems: this.#problems, guesses: [], furthest: 0 };
      const parameters = forward.definition.parameters.slice(1).filter(({ star, fallback }) => star === "" && !fallback);
      if (parameters.length === 0) return none(`The forward of ${model.name} takes no tensor.`);
      const said = readDoc(model.doc);
      const known = (name: string, i: number) => types[name] ?? this.#options.inputs?.[name] ?? said[i];
      const unknown = parameters.filter(({ name }, i) => !known(name, i));
      if (unknown.length > 0) {
        const guesses = guessInputs(
          instance,
          unknown.map(({ name }) => name),
        );
        const asked = unknown.map(({ name }) => name).join(" and ");
        const message = `The shape of the input ${asked} cannot be guessed from this code. Begin the class with a line that says it: """Takes ${unknown[0]?.name} [B, 3, 224, 224]; gives y."""`;
        return { problems: this.#problems, ...(guesses.length === 0 ? { message } : {}), guesses, furthest: -1 };
      }
      const args = parameters.map(({ name }, i): Value => {
        const { shape, dtype = "float32" } = known(name, i) ?? { shape: [] };
        const label = boundaryName(name, "x");
        const wire = this.#drawing.draw("input", { shape: shape as Json[], dtype }, {}, label === "x" ? {} : { name: label });
        this.#inputs.push(wire);
        return new TensorValue(wire);
      });
      const result = this.#statement(forward.definition.line, () => this.#call(forward, [instance, ...args], new Map()));
      if (result !== undefined && this.#problems.size === 0) this.#drawResults(forward, result);
      if (this.#problems.size > 0) return { problems: this.#problems, guesses: [], furthest: this.#furthest };
      const { graph, checked } = this.#drawing.finish();
      if (hasErrors(checked)) {
        const first = checked.problems.find(({ severity }) => severity === "error");
        return none(`The graph that this code draws cannot run: ${first?.message ?? "it has problems."}`);
      }
      return { graph, className: model.name, notes: this.#notes };
    } catch (error) {
      if (error instanceof Undrawable || error instanceof Unreadable) return none(error.message);
      throw error;
    }
  }

  /** Runs something as one statement: what goes wrong in it is noted at its line. */
  #statement<T>(line: number, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof Poisoned) return undefined;
      if (error instanceof Unreadable || error instanceof Undrawable) {
        const at = (error instanceof Unreadable ? error.line : null) ?? line;
        if (!this.#problems.has(at)) this.#problems.set(at, error.message);
        return undefined;
      }
      throw error;
    }
  }

  /** Classes, functions and constants of the file. What a script does besides is passed over. */
  #readModule(): void {
    for (const statement of this.#statements) {
      if (statement.kind === "class" || statement.kind === "function" || statement.kind === "import") this.#execute(statement, this.#globals);
      else if (statement.kind === "assign") {
        const known = this.#problems.size;
        this.#execute(statement, this.#globals);
        // A script may load data and train; only what the model uses counts.
        if (this.#problems.size > known) this.#problems.delete(statement.line);
      }
    }
  }

  #findModel(): Class | string {
    const classes = [...this.#globals.names.values()].filter((value): value is Class => value instanceof Class && value.isModule);
    const { className } = this.#options;
    if (className !== undefined) return classes.find(({ name }) => name === className) ?? `There is no class ${className} that extends nn.Module in this code.`;
    if (classes.length === 0) return "There is no class that extends nn.Module in this code.";
    const used = new Set(this.#statements.flatMap((statement) => (statement.kind === "class" ? namesIn(statement) : [])));
    return classes.findLast(({ name }) => !used.has(name)) ?? (classes.at(-1) as Class);
  }

  #drawResults(forward: UserFunction, result: Value): void {
    const outputs = this.#resultsOf(result, returnedNames(forward));
    if (outputs.length === 0) throw new Unreadable("forward returns no tensor.", forward.definition.line);
    for (const [name, value] of outputs) this.#drawing.add("output", {}, { x: this.#wire(value) }, name === "y" ? {} : { name });
  }

  /** Tensors of what a forward gives, with a name each. */
  #resultsOf(result: Value, names: string[] | null): [string, Value][] {
    if (result instanceof Dict) return [...result.entries].map(([key, value]) => [boundaryName(String(key), "y"), value]);
    if (!(result instanceof Sequence)) return result === null ? [] : [["y", result]];
    const flat = (value: Value): Value[] => (value instanceof Sequence ? value.items.flatMap(flat) : value === null ? [] : [value]);
    const values = flat(result);
    const usable = names && names.length === values.length && new Set(names).size === names.length ? names : values.map((_, i) => `y${i + 1}`);
    return values.map((value, i) => [boundaryName(usable[i] ?? "y", `y${i + 1}`), value]);
  }

  // Statements

  #block(body: Statement[], scope: Scope): Done {
    for (const statement of body) {
      const done = this.#execute(statement, scope);
      if (done.kind !== "next") return done;
    }
    return NEXT;
  }

  #execute(statement: Statement, scope: Scope): Done {
    if (++this.#steps > MOST_STEPS) throw new Unreadable(`This code runs longer than ${MOST_STEPS} steps while it is read.`, statement.line);
    const outer = this.#line;
    this.#line = statement.line;
    let done: Done | undefined;
    const ran = this.#statement(statement.line, () => {
      done = this.#run(statement, scope);
      return true;
    });
    this.#line = outer;
    this.#furthest++;
    if (ran && done) return done;
    for (const name of assignedNames(statement)) scope.names.set(name, new Poison());
    if (statement.kind === "assign") for (const target of statement.targets) this.#poison(target, scope);
    return statement.kind === "return" ? { kind: "return", value: new Poison() } : NEXT;
  }

  #poison(target: Expr, scope: Scope): void {
    if (target.kind === "sequence") for (const item of target.items) this.#poison(item, scope);
    if (target.kind !== "attribute" || target.object.kind !== "name") return;
    const object = scope.find(target.object.name);
    if (object instanceof Instance) object.attributes.set(target.name, new Poison());
  }

  #run(statement: Statement, scope: Scope): Done {
    switch (statement.kind) {
      case "unreadable":
        throw new Unreadable(statement.why);
      case "class": {
        const members = new Scope(scope);
        const [first] = statement.body;
        const doc = first?.kind === "expression" && first.value.kind === "text" ? first.value.value : "";
        const made = new Class(
          statement.name,
          statement.bases.map((base) => this.#evaluate(base, scope)),
          members.names,
          doc,
          statement.line,
        );
        this.#block(statement.body, members);
        for (const member of members.names.values()) if (member instanceof UserFunction) member.owner = made;
        scope.names.set(statement.name, made);
        return NEXT;
      }
      case "function":
        scope.names.set(statement.name, new UserFunction(statement, scope));
        return NEXT;
      case "import":
        for (const { path, alias } of statement.names) {
          if (alias === "*") continue;
          const name = alias || (path.split(".")[0] ?? path);
          scope.names.set(name, new Builtin(tidyPath(alias ? path : name)));
        }
        return NEXT;
      case "assign": {
        const value = this.#evaluate(statement.value, scope);
        for (const target of statement.targets) this.#assign(target, value, scope);
        return NEXT;
      }
      case "augment": {
        const before = this.#evaluate(statement.target, scope);
        const value = this.#evaluate(statement.value, scope);
        if (before instanceof Container && value instanceof Sequence) for (const item of value.items) before.add(String(before.items.length), item);
        else if (before instanceof Sequence && before.type === "list" && value instanceof Sequence) before.items.push(...value.items);
        else this.#assign(statement.target, this.#binary(statement.operator, before, value), scope);
        return NEXT;
      }
      case "expression":
        if (statement.value.kind !== "text") this.#evaluate(statement.value, scope);
        return NEXT;
      case "if":
        for (const { condition, body } of statement.branches) if (!condition || this.#isTrue(this.#evaluate(condition, scope))) return this.#block(body, scope);
        return NEXT;
      case "for":
        for (const item of this.#iterate(this.#evaluate(statement.source, scope))) {
          this.#assign(statement.target, item, scope);
          const done = this.#block(statement.body, scope);
          if (done.kind === "return") return done;
          if (done.kind === "break") break;
        }
        return NEXT;
      case "while": {
        while (this.#isTrue(this.#evaluate(statement.condition, scope))) {
          if (++this.#steps > MOST_STEPS) throw new Unreadable("This loop does not end while it is read.");
          const done = this.#block(statement.body, scope);
          if (done.kind === "return") return done;
          if (done.kind === "break") break;
        }
        return NEXT;
      }
      case "with":
        return this.#block(statement.body, scope);
      case "return":
        return { kind: "return", value: statement.value ? this.#evaluate(statement.value, scope) : null };
      case "assert":
        return NEXT;
      case "raise":
        throw new Unreadable("The code gives up here, with the arguments that it has.");
      case "break":
      case "continue":
        return { kind: statement.kind };
      default:
        return NEXT;
    }
  }

  #assign(target: Expr, value: Value, scope: Scope): void {
    if (target.kind === "name") scope.names.set(target.name, value);
    else if (target.kind === "sequence") {
      const items = this.#iterate(value);
      const star = target.items.findIndex(({ kind }) => kind === "starred");
      if (star === -1 ? items.length !== target.items.length : items.length < target.items.length - 1)
        throw new Unreadable(`Here are ${target.items.length} names for ${items.length} values.`);
      const extra = items.length - target.items.length + 1;
      for (const [i, part] of target.items.entries()) {
        if (part.kind === "starred") this.#assign(part.value, new Sequence("list", items.slice(i, i + extra)), scope);
        else this.#assign(part, items[star !== -1 && i > star ? i + extra - 1 : i] ?? null, scope);
      }
    } else if (target.kind === "attribute") this.#setAttribute(this.#evaluate(target.object, scope), target.name, value);
    else if (target.kind === "index") {
      const object = this.#evaluate(target.object, scope);
      const [item] = target.items;
      const key = item && item.kind !== "slice" ? this.#evaluate(item, scope) : null;
      if (object instanceof Dict && (typeof key === "string" || typeof key === "number")) object.entries.set(key, value);
      else if (object instanceof Sequence && typeof key === "number") object.items[key < 0 ? key + object.items.length : key] = value;
      else if (object instanceof Container && typeof key === "string") object.add(key, value);
      else throw new Unreadable("Parts of a tensor cannot be assigned; make a new one, with torch.where or torch.cat.");
    } else throw new Unreadable("Nothing can be assigned to this.");
  }

  #setAttribute(object: Value, name: string, value: Value): void {
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
    } else throw new Unreadable(`Nothing can be kept in ${kindOf(object)}.`);
  }

  // Expressions

  #evaluate(expr: Expr, scope: Scope): Value {
    if (++this.#steps > MOST_STEPS) throw new Unreadable(`This code runs longer than ${MOST_STEPS} steps while it is read.`);
    const value = this.#compute(expr, scope);
    if (value instanceof Poison) throw new Poisoned();
    return value;
  }

  #compute(expr: Expr, scope: Scope): Value {
    switch (expr.kind) {
      case "number":
        return expr.value;
      case "text":
        return expr.value;
      case "constant":
        return expr.value;
      case "name": {
        const found = scope.find(expr.name);
        if (found !== undefined) return found;
        if (BUILTINS.has(expr.name)) return new Builtin(expr.name);
        throw new Unreadable(`${expr.name} is not defined in this code.`);
      }
      case "sequence": {
        const items: Value[] = [];
        for (const item of expr.items) {
          if (item.kind === "starred") items.push(...this.#iterate(this.#evaluate(item.value, scope)));
          else items.push(this.#evaluate(item, scope));
        }
        return new Sequence(expr.type, items);
      }
      case "dict":
        return new Dict(new Map(expr.entries.map(([key, value]) => [this.#plain(this.#evaluate(key, scope)), this.#evaluate(value, scope)])));
      case "attribute":
        return this.#attribute(this.#evaluate(expr.object, scope), expr.name);
      case "call":
        return this.#evaluateCall(expr.callee, expr.args, scope);
      case "index":
        return this.#index(this.#evaluate(expr.object, scope), expr.items, expr.isTuple, scope);
      case "unary":
        return this.#unary(expr.operator, this.#evaluate(expr.operand, scope));
      case "binary":
        return this.#binary(expr.operator, this.#evaluate(expr.left, scope), this.#evaluate(expr.right, scope));
      case "compare": {
        let left = this.#evaluate(expr.first, scope);
        let result: Value = true;
        for (const { operator, operand } of expr.rest) {
          const right = this.#evaluate(operand, scope);
          result = this.#compare(operator, left, right);
          if (expr.rest.length > 1 && !this.#isTrue(result)) return false;
          left = right;
        }
        return result;
      }
      case "logic": {
        const left = this.#evaluate(expr.left, scope);
        return this.#isTrue(left) === (expr.operator === "or") ? left : this.#evaluate(expr.right, scope);
      }
      case "choice":
        return this.#evaluate(this.#isTrue(this.#evaluate(expr.condition, scope)) ? expr.then : expr.otherwise, scope);
      case "comprehension": {
        const items: Value[] = [];
        const inner = new Scope(scope);
        const loop = (at: number) => {
          const part = expr.loops[at];
          if (!part) {
            items.push(this.#evaluate(expr.element, inner));
            return;
          }
          for (const item of this.#iterate(this.#evaluate(part.source, inner))) {
            this.#assign(part.target, item, inner);
            if (part.conditions.every((condition) => this.#isTrue(this.#evaluate(condition, inner)))) loop(at + 1);
          }
        };
        loop(0);
        return new Sequence("list", items);
      }
      case "lambda": {
        const body: Statement[] = [{ kind: "return", line: expr.line, value: expr.body }];
        return new UserFunction({ kind: "function", line: expr.line, name: "lambda", parameters: expr.parameters, body, decorators: [] }, scope);
      }
      case "starred":
        throw new Unreadable("A star stands where no list is made.");
    }
  }

  #attribute(object: Value, name: string): Value {
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
        if (found.definition.decorators.some((decorator) => decorator.kind === "name" && decorator.name === "property")) return this.#call(found, [object], new Map());
        return new Method(object, found);
      }
      if (found !== undefined) return found;
      if (MODULE_METHODS.has(name) || name === "__class__") return new Method(object, name);
      throw new Unreadable(`self has no ${name}: it is not set in __init__.`);
    }
    if (object instanceof TensorValue || object instanceof ConstantTensor || object instanceof ParameterValue || object instanceof CausalMask) {
      if (name === "device" || name === "data") return name === "data" ? object : null;
      if (name === "shape") return this.#shape(object);
      if (name === "ndim") return this.#sizes(object).length;
      if (name === "dtype") return new DtypeValue(object instanceof TensorValue ? object.wire.type.dtype : object instanceof ConstantTensor ? object.dtype : "float32");
      if (name === "T" || name === "mT") return this.#function("transpose", [object, -2, -1], new Map());
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
    throw new Unreadable(`${kindOf(object)} has no ${name}.`);
  }

  #evaluateCall(callee: Expr, args: Argument[], scope: Scope): Value {
    // Without arguments, super() means the class that the method stands in.
    if (callee.kind === "name" && callee.name === "super") {
      const self = scope.find("self");
      const owner = scope.find("__class__");
      if (!(self instanceof Instance) || !(owner instanceof Class)) throw new Unreadable("super() stands outside a method.");
      return new Method(self, `super ${owner.name}`);
    }
    const called = this.#evaluate(callee, scope);
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    for (const { name, star, value } of args) {
      const evaluated = this.#evaluate(value, scope);
      if (star === "*") positional.push(...this.#iterate(evaluated));
      else if (star === "**") {
        if (!(evaluated instanceof Dict)) throw new Unreadable("** needs a dict.");
        for (const [key, item] of evaluated.entries) named.set(String(key), item);
      } else if (name === null) positional.push(evaluated);
      else named.set(name, evaluated);
    }
    if (called instanceof Method && typeof called.function === "string" && called.function.startsWith("super ")) throw new Unreadable("super() cannot be called.");
    return this.#call(called, positional, named);
  }

  #call(called: Value, args: Value[], named: Map<string, Value>): Value {
    if (++this.#depth > 64) throw new Unreadable("Calls are nested deeper than 64.");
    try {
      if (called instanceof UserFunction) return this.#callFunction(called, args, named);
      if (called instanceof Method) return this.#callMethod(called, args, named);
      if (called instanceof Class) return this.#construct(called, args, named);
      if (called instanceof Instance) return this.#callInstance(called, args, named);
      if (called instanceof Module) return this.#callModule(called, args, named);
      if (called instanceof Container) {
        if (called.kind !== "Sequential") throw new Unreadable(`An nn.${called.kind} cannot be called; go through its parts.`);
        return called.items.reduce((value, [, part]) => this.#call(part, value instanceof Sequence ? value.items : [value], new Map()), args[0] ?? null);
      }
      if (called instanceof Builtin) return this.#callBuiltin(called.path, args, named);
      if (called instanceof DtypeValue) return args[0] ?? null;
      throw new Unreadable(`${kindOf(called)} cannot be called.`);
    } finally {
      this.#depth--;
    }
  }

  #callFunction(called: UserFunction, args: Value[], named: Map<string, Value>): Value {
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
      } else if (fallback) local.names.set(name, this.#evaluate(fallback, scope));
      else
        throw new Unreadable(
          `${definition.name === "__init__" ? "The model" : definition.name} needs the argument ${name}. Give it a default, as in ${name}=10.`,
          definition.name === "__init__" ? definition.line : null,
        );
    }
    if (at < args.length) throw new Unreadable(`${definition.name} takes ${definition.parameters.length} arguments, and here are ${args.length}.`);
    const [unknown] = rest.keys();
    if (unknown !== undefined) throw new Unreadable(`${definition.name} has no argument ${unknown}.`);
    const done = this.#block(definition.body, local);
    const value = done.kind === "return" ? done.value : null;
    if (value instanceof Poison) throw new Poisoned();
    return value;
  }

  #construct(made: Class, args: Value[], named: Map<string, Value>): Value {
    const instance = new Instance(made);
    const init = made.find("__init__");
    if (init instanceof UserFunction) this.#callFunction(init, [instance, ...args], named);
    const base = baseOf(made);
    // A class that extends Sequential is one.
    if (base === "torch.nn.Sequential" && !made.find("forward")) {
      const parts = instance.attributes.get(PARTS);
      if (parts instanceof Container) return parts;
    }
    return instance;
  }

  /** A module of the code's own becomes a block, with its forward drawn inside. */
  #callInstance(instance: Instance, args: Value[], named: Map<string, Value>): Value {
    const forward = instance.class.find("forward") ?? instance.class.find("__call__");
    if (!(forward instanceof UserFunction)) throw new Unreadable(`The class ${instance.class.name} has no forward.`);
    if (!instance.class.isModule) return this.#callFunction(forward, [instance, ...args], named);
    const outer = { drawing: this.#drawing, inputs: this.#inputs };
    const id = outer.drawing.freeId(instance.id ?? instance.class.name.toLowerCase());
    const inner = new Drawing();
    const wires: { [name: string]: Wire } = {};
    const parameters = forward.definition.parameters.slice(1).map(({ name }) => name);
    this.#inputs = [];
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
      this.#inputs.push(wire);
      return new TensorValue(wire);
    };
    const entered = args.map((value, i) => enter(value, parameters[i] ?? `x${i + 1}`));
    const enteredNamed = new Map([...named].map(([name, value]) => [name, enter(value, name)]));
    this.#drawing = inner;
    this.#path.push(id);
    const known = this.#problems.size;
    try {
      const result = this.#callFunction(forward, [instance, ...entered], enteredNamed);
      if (this.#problems.size > known) throw new Poisoned();
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
      if (outputs.length === 0) throw new Unreadable(`The forward of ${instance.class.name} gives no tensor.`);
      for (const { name, value } of outputs) inner.result(name, this.#wire(value));
      const { body } = inner.finishBody();
      this.#drawing = outer.drawing;
      const drawn = outer.drawing.add("block", {}, wires, { id, name: instance.class.name, bodies: { body } });
      const arrive = (value: Value): Value => {
        if (value instanceof Sequence) return new Sequence(value.type, value.items.map(arrive));
        if (!((value as unknown) instanceof Left)) return value;
        const wire = drawn.outputs[(value as unknown as Left).name];
        if (!wire) throw new Unreadable(`The forward of ${instance.class.name} gives nothing.`);
        return new TensorValue(wire);
      };
      return arrive(left);
    } finally {
      this.#path.pop();
      this.#drawing = outer.drawing;
      this.#inputs = outer.inputs;
    }
  }

  #callModule(module: Module, args: Value[], named: Map<string, Value>): Value {
    const { rule, name } = module;
    const read = readModuleArgs(rule, module.positional, module.named);
    if ("why" in read) throw new Unreadable(`${name}: ${read.why}`);
    const ports = rule.ports ?? ["x"];
    const inputs: Inputs<Wire> = {};
    let params = read.params;
    const states = STATES[rule.type];
    const takesState = states !== undefined;
    for (const [i, value] of args.entries()) {
      if (takesState && i === 1) Object.assign(inputs, this.#states(value, states));
      else if (ports[i] === undefined) {
        if (i >= ports.length && value === null) continue;
        throw new Unreadable(`${name} takes ${ports.length === 1 ? "one tensor" : `${ports.length} tensors`}, and here are ${args.length}.`);
      } else inputs[ports[i] ?? "x"] = this.#wire(value);
    }
    for (const [key, value] of named) {
      const port = PORTS[key];
      if (key === "hx" && takesState) Object.assign(inputs, this.#states(value, states));
      else if (["need_weights", "average_attn_weights"].includes(key)) continue;
      else if (key === "is_causal" || key === "tgt_is_causal") {
        if (value === true) params = { ...params, [causalParam(rule.type)]: true };
      } else if (value === null) continue;
      else if (value instanceof CausalMask && ["attn_mask", "src_mask", "mask", "tgt_mask"].includes(key)) params = { ...params, [causalParam(rule.type)]: true };
      else if (ports.includes(key)) inputs[key] = this.#wire(value);
      else if (key === "input") inputs.x = this.#wire(value);
      else if (port !== undefined) inputs[port] = this.#wire(value);
      else throw new Unreadable(`${name} has no argument ${key} that is read here.`);
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
    const drawn = this.#add(rule.type, params, inputs, { module });
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
  #states(value: Value, ports: readonly string[]): Inputs<Wire> {
    if (value === null) return {};
    const given = value instanceof Sequence ? value.items : [value];
    const inputs: Inputs<Wire> = {};
    for (const [i, port] of ports.entries()) {
      const state = given[i];
      if (state === undefined) throw new Unreadable("It needs a memory for each of its states.");
      if (!(state instanceof ConstantTensor && state.values === 0)) inputs[port] = this.#wire(state);
    }
    return inputs;
  }

  /** Adds a node; one of a module is called as it is, and uses the weights of its first call. */
  #add(type: string, params: { [name: string]: Json }, inputs: Inputs<Wire>, { module }: { module?: Module } = {}): Drawn {
    const id = module?.id ? this.#drawing.freeId(module.id) : undefined;
    const owner = module?.tiedTo ?? module;
    const drawn = this.#drawing.add(type, params, inputs, { ...(id ? { id } : {}), ...(owner?.drawnAt ? { weightsOf: `/${owner.drawnAt}` } : {}) });
    if (module && module.drawnAt === null) module.drawnAt = [...this.#path.flatMap((step) => [step, "body"]), drawn.node.id].join("/");
    return drawn;
  }

  #callMethod({ self, function: called }: Method, args: Value[], named: Map<string, Value>): Value {
    if (called instanceof UserFunction) return this.#callFunction(called, [self, ...args], named);
    if (self instanceof Method && typeof self.function === "string" && self.function.startsWith("super ") && self.self instanceof Instance)
      return this.#callSuper(self.self, self.function.slice(6), called, args, named);
    if (self instanceof Instance) return this.#moduleMethod(self, called, args);
    if (self instanceof Container) return this.#containerMethod(self, called, args);
    if (self instanceof Sequence) return this.#listMethod(self, called, args);
    if (self instanceof Dict) {
      if (called === "items") return list([...self.entries].map(([key, value]) => new Sequence("tuple", [fromPlain(key), value])));
      if (called === "keys") return list([...self.entries.keys()].map(fromPlain));
      if (called === "values") return list([...self.entries.values()]);
      if (called === "get") return self.entries.get(this.#plain(args[0] ?? null)) ?? args[1] ?? null;
    }
    if (typeof self === "string") {
      if (called === "lower") return self.toLowerCase();
      if (called === "format") return self;
    }
    // `self.fc.weight.data.normal_()` and the like set first values.
    if (self instanceof Method || self instanceof Module) return self instanceof Module && called === "forward" ? this.#callModule(self, args, named) : null;
    if (self instanceof ConstantTensor && called.endsWith("_")) return this.#fillConstant(self, called);
    if (self instanceof ConstantTensor && ["view", "reshape", "unsqueeze"].includes(called)) {
      const reshaped = this.#reshapeConstant(self, called, args);
      if (reshaped) return reshaped;
    }
    if (called === "size") {
      const shape = this.#shape(self);
      const [axis] = args.length > 0 ? args : [named.get("dim")];
      return typeof axis === "number" ? (shape.items[axis < 0 ? axis + shape.items.length : axis] ?? null) : shape;
    }
    if (called === "dim" || called === "ndimension") return this.#sizes(self).length;
    if (called === "numel") return sizeOf(this.#sizes(self).reduce<Dim>(multiply, 1));
    if (["requires_grad_", "type", "item"].includes(called)) return called === "item" ? this.#refuseItem() : self;
    return this.#function(called, [self, ...args], named);
  }

  #refuseItem(): never {
    throw new Unreadable("A number that is read out of a tensor while the model runs cannot steer the code. Use torch.where, or draw a zone.");
  }

  #fillConstant(tensor: ConstantTensor, called: string): ConstantTensor {
    const init = called.includes("uniform") ? "uniform" : called === "zero_" ? "zeros" : called === "fill_" ? "ones" : "normal";
    return new ConstantTensor(tensor.sizes, init === "ones" ? 1 : 0, tensor.dtype, init);
  }

  #reshapeConstant(tensor: ConstantTensor, called: string, args: Value[]): ConstantTensor | null {
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

  #callSuper(self: Instance, owner: string, called: string, args: Value[], named: Map<string, Value>): Value {
    let at: Class | null = self.class;
    while (at && at.name !== owner) at = at.bases.find((base): base is Class => base instanceof Class) ?? null;
    for (const base of at?.bases ?? []) {
      const found = base instanceof Class ? base.find(called) : undefined;
      if (found instanceof UserFunction) return this.#callFunction(found, [self, ...args], named);
    }
    if (called !== "__init__") throw new Unreadable(`The classes that ${owner} extends have no ${called}.`);
    if (baseOf(self.class) === "torch.nn.Sequential") {
      const parts = this.#callBuiltin("torch.nn.Sequential", args, named);
      self.attributes.set(PARTS, parts);
    }
    return null;
  }

  /** What every `nn.Module` can do besides its forward. */
  #moduleMethod(self: Instance, called: string, args: Value[]): Value {
    const [name, value = null] = args;
    if ((called === "register_buffer" || called === "add_module" || called === "register_module" || called === "register_parameter") && typeof name === "string") {
      if (called === "register_buffer" && value instanceof TensorValue) throw new Unreadable("A buffer is made of numbers that are known in __init__.");
      this.#setAttribute(self, name, value);
      return null;
    }
    // First values are drawn as the layers say; loops over parts set nothing else.
    if (["modules", "parameters", "named_parameters", "named_modules", "children", "named_children", "buffers"].includes(called)) return list([]);
    if (called === "forward") return this.#callInstance(self, args, new Map());
    return self;
  }

  #containerMethod(self: Container, called: string, args: Value[]): Value {
    const [first = null, second = null] = args;
    if (called === "append") self.add(String(self.items.length), first);
    else if (called === "extend") for (const item of this.#iterate(first)) self.add(String(self.items.length), item);
    else if (called === "add_module" && typeof first === "string") self.add(first, second);
    else if (called === "forward") return this.#call(self, args, new Map());
    else if (called === "items") return list(self.items.map(([key, value]) => new Sequence("tuple", [key, value])));
    else if (called === "keys") return list(self.items.map(([key]) => key));
    else if (called === "values" || called === "children") return list(self.items.map(([, value]) => value));
    else if (called === "update" && first instanceof Dict) for (const [key, value] of first.entries) self.add(String(key), value);
    else if (["modules", "parameters", "named_parameters"].includes(called)) return list([]);
    else if (!["apply", "to", "eval", "train"].includes(called)) throw new Unreadable(`An nn.${self.kind} has no ${called} that is read here.`);
    return self;
  }

  #listMethod(self: Sequence, called: string, args: Value[]): Value {
    const [first = null, second = null] = args;
    if (called === "append") self.items.push(first);
    else if (called === "extend") self.items.push(...this.#iterate(first));
    else if (called === "insert" && typeof first === "number") self.items.splice(first, 0, second);
    else if (called === "pop") return (typeof first === "number" ? self.items.splice(first, 1)[0] : self.items.pop()) ?? null;
    else if (called === "reverse") self.items.reverse();
    else if (called === "numel") return this.#reduce(self.items, multiply, 1);
    else if (called === "index") return self.items.indexOf(first);
    else throw new Unreadable(`A list has no ${called} that is read here.`);
    return null;
  }

  #callBuiltin(path: string, args: Value[], named: Map<string, Value>): Value {
    const [first = null, second = null] = args;
    if (path.startsWith("torch.nn.init.")) return first;
    if (path.startsWith("torch.nn.functional.")) return this.#function(path.slice("torch.nn.functional.".length), args, named);
    if (path.startsWith("torch.nn.")) return this.#makeModule(path.slice("torch.nn.".length), args, named);
    if (path.startsWith("torch.utils.checkpoint")) return this.#call(first, args.slice(1), new Map());
    if (path.startsWith("torch.")) return this.#function(path.split(".").at(-1) ?? "", args, named);
    if (path.startsWith("math.") || path.startsWith("numpy.")) return this.#math(path.split(".").at(-1) ?? "", args);
    if (path.endsWith("OrderedDict")) {
      const pairs = first instanceof Sequence ? first.items : [];
      return new Dict(new Map(pairs.map((pair) => [this.#plain(this.#iterate(pair)[0] ?? null), this.#iterate(pair)[1] ?? null])));
    }
    switch (path) {
      case "range": {
        const [start, stop, step] = [args.length > 1 ? first : 0, args.length > 1 ? second : first, args[2] ?? 1];
        if (typeof start !== "number" || typeof stop !== "number" || typeof step !== "number" || step === 0)
          throw new Unreadable("The number of turns is known only while the model runs. Draw a Repeat or ForEachStep zone for such a loop.");
        const count = Math.max(0, Math.ceil((stop - start) / step));
        if (count > 10_000) throw new Unreadable(`A loop of ${count} turns is too long to be written out.`);
        return list(Array.from({ length: count }, (_, i) => start + i * step));
      }
      case "len":
        return this.#iterate(first).length;
      case "int":
        return typeof first === "number"
          ? Math.trunc(first)
          : typeof first === "boolean"
            ? Number(first)
            : first instanceof SizeValue
              ? first
              : typeof first === "string"
                ? Number(first)
                : this.#refuseItem();
      case "float":
        return typeof first === "string"
          ? /inf/i.test(first)
            ? first.trim().startsWith("-")
              ? -Infinity
              : Infinity
            : Number(first)
          : typeof first === "number"
            ? first
            : this.#refuseItem();
      case "bool":
        return this.#isTrue(first);
      case "str":
        return typeof first === "string" ? first : String(this.#plain(first));
      case "list":
      case "tuple":
        return new Sequence(path, args.length > 0 ? [...this.#iterate(first)] : []);
      case "dict":
        return new Dict(new Map(named));
      case "reversed":
        return list([...this.#iterate(first)].reverse());
      case "enumerate": {
        const start = typeof (named.get("start") ?? second) === "number" ? Number(named.get("start") ?? second) : 0;
        return list(this.#iterate(first).map((item, i) => new Sequence("tuple", [i + start, item])));
      }
      case "zip": {
        const lists = args.map((item) => this.#iterate(item));
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
        return this.#iterate(first).reduce((total, item) => this.#binary("+", total, item), second ?? 0);
      case "min":
      case "max": {
        const numbers = (args.length > 1 ? args : this.#iterate(first)).map((item) => (typeof item === "number" ? item : this.#refuseItem()));
        return Math[path](...numbers);
      }
      case "abs":
      case "round":
      case "pow":
        if (typeof first === "number") return path === "pow" ? first ** Number(second) : path === "abs" ? Math.abs(first) : Math.round(first);
        return this.#function(path, args, named);
      case "isinstance":
        return this.#isInstance(first, second);
      case "callable":
        return first instanceof UserFunction || first instanceof Class || first instanceof Builtin || first instanceof Module || first instanceof Method;
      case "hasattr":
        return first instanceof Instance && typeof second === "string" && (first.attributes.has(second) || first.class.find(second) !== undefined);
      case "getattr":
        if (typeof second !== "string") throw new Unreadable("getattr needs a name that is known.");
        if (args.length > 2 && first instanceof Instance && !first.attributes.has(second) && !first.class.find(second)) return args[2] ?? null;
        return this.#attribute(first, second);
      case "setattr":
        if (typeof second === "string") this.#setAttribute(first, second, args[2] ?? null);
        return null;
      case "all":
      case "any":
        return this.#iterate(first)[path === "all" ? "every" : "some"]((item) => this.#isTrue(item));
      case "sorted":
        return list([...this.#iterate(first)].sort((a, b) => Number(a) - Number(b)));
      case "print":
        return null;
      case "functools.partial":
      case "partial":
        return new UserFunction(
          {
            kind: "function",
            line: this.#line,
            name: "partial",
            parameters: [
              { name: "args", star: "*", fallback: null },
              { name: "named", star: "**", fallback: null },
            ],
            body: [
              {
                kind: "return",
                line: this.#line,
                value: {
                  kind: "call",
                  line: this.#line,
                  callee: { kind: "name", line: this.#line, name: "made" },
                  args: [
                    { name: null, star: "*", value: { kind: "name", line: this.#line, name: "first" } },
                    { name: null, star: "*", value: { kind: "name", line: this.#line, name: "args" } },
                    { name: null, star: "**", value: { kind: "name", line: this.#line, name: "known" } },
                    { name: null, star: "**", value: { kind: "name", line: this.#line, name: "named" } },
                  ],
                },
              },
            ],
            decorators: [],
          },
          this.#scopeOf({ made: first, first: list(args.slice(1)), known: new Dict(new Map(named)) }),
        );
    }
    throw new Unreadable(`${path} is not read here.`);
  }

  #scopeOf(names: { [name: string]: Value }): Scope {
    const scope = new Scope(null);
    for (const [name, value] of Object.entries(names)) scope.names.set(name, value);
    return scope;
  }

  #math(name: string, args: Value[]): Value {
    const numbers = args.map((arg) => (typeof arg === "number" ? arg : arg instanceof Sequence ? Number(this.#reduce(arg.items, multiply, 1)) : this.#refuseItem()));
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
    if (value === undefined) throw new Unreadable(`${name} of numbers is not read here.`);
    return value;
  }

  #makeModule(name: string, args: Value[], named: Map<string, Value>): Value {
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
        (args.length > 0 ? this.#iterate(first) : []).map((part, i) => [String(i), part]),
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
      throw new Unreadable("A parameter is made of numbers that are known: torch.zeros, torch.ones, torch.randn, torch.empty.");
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
      args.map((value) => this.#plain(value)),
      new Map([...named].filter(([, value]) => !(value instanceof DtypeValue)).map(([key, value]) => [key, this.#plain(value)])),
    );
  }

  #function(name: string, args: Value[], named: Map<string, Value>): Value {
    if (["no_grad", "autocast", "manual_seed", "set_default_dtype", "device"].includes(name)) return null;
    if (name === "Size") return args[0] ?? null;
    const handler = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (!handler) throw new Unreadable(`${name} is not read here.`);
    return handler(this.#callOf(name, args, named));
  }

  #callOf(name: string, args: Value[], named: Map<string, Value>): Call {
    return {
      name,
      args,
      named,
      refuse: (why) => {
        throw new Unreadable(why);
      },
      wire: (value) => this.#wire(value),
      plain: (value) => this.#plain(value),
      add: (type, params, inputs) => this.#add(type, params, inputs),
      like: (letters) => this.#inputs.find(({ type }) => letters.every((letter) => type.shape.includes(letter))),
    };
  }

  // Values

  /** A value as a wire: constants and parameters become nodes of the drawing at hand. */
  #wire(value: Value): Wire {
    if (value instanceof TensorValue) return value.wire;
    if (value instanceof ParameterValue) {
      const known = value.wires.get(this.#drawing);
      if (known) return known;
      const shape = value.tensor.sizes.map((size) => (typeof size === "number" ? size : this.#refuseItem()));
      const id = this.#drawing.freeId(value.id ?? "parameter");
      const tie = value.drawnAt ? { weightsOf: `/${value.drawnAt}` } : {};
      const wire = this.#drawing.draw("parameter", { shape, init: value.tensor.init }, {}, { id, ...tie });
      value.drawnAt ??= [...this.#path.flatMap((step) => [step, "body"]), id].join("/");
      value.wires.set(this.#drawing, wire);
      return wire;
    }
    if (value instanceof ConstantTensor) {
      const letters = value.sizes.filter((size) => typeof size === "string");
      const { dtype, sizes, values } = value;
      if (typeof values === "number" && (values === 0 || values === 1)) {
        const like = letters.length > 0 ? this.#inputs.find(({ type }) => letters.every((letter) => type.shape.includes(letter))) : undefined;
        return this.#drawing.draw(values === 0 ? "zeros" : "ones", { shape: sizes as Json[], dtype: dtype === "uint8" ? "int64" : dtype }, like ? { like } : {});
      }
      const shape = sizes.map((size) => (typeof size === "number" ? size : this.#refuseItem()));
      const count = shape.reduce((product, size) => product * size, 1);
      return this.#drawing.draw(
        "constant",
        { values: typeof values === "number" ? Array<number>(count).fill(values) : values, shape, dtype: dtype === "uint8" ? "int64" : dtype },
        {},
      );
    }
    if (value instanceof CausalMask) {
      const like = this.#inputs.find(({ type }) => type.shape[1] === value.size);
      if (like) return this.#drawing.draw("causal_mask", {}, { x: like });
    }
    if (typeof value === "number") return this.#drawing.draw("constant", { values: [value], shape: [] }, {});
    throw new Unreadable(`A tensor is needed, but this is ${kindOf(value)}.`);
  }

  #plain(value: Value): Plain {
    if (value === null || typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
    if (value instanceof Sequence) return value.items.map((item) => this.#plain(item));
    if (Array.isArray(value)) return value;
    // A function where PyTorch takes its name: `activation=F.gelu`.
    if (value instanceof Builtin) return value.path.split(".").at(-1) ?? "";
    if (value instanceof Module && value.positional.length === 0) return value.name.replace("nn.", "").toLowerCase();
    if (value instanceof Training) return true;
    if (value instanceof SizeValue) throw new Unreadable("This must be a number that is known, but it is a size known only while the model runs.");
    throw new Unreadable(`A plain number, text or list is needed, but this is ${kindOf(value)}.`);
  }

  #sizes(value: Value): Dim[] {
    if (value instanceof TensorValue) return value.wire.type.shape;
    if (value instanceof ConstantTensor) return value.sizes;
    if (value instanceof ParameterValue) return value.tensor.sizes;
    if (value instanceof CausalMask) return [value.size, value.size];
    throw new Unreadable(`${kindOf(value)} has no shape.`);
  }

  #shape(value: Value): Sequence {
    return new Sequence("tuple", this.#sizes(value).map(sizeOf));
  }

  #iterate(value: Value): Value[] {
    if (value instanceof Sequence) return value.items;
    if (value instanceof Container) return value.kind === "ModuleDict" ? value.items.map(([key]) => key) : value.items.map(([, item]) => item);
    if (value instanceof Dict) return [...value.entries.keys()].map(fromPlain);
    if (Array.isArray(value)) return value.map(fromPlain);
    if (typeof value === "string") return [...value];
    if (value instanceof TensorValue) {
      const [first] = value.wire.type.shape;
      if (typeof first === "number" && first <= 64)
        return Array.from({ length: first }, (_, index) => new TensorValue(this.#drawing.draw("select", { dim: 0, index }, { x: value.wire })));
      throw new Unreadable("A loop over a tensor whose length is known only while the model runs is not read. Draw a ForEachStep zone for it.");
    }
    throw new Unreadable(`One cannot go through ${kindOf(value)}.`);
  }

  #isTrue(value: Value): boolean {
    if (value instanceof TensorValue) throw new Unreadable("What the code does next depends on numbers that are known only while the model runs. Draw an If or While zone for it.");
    if (value instanceof Training) return false;
    if (value instanceof Sequence) return value.items.length > 0;
    if (value instanceof Container) return value.items.length > 0;
    if (value instanceof Dict) return value.entries.size > 0;
    if (value instanceof SizeValue) throw new Unreadable("What the code does next depends on a size that is known only while the model runs.");
    return Boolean(value) || (typeof value === "object" && value !== null);
  }

  #isInstance(value: Value, wanted: Value): boolean {
    if (wanted instanceof Sequence) return wanted.items.some((one) => this.#isInstance(value, one));
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

  #unary(operator: string, value: Value): Value {
    if (operator === "not") return !this.#isTrue(value);
    if (typeof value === "number" || typeof value === "boolean") return operator === "-" ? -Number(value) : operator === "~" ? ~Number(value) : Number(value);
    if (value instanceof SizeValue) return operator === "-" ? sizeOf(multiply(value.dim, -1)) : value;
    if (operator === "-") return this.#function("neg", [value], new Map());
    if (operator === "~") return this.#function("logical_not", [value], new Map());
    return value;
  }

  #binary(operator: string, left: Value, right: Value): Value {
    if (typeof left === "boolean") left = Number(left);
    if (typeof right === "boolean") right = Number(right);
    if (typeof left === "number" && typeof right === "number") return arithmeticOf(operator, left, right);
    const [a, b] = [dimOf(left), dimOf(right)];
    if (a !== null && b !== null) {
      if (operator === "+") return sizeOf(add(a, b));
      if (operator === "-") return sizeOf(subtract(a, b));
      if (operator === "*") return sizeOf(multiply(a, b));
      if (operator === "//" && typeof b === "number" && b > 0) return sizeOf(floorDivide(a, b));
      if (operator === "//" && a === b) return 1;
      throw new Unreadable(`“${operator}” of a size known only while the model runs is not read.`);
    }
    if (typeof left === "string" && typeof right === "string" && operator === "+") return left + right;
    if (typeof left === "string" && operator === "%") return left;
    if (left instanceof Sequence && right instanceof Sequence && operator === "+") return new Sequence(left.type, [...left.items, ...right.items]);
    if (left instanceof Sequence && typeof right === "number" && operator === "*")
      return new Sequence(left.type, Array.from({ length: Math.max(0, Math.min(right, 10_000)) }, () => left.items).flat());
    const constant = combineConstant(operator, left, right);
    if (constant) return constant;
    const handler = OPERATORS[operator];
    if (!handler) throw new Unreadable(`“${operator}” on tensors is not read.`);
    return handler(this.#callOf(operator, [left, right], new Map()));
  }

  #compare(operator: string, left: Value, right: Value): Value {
    if (operator === "is" || operator === "is not")
      return (left === right || (left instanceof Builtin && right instanceof Builtin && left.path === right.path)) === (operator === "is");
    if (operator === "in" || operator === "not in") {
      const has =
        right instanceof Dict
          ? right.entries.has(this.#plain(left))
          : typeof right === "string"
            ? right.includes(String(left))
            : right instanceof Container && right.kind === "ModuleDict"
              ? right.items.some(([key]) => key === left)
              : this.#iterate(right).some((item) => item === left);
      return has === (operator === "in");
    }
    const isTensor = [left, right].some((value) => value instanceof TensorValue || value instanceof ConstantTensor || value instanceof ParameterValue);
    if (isTensor && left !== null && right !== null) return OPERATORS[operator]?.(this.#callOf(operator, [left, right], new Map())) ?? null;
    if (left instanceof SizeValue || right instanceof SizeValue) {
      const [a, b] = [dimOf(left), dimOf(right)];
      if (a !== null && a === b) return operator === "==" || operator === "<=" || operator === ">=";
      // Sizes of a batch are not those that the code asks about.
      if (operator === "==" || operator === "!=") return operator === "!=";
      throw new Unreadable("What the code does next depends on a size that is known only while the model runs.");
    }
    if (left instanceof Sequence && right instanceof Sequence) return (JSON.stringify(this.#plain(left)) === JSON.stringify(this.#plain(right))) === (operator === "==");
    if (operator === "==") return left === right;
    if (operator === "!=") return left !== right;
    if (typeof left !== "number" || typeof right !== "number") throw new Unreadable(`${kindOf(left)} and ${kindOf(right)} cannot be compared.`);
    return { "<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right }[operator] ?? false;
  }

  #index(object: Value, items: SliceItem[], isTuple: boolean, scope: Scope): Value {
    const [first] = items;
    const number = (part: Expr | null): number | null => {
      if (!part) return null;
      const value = this.#evaluate(part, scope);
      if (value === null) return null;
      if (typeof value === "number") return value;
      throw new Unreadable("The limits of this slice are known only while the model runs.");
    };
    if (object instanceof Sequence || object instanceof Container) {
      const all = this.#iterate(object instanceof Container && object.kind === "ModuleDict" ? list(object.items.map(([, item]) => item)) : object);
      if (!first) throw new Unreadable("An index is missing.");
      if (first.kind === "slice") {
        const picked = sliceList(all, number(first.start), number(first.stop), number(first.step) ?? 1);
        return object instanceof Container
          ? new Container(
              object.kind,
              picked.map((item) => object.items.find(([, part]) => part === item) ?? ["", item]),
            )
          : new Sequence(object.type, picked);
      }
      const at = this.#evaluate(first, scope);
      if (object instanceof Container && typeof at === "string") return object.items.find(([key]) => key === at)?.[1] ?? this.#missing(at);
      if (typeof at !== "number") throw new Unreadable("The index must be a number that is known.");
      return all[at < 0 ? at + all.length : at] ?? this.#missing(String(at));
    }
    if (object instanceof Dict) {
      const key = first && first.kind !== "slice" ? this.#plain(this.#evaluate(first, scope)) : null;
      return object.entries.get(key) ?? this.#missing(String(key));
    }
    if (object instanceof ParameterValue || object instanceof ConstantTensor || object instanceof TensorValue || object instanceof CausalMask)
      return this.#slice(object, items, isTuple, scope);
    throw new Unreadable(`${kindOf(object)} has no parts.`);
  }

  #missing(key: string): never {
    throw new Unreadable(`There is no part ${key} here.`);
  }

  /** `x[:, -1]` as a Slice. */
  #slice(object: Value, items: SliceItem[], _isTuple: boolean, scope: Scope): Value {
    const shape = this.#sizes(object);
    const explicit = items.filter((item) => !(item.kind === "constant" && (item.value === null || item.value === "..."))).length;
    let axis = 0;
    const parts = items.map((item): string => {
      if (item.kind === "constant" && item.value === "...") {
        axis += shape.length - explicit;
        return "...";
      }
      if (item.kind === "constant" && item.value === null) return "None";
      const size = shape[axis++];
      const write = (part: Expr | null, isEnd: boolean): string => {
        if (!part) return "";
        const value = this.#evaluate(part, scope);
        if (value === null) return "";
        if (typeof value === "number") return String(value);
        // To the end, said by the size itself.
        if (value instanceof SizeValue && isEnd && value.dim === size) return "";
        throw new Unreadable("The limits of this slice are known only while the model runs.");
      };
      if (item.kind === "slice") return `${write(item.start, false)}:${write(item.stop, true)}${item.step ? `:${write(item.step, false)}` : ""}`;
      const value = this.#evaluate(item, scope);
      if (value === null) {
        axis--;
        return "None";
      }
      if (typeof value === "number") return String(value);
      throw new Unreadable("Picking parts of a tensor by another tensor is not read. Use torch.gather or torch.index_select.");
    });
    if (parts.every((part) => part === ":" || part === "...")) return object;
    return new TensorValue(this.#drawing.draw("slice", { slice: `[${parts.join(", ")}]` }, { x: this.#wire(object) }));
  }

  #reduce(items: Value[], f: (a: Dim, b: Dim) => Dim, start: Dim): Value {
    return sizeOf(items.reduce<Dim>((total, item) => f(total, dimOf(item) ?? 1), start));
  }
}

/** A tensor that leaves a block by this name, until the block is drawn. */
class Left {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Where an instance of a class that extends Sequential keeps its parts. */
const PARTS = "*parts*";
const BUILTINS = new Set(
  "range len int float bool str list tuple dict reversed enumerate zip sum min max abs round pow isinstance callable hasattr getattr setattr all any sorted print super object property staticmethod".split(
    " ",
  ),
);
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

function causalParam(type: string): string {
  return type.startsWith("transformer_decoder") ? "tgt_is_causal" : "is_causal";
}

/** `nn` and `F` are what they are usually short for. */
function tidyPath(path: string): string {
  return path.replace(/^torch\.nn\.modules\.\w+\./, "torch.nn.").replace(/^np(?=\.|$)/, "numpy");
}

function baseOf(made: Class): string | null {
  for (const base of made.bases) {
    if (base instanceof Builtin) return base.path;
    if (base instanceof Class) return baseOf(base);
  }
  return null;
}

function list(items: Value[]): Sequence {
  return new Sequence("list", items);
}

function fromPlain(value: Plain): Value {
  return Array.isArray(value) ? new Sequence("tuple", value.map(fromPlain)) : value;
}

function sizeOf(dim: Dim): Value {
  return typeof dim === "number" ? dim : new SizeValue(dim);
}

function dimOf(value: Value): Dim | null {
  return typeof value === "number" ? value : value instanceof SizeValue ? value.dim : null;
}

function arithmeticOf(operator: string, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "//":
      return Math.floor(a / b);
    case "%":
      return a - b * Math.floor(a / b);
    case "**":
      return a ** b;
    case "<<":
      return a << b;
    case ">>":
      return a >> b;
    case "&":
      return a & b;
    case "|":
      return a | b;
    default:
      throw new Unreadable(`“${operator}” of numbers is not read.`);
  }
}

/** Numbers of the code and a tensor made of numbers: a tensor made of numbers. One that is drawn stays one that is drawn. */
function combineConstant(operator: string, left: Value, right: Value): ConstantTensor | null {
  const tensor = left instanceof ConstantTensor ? left : right instanceof ConstantTensor ? right : null;
  const other = tensor === left ? right : left;
  if (!tensor || typeof other !== "number" || !["+", "-", "*", "/", "**"].includes(operator)) return null;
  if (tensor.init !== "zeros" && tensor.init !== "ones") return operator === "*" || operator === "/" ? tensor : null;
  const f = (value: number) => (tensor === left ? arithmeticOf(operator, value, other) : arithmeticOf(operator, other, value));
  return new ConstantTensor(
    tensor.sizes,
    typeof tensor.values === "number" ? f(tensor.values) : tensor.values.map(f),
    Number.isInteger(other) && operator !== "/" ? tensor.dtype : "float32",
  );
}

function sliceList<T>(items: T[], start: number | null, stop: number | null, step: number): T[] {
  if (step === 0) throw new Unreadable("A slice cannot have the step 0.");
  const at = (index: number | null, fallback: number) =>
    index === null ? fallback : Math.max(step > 0 ? 0 : -1, Math.min(items.length, index < 0 ? index + items.length : index));
  const picked: T[] = [];
  if (step > 0) for (let i = at(start, 0); i < at(stop, items.length); i += step) picked.push(items[i] as T);
  else for (let i = Math.min(at(start, items.length - 1), items.length - 1); i > at(stop, -1); i += step) picked.push(items[i] as T);
  return picked;
}

/** Names that a statement would have given, had it been read. */
function assignedNames(statement: Statement): string[] {
  const namesOf = (target: Expr): string[] => (target.kind === "name" ? [target.name] : target.kind === "sequence" ? target.items.flatMap(namesOf) : []);
  switch (statement.kind) {
    case "assign":
      return statement.targets.flatMap(namesOf);
    case "augment":
      return namesOf(statement.target);
    case "if":
      return statement.branches.flatMap(({ body }) => body.flatMap(assignedNames));
    case "for":
      return [...namesOf(statement.target), ...statement.body.flatMap(assignedNames)];
    case "while":
    case "with":
      return statement.body.flatMap(assignedNames);
    case "class":
    case "function":
      return [statement.name];
    default:
      return [];
  }
}

/** Names that a class uses in its text; its own among them only where it makes itself. */
function namesIn(statement: object): string[] {
  const names: string[] = [];
  const open: unknown[] = [statement];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (typeof item !== "object" || item === null) continue;
    if ("kind" in item && item.kind === "name" && "name" in item && typeof item.name === "string") names.push(item.name);
    open.push(...Object.values(item));
  }
  return names;
}

/** What a forward calls its results, where its last return says names alone. */
function returnedNames({ definition }: UserFunction): string[] | null {
  const last = definition.body.findLast(({ kind }) => kind === "return");
  if (last?.kind !== "return" || last.value?.kind !== "sequence") return null;
  const names = last.value.items.map((item) => (item.kind === "name" ? item.name : ""));
  return names.includes("") ? null : names;
}

/** Shapes of the inputs in order, from a first line as our own code has it: `Takes x [B, 1, 28, 28] uint8; gives y.` */
function readDoc(doc: string): { shape: (number | string)[]; dtype: Dtype }[] {
  const [, takes] = /^\s*Takes (.*?)(?:; gives|\.?\s*$)/m.exec(doc) ?? [];
  return [...(takes ?? "").matchAll(/\[([^\]]*)\](?: (float32|int64|uint8))?/g)].map(([, sizes = "", dtype]) => ({
    shape: sizes
      .split(",")
      .map((size) => size.trim())
      .filter((size) => size !== "")
      .slice(1)
      .map((size) => (/^\d+$/.test(size) ? Number(size) : size)),
    dtype: (dtype as Dtype | undefined) ?? "float32",
  }));
}

/** Input types to try, most likely first: what the model's modules take, in the order in which they were made. */
function guessInputs(instance: Instance, names: string[]): Types[] {
  const candidates: { shape: (number | string)[]; dtype: Dtype }[] = [];
  const seen = new Set<object>();
  const visit = (value: Value): void => {
    if (typeof value !== "object" || value === null || seen.has(value) || candidates.length > 24) return;
    seen.add(value);
    if (value instanceof Module) {
      const read = readModuleArgs(value.rule, value.positional, value.named);
      if ("why" in read) return;
      const { shapes = [], dtype = "float32" } = value.rule.takes?.(read.given) ?? {};
      for (const shape of shapes) candidates.push({ shape, dtype });
    } else if (value instanceof Container) for (const [, part] of value.items) visit(part);
    else if (value instanceof Instance) for (const part of value.attributes.values()) visit(part);
    else if (value instanceof Sequence) for (const part of value.items) visit(part);
  };
  visit(instance);
  const distinct = [...new Map(candidates.map((candidate) => [JSON.stringify(candidate), candidate])).values()];
  const fixed = distinct.flatMap((candidate) => withNumbers(candidate.shape).map((shape) => ({ ...candidate, shape })));
  if (names.length === 1) return [...distinct, ...fixed].map((candidate) => ({ [names[0] ?? "x"]: candidate }));
  // Several inputs: each takes any of the first few, lengths known only at run time.
  let combined: Types[] = [{}];
  for (const name of names) combined = combined.flatMap((types) => distinct.slice(0, 5).map((candidate) => ({ ...types, [name]: candidate }))).slice(0, MOST_TRIES);
  return combined;
}

/** The shape with multiples of letters, then with numbers in their place, for models that fit few sizes. */
function withNumbers(shape: (number | string)[]): (number | string)[][] {
  const letters = shape.filter((size) => typeof size === "string");
  if (letters.length === 0) return [];
  // Networks that halve images and double them again fit every multiple of some size.
  const multiples = [2, 4, 8, 16, 32].map((multiple) => shape.map((size) => (typeof size === "string" ? `${multiple}*${size}` : size)));
  const fixed = (letters.length >= 2 ? IMAGE_SIZES : LENGTHS).map((number) => shape.map((size) => (typeof size === "string" ? number : size)));
  return [...multiples, ...fixed];
}
