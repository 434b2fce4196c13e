import { say } from "../language/say.ts";
import { readExpression } from "./evaluate.ts";
import { findFunction } from "./functions.ts";
import type { Argument, Ast, IndexItem } from "./parse.ts";
import { PyText } from "./python.ts";

/** A text that Keras has no words for; the message is the reason, in one sentence. */
export class KerasHasNone extends Error {}

/** Functions that `keras.ops` has under the same name, with the same arguments in the same order. */
const SAME = new Set(
  (
    "abs exp log log2 log10 log1p expm1 sqrt square sin cos tan arcsin arccos arctan sinh cosh tanh floor ceil sign erf reciprocal negative " +
    "sigmoid relu softplus silu maximum minimum where isnan isfinite einsum matmul mean sum max min prod std var argmax argmin concatenate stack " +
    "softmax log_softmax logical_and logical_or logical_not"
  ).split(" "),
);
/** Those that may also be written behind a dot. */
const METHODS = new Set(["mean", "sum", "max", "min", "prod", "std", "var", "argmax", "argmin"]);
const OPERATORS = new Set(["+", "-", "*", "/", "**", "@", "==", "!=", "<", "<=", ">", ">="]);

/**
 * An expression as Python over `keras.ops`: the lines that come before, and what each output is. `inputs` are the variables by the
 * names that the text gives them.
 * @throws KerasHasNone
 */
export function printKeras(text: string, inputs: { [name: string]: string }, fresh: (wanted: string) => string): { lines: string[]; outputs: { [name: string]: string } } {
  const read = readExpression(text);
  if ("problem" in read) throw new Error(`A checked expression can be read: ${read.problem.message}`);
  const known = new Map(Object.entries(inputs));
  const lines: string[] = [];
  const { statements, outputs } = read.expression;
  let last: string[] = [];
  for (const { targets, value } of statements) {
    const parts = value.kind === "tuple" && targets.length !== 1 ? value.items : [value];
    if (targets.length > 1 && parts.length !== targets.length) throw new KerasHasNone("it takes a result apart into several names.");
    const codes = parts.map((part) => print(part, known).code);
    if (targets.length === 0) last = codes;
    else {
      last = targets.map(({ name }) => fresh(name));
      lines.push(...last.map((variable, i) => `${variable} = ${codes[i]}`));
      for (const [i, { name }] of targets.entries()) known.set(name, last[i] ?? "");
    }
  }
  return { lines, outputs: Object.fromEntries(outputs.map((name, i) => [name, last[i] ?? "None"])) };
}

function print(ast: Ast, known: ReadonlyMap<string, string>): PyText {
  switch (ast.kind) {
    case "number":
      return PyText.number(ast.value, ast.isWhole);
    case "text":
      return new PyText(JSON.stringify(ast.value));
    case "constant":
      if (ast.value === "...") return new PyText("...");
      return new PyText(ast.value === null ? "None" : ast.value ? "True" : "False");
    case "name": {
      const variable = ast.qualified ? undefined : known.get(ast.name);
      if (variable !== undefined) return new PyText(variable);
      if (ast.name === "pi" || ast.name === "e" || ast.name === "inf") return new PyText(`np.${ast.name}`);
      throw new KerasHasNone(say("{name} is no name that it has.", { name: ast.name }));
    }
    case "tuple":
      return new PyText(`(${ast.items.map((item) => print(item, known)).join(", ")}${ast.items.length === 1 ? "," : ""})`);
    case "unary":
      if (ast.operator === "~") return new PyText(`ops.logical_not(${print(ast.operand, known)})`);
      return PyText.unary(ast.operator, print(ast.operand, known));
    case "binary":
      if (!OPERATORS.has(ast.operator)) throw new KerasHasNone(`the operator ${ast.operator} means something else for its tensors.`);
      return PyText.binary(print(ast.left, known), ast.operator, print(ast.right, known));
    case "call":
      return call(ast.name, ast.args, known);
    case "method":
      if (!METHODS.has(ast.name)) throw new KerasHasNone(`the method ${ast.name} has no counterpart.`);
      return call(ast.name, [{ name: null, value: ast.object, span: ast.span }, ...ast.args], known);
    case "attribute":
      if (ast.name === "mT") return new PyText(`ops.swapaxes(${print(ast.object, known)}, -1, -2)`);
      if (ast.name === "shape") return new PyText(`${print(ast.object, known).atom}.shape`);
      throw new KerasHasNone(`.${ast.name} has no counterpart.`);
    case "index":
      if (ast.items.some((item) => !isPlain(item))) throw new KerasHasNone("it indexes by a tensor, or backwards.");
      if (isBatchSize(ast)) throw new KerasHasNone("the size of the batch is not known while a model is built.");
      return new PyText(`${print(ast.object, known).atom}[${ast.items.map((item) => printItem(item, known)).join(", ")}]`);
  }
}

function call(name: string, args: readonly Argument[], known: ReadonlyMap<string, string>): PyText {
  const [first = name] = findFunction(name)?.names ?? [];
  const op = SAME.has(name) ? name : SAME.has(first) ? first : null;
  if (op === null) throw new KerasHasNone(`the function ${name} has no counterpart that is sure to be the same.`);
  if (args.some((argument) => argument.name !== null && !["axis", "keepdims"].includes(argument.name))) throw new KerasHasNone(`an argument of ${name} has no counterpart.`);
  return new PyText(`ops.${op}(${args.map((argument) => `${argument.name === null ? "" : `${argument.name}=`}${print(argument.value, known)}`).join(", ")})`);
}

/** Whole numbers, ranges of them with a step forwards, `...` and None. */
function isPlain(item: IndexItem): boolean {
  const isNumber = (ast: Ast | null): boolean =>
    ast === null ||
    (ast.kind === "number" && ast.isWhole) ||
    (ast.kind === "unary" && ast.operator === "-" && isNumber(ast.operand)) ||
    (ast.kind === "constant" && typeof ast.value !== "boolean");
  if (item.kind === "item") return isNumber(item.value);
  return isNumber(item.start) && isNumber(item.stop) && (item.step === null || (item.step.kind === "number" && item.step.value > 0));
}

/** `x.shape[0]` */
function isBatchSize({ object, items }: Extract<Ast, { kind: "index" }>): boolean {
  const [item] = items;
  return object.kind === "attribute" && object.name === "shape" && item?.kind === "item" && item.value.kind === "number" && item.value.value === 0;
}

function printItem(item: IndexItem, known: ReadonlyMap<string, string>): string {
  if (item.kind === "item") return print(item.value, known).code;
  const side = (ast: Ast | null) => (ast === null ? "" : print(ast, known).code);
  return `${side(item.start)}:${side(item.stop)}${item.step === null ? "" : `:${side(item.step)}`}`;
}
