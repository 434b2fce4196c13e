import { hasErrors } from "../graph/check.ts";
import type { Graph, Json } from "../graph/document.ts";
import type { Dtype } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { boundaryName, Drawing, Undrawable, type Wire } from "./drawing.ts";
import { type Expr, parsePython, type Statement } from "./python.ts";
import { callValue } from "./torch-calls.ts";
import { wireOf } from "./torch-convert.ts";
import { compute } from "./torch-expressions.ts";
import { guessInputs, MOST_TRIES, readDoc, type Types } from "./torch-guesses.ts";
import { type Done, NEXT, Poisoned, type Reading, Unreadable } from "./torch-reading.ts";
import { assignedNames, poisonTarget, runStatement } from "./torch-statements.ts";
import { Class, Dict, Instance, Poison, Scope, Sequence, TensorValue, UserFunction, type Value } from "./torch-values.ts";

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
    return {
      ok: false,
      message:
        message ??
        (list.length === 1
          ? say("One line could not be read, so nothing was imported.")
          : say("{count} lines could not be read, so nothing was imported.", { count: list.length })),
      lines: list,
    };
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

const MOST_STEPS = 200_000;
const TOO_LONG = say("This code runs longer than {MOST_STEPS} steps while it is read.", { MOST_STEPS });
const MOST_CALLS = 64;

/** One attempt at reading the code, with its inputs taken to be of some types. */
class Reader implements Reading {
  readonly #statements: Statement[];
  readonly #options: PyTorchOptions;
  readonly #globals = new Scope(null);
  readonly #notes: string[] = [];
  readonly problems = new Map<number, string>();
  drawing = new Drawing();
  readonly path: string[] = [];
  inputs: Wire[] = [];
  line = 0;
  #steps = 0;
  #furthest = 0;
  #depth = 0;

  constructor(statements: Statement[], options: PyTorchOptions) {
    this.#statements = statements;
    this.#options = options;
  }

  run(types: Types): { graph: Graph; className: string; notes: string[] } | { problems: Map<number, string>; message?: string; guesses: Types[]; furthest: number } {
    const none = (message: string) => ({ problems: this.problems, message, guesses: [], furthest: this.#furthest });
    try {
      this.#readModule();
      const model = this.#findModel();
      if (typeof model === "string") return none(model);
      this.line = model.line;
      const instance = this.#statement(model.line, () => this.call(model, [], new Map()));
      const forward = model.find("forward");
      if (!(forward instanceof UserFunction)) return none(say("The class {name} has no forward.", { name: model.name }));
      if (!(instance instanceof Instance)) return { problems: this.problems, guesses: [], furthest: 0 };
      const parameters = forward.definition.parameters.slice(1).filter(({ star, fallback }) => star === "" && !fallback);
      if (parameters.length === 0) return none(say("The forward of {name} takes no tensor.", { name: model.name }));
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
        return { problems: this.problems, ...(guesses.length === 0 ? { message } : {}), guesses, furthest: -1 };
      }
      const args = parameters.map(({ name }, i): Value => {
        const { shape, dtype = "float32" } = known(name, i) ?? { shape: [] };
        const label = boundaryName(name, "x");
        const wire = this.drawing.draw("input", { shape: shape as Json[], dtype }, {}, label === "x" ? {} : { name: label });
        this.inputs.push(wire);
        return new TensorValue(wire);
      });
      const result = this.#statement(forward.definition.line, () => this.call(forward, [instance, ...args], new Map()));
      if (result !== undefined && this.problems.size === 0) this.#drawResults(forward, result);
      if (this.problems.size > 0) return { problems: this.problems, guesses: [], furthest: this.#furthest };
      const { graph, checked } = this.drawing.finish();
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
        if (!this.problems.has(at)) this.problems.set(at, error.message);
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
        const known = this.problems.size;
        this.#execute(statement, this.#globals);
        // A script may load data and train; only what the model uses counts.
        if (this.problems.size > known) this.problems.delete(statement.line);
      }
    }
  }

  #findModel(): Class | string {
    const classes = [...this.#globals.names.values()].filter((value): value is Class => value instanceof Class && value.isModule);
    const { className } = this.#options;
    if (className !== undefined) return classes.find(({ name }) => name === className) ?? say("There is no class {className} that extends nn.Module in this code.", { className });
    if (classes.length === 0) return say("There is no class that extends nn.Module in this code.");
    const used = new Set(this.#statements.flatMap((statement) => (statement.kind === "class" ? namesIn(statement) : [])));
    return classes.findLast(({ name }) => !used.has(name)) ?? (classes.at(-1) as Class);
  }

  #drawResults(forward: UserFunction, result: Value): void {
    const outputs = this.#resultsOf(result, returnedNames(forward));
    if (outputs.length === 0) throw new Unreadable("forward returns no tensor.", forward.definition.line);
    for (const [name, value] of outputs) this.drawing.add("output", {}, { x: wireOf(this, value) }, name === "y" ? {} : { name });
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

  count(why: string, line: number | null = null): void {
    if (++this.#steps > MOST_STEPS) throw new Unreadable(why, line);
  }

  block(body: Statement[], scope: Scope): Done {
    for (const statement of body) {
      const done = this.#execute(statement, scope);
      if (done.kind !== "next") return done;
    }
    return NEXT;
  }

  #execute(statement: Statement, scope: Scope): Done {
    this.count(TOO_LONG, statement.line);
    const outer = this.line;
    this.line = statement.line;
    let done: Done | undefined;
    const ran = this.#statement(statement.line, () => {
      done = runStatement(this, statement, scope);
      return true;
    });
    this.line = outer;
    this.#furthest++;
    if (ran && done) return done;
    for (const name of assignedNames(statement)) scope.names.set(name, new Poison());
    if (statement.kind === "assign") for (const target of statement.targets) poisonTarget(this, target, scope);
    return statement.kind === "return" ? { kind: "return", value: new Poison() } : NEXT;
  }

  evaluate(expr: Expr, scope: Scope): Value {
    this.count(TOO_LONG);
    const value = compute(this, expr, scope);
    if (value instanceof Poison) throw new Poisoned();
    return value;
  }

  call(called: Value, args: Value[], named: Map<string, Value>): Value {
    if (++this.#depth > MOST_CALLS) throw new Unreadable(say("Calls are nested deeper than {MOST_CALLS}.", { MOST_CALLS }));
    try {
      return callValue(this, called, args, named);
    } finally {
      this.#depth--;
    }
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
