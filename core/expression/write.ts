import { Identifiers, RESERVED_NAMES } from "../export/python.ts";
import type { OnnxBuilder, OnnxValue, ProgramBuilder, Value } from "../layers/kit.ts";
import type { Evaluated } from "./evaluate.ts";
import { PyText } from "./python.ts";
import { EngineWriter, OnnxWriter, PyWriter, type Step, type Tensor } from "./step.ts";

/** Writes an evaluated expression for the engine, for ONNX and for PyTorch. Every step is written once, however often it is used. */

/** A value for each output. */
export function lowerExpression({ outputs }: Evaluated, inputs: { readonly [name: string]: Value }, b: ProgramBuilder): { [output: string]: Value } {
  return walk(outputs, inputs, (step, args) => {
    const written = step.lower(new EngineWriter(b, inputs, step.types), args);
    // What stands for another value keeps that value's id under the type that is known here.
    return listOf(written).map(({ id }, i) => ({ id, type: step.types[i] ?? { dtype: "float32", shape: [] } }));
  });
}

/** The name of each output. */
export function writeOnnx({ outputs }: Evaluated, inputs: { readonly [name: string]: OnnxValue }, b: OnnxBuilder): { [output: string]: string } {
  const names = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value.name]));
  const writer = new OnnxWriter(b, inputs);
  return walk(outputs, names, (step, args) => listOf(step.onnx(writer, args)));
}

function listOf<T>(one: T | T[]): T[] {
  return Array.isArray(one) ? one : [one];
}

function walk<T>(outputs: Evaluated["outputs"], inputs: { readonly [name: string]: T }, write: (step: Step, args: T[]) => T[]): { [output: string]: T } {
  const written = new Map<Step, T[]>();
  const resultFor = ({ from }: Tensor): T => {
    const value = "input" in from ? inputs[from.input] : written.get(from.step)?.[from.index];
    if (value === undefined) throw new Error("Steps are written after what they take.");
    return value;
  };
  for (const step of stepsOf(Object.values(outputs), (step) => step.inputs)) written.set(step, write(step, step.inputs.map(resultFor)));
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, resultFor(tensor)]));
}

/** All steps that these tensors need, each after those it takes. */
function stepsOf(tensors: readonly Tensor[], inputsOf: (step: Step) => readonly Tensor[]): Step[] {
  const order: Step[] = [];
  const seen = new Set<Step>();
  // Walked without recursion, since chains may be long.
  const open = tensors.toReversed().map(({ from }) => ({ from, isDone: false }));
  for (let top = open.pop(); top; top = open.pop()) {
    if ("input" in top.from) continue;
    const { step } = top.from;
    if (top.isDone) order.push(step);
    else if (!seen.has(step)) {
      seen.add(step);
      open.push(
        { from: top.from, isDone: true },
        ...inputsOf(step)
          .toReversed()
          .map(({ from }) => ({ from, isDone: false })),
      );
    }
  }
  return order;
}

/** Multiply-adds of one sample. */
export function countMultiplyAdds({ outputs }: Evaluated): number {
  return stepsOf(Object.values(outputs), (step) => step.inputs).reduce((sum, { multiplyAdds = 0 }) => sum + multiplyAdds, 0);
}

/**
 * Lines of Python that end with `return`, and the one expression that is returned where no line is needed before. What is long gets
 * a line of its own, unless `maxLength` says else.
 */
export function printPyTorch({ outputs, shapes }: Evaluated, inputs: { readonly [name: string]: string }, maxLength = 120): { lines: string[]; expression: string | null } {
  const taken = new Identifiers([...RESERVED_NAMES, ...Object.values(inputs)]);
  const lines: string[] = [];
  const inputsOf = (step: Step) => step.torchInputs ?? step.inputs;
  const results = Object.values(outputs);
  const steps = stepsOf(results, inputsOf);
  const uses = new Map<Step, number>();
  for (const { from } of [...results, ...steps.flatMap((step) => [...inputsOf(step)])]) if ("step" in from) uses.set(from.step, (uses.get(from.step) ?? 0) + 1);
  const name = (text: PyText, wanted = "h"): PyText => {
    if (/^[A-Za-z_]\w*$/.test(text.code)) return text;
    const variable = taken.fresh(wanted);
    lines.push(`${variable} = ${text}`);
    return new PyText(variable);
  };
  const writer = new PyWriter(inputs, shapes);
  const written = new Map<Step, PyText>();
  const textOf = ({ from }: Tensor): PyText => {
    if ("input" in from) return new PyText(inputs[from.input] ?? "");
    const text = written.get(from.step);
    if (!text) throw new Error("Steps are written after what they take.");
    return from.step.types.length === 1 ? text : new PyText(`${text.atom}[${from.index}]`);
  };
  for (const step of steps) {
    const made = step.torch(writer, inputsOf(step).map(textOf));
    const text = typeof made === "string" ? new PyText(made) : made;
    // What is read twice, has several results or is long stands in a line of its own.
    const isShared = (uses.get(step) ?? 0) > 1 && step.constant === undefined;
    written.set(step, isShared || step.types.length > 1 || text.code.length > maxLength ? name(text, step.name) : text);
  }
  const codes = results.map((result) => textOf(result).code);
  const [only = ""] = codes;
  if (lines.length === 0 && codes.length === 1) return { lines: [`return ${only}`], expression: only };
  return { lines: [...lines, `return ${codes.join(", ")}`], expression: null };
}
