import type { Node } from "../graph/document.ts";
import type { Dim, TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { bodyInputs, input } from "./input.ts";
import { type InferProblem, type InputPorts, isSameType, type OnnxBuilder, type OnnxValue, type OutputPorts, onnxSizes, type ProgramBuilder, type Value } from "./kit.ts";
import { readParams } from "./params.ts";
import { byName, describeType, drawnBodies, inputNames, nameTaken, needOutput, outputNames, ownOf, portsIn, portsOut, xFirst } from "./zone.ts";

/**
 * What Repeat, While and ForEachStep have in common: which values go round. An input of the body goes round where an output has its
 * name (and x with y), else it comes in unchanged on every turn; an output that does not go round gives one item a turn.
 */
export type Loop = { title: string; carries: Carry[]; captured: string[]; items: string[]; own: string[] };
type Carry = { input: string; output: string; node: Node };

/** The name of the input that receives the number of the turn. */
const INDEX = "index";

/** How a zone's loop differs: ports of its own, the roles of its bodies (the last goes round), and whether x is one step and does not go round. */
type LoopKind = { title: string; own: InputPorts; roles: readonly string[]; takesSteps?: boolean; hasIndex: boolean };

export function readLoop(node: Node, { title, own, roles, takesSteps = false, hasIndex }: LoopKind): Loop {
  const bodies = drawnBodies(node, roles);
  const outputs = outputNames(drawnBodies(node, roles.slice(-1))[0]);
  const names = inputNames(bodies).filter((name) => !(takesSteps && name === "x") && !(hasIndex && name === INDEX));
  const partner = (name: string) => (outputs.includes(name) ? name : name === "x" && outputs.includes("y") && !names.includes("y") ? "y" : undefined);
  const nodes = new Map(bodies.flatMap((body) => bodyInputs(body).map(({ name, node }) => [name, node])));
  const carries = names.flatMap((name): Carry[] => {
    const output = partner(name);
    const inner = nodes.get(name);
    return output === undefined || !inner ? [] : [{ input: name, output, node: inner }];
  });
  const carried = new Set(carries.map(({ output }) => output));
  return { title, carries, captured: names.filter((name) => partner(name) === undefined), items: outputs.filter((name) => !carried.has(name)), own: Object.keys(own) };
}

/** The ports of a loop. A carry that starts at zeros where nothing is connected is optional; x tells how large the batch is. */
export function loopPorts(loop: Loop, own: InputPorts, docs: { carry: string; item: string }): { inputs: InputPorts; outputs: OutputPorts } {
  const names = [...loop.carries.map(({ input }) => input), ...loop.captured];
  const inputs = portsIn(xFirst(names), own);
  for (const { input } of loop.carries) {
    const port = inputs[input];
    if (port) inputs[input] = { ...port, doc: `Where ${input} starts${input === "x" ? "" : "; zeros where it is not connected"}.`, optional: input !== "x" };
  }
  const outputs = portsOut(outputsOf(loop).sort());
  for (const { output } of loop.carries) outputs[output] = { doc: docs.carry };
  for (const name of loop.items) outputs[name] = { doc: docs.item };
  return { inputs: { ...inputs, ...own }, outputs };
}

/** The outputs of the body in the order in which loops keep them: what goes round, then the items. */
export function outputsOf({ carries, items }: Loop): string[] {
  return [...carries.map(({ output }) => output), ...items];
}

/** Where the first size of zeros comes from: a port and an axis of it. */
export type Batch = { port: string; axis: number };

/** The first connected port that has a batch. */
export function batchOf(types: { [port: string]: TensorType }): Batch | null {
  const port = Object.keys(types).find((name) => (types[name]?.shape.length ?? 0) > 0);
  return port === undefined ? null : { port, axis: 0 };
}

/** The types that the body is given, but for steps and index, or why it cannot be. */
export function loopArguments(loop: Loop, inputs: { [port: string]: TensorType }, batch: Dim | null): { args: { [name: string]: TensorType } } | InferProblem {
  const { title, carries, captured, own } = loop;
  const taken = [...carries.map(({ input }) => input), ...captured].find((name) => own.includes(name));
  if (taken !== undefined) return nameTaken(title, taken);
  if (outputsOf(loop).length === 0) return needOutput(title, "body");
  const args: { [name: string]: TensorType } = {};
  for (const { input, node } of carries) {
    const type = ownOf(inputs, input) ?? startOf(title, input, node, batch);
    if ("problem" in type) return type;
    args[input] = type;
  }
  for (const name of captured) {
    const type = ownOf(inputs, name);
    if (type) args[name] = type;
  }
  return { args };
}

/** The type of a carry that starts at zeros, written on its Input inside. */
function startOf(title: string, name: string, node: Node, batch: Dim | null): TensorType | InferProblem {
  if (batch === null)
    return {
      problem: say("{title} cannot tell how large the batch is, so {name} must be connected.", { title, name }),
      port: name,
      hint: say("Draw a wire into it, or into another port that has a batch."),
    };
  const { values } = readParams(input.params, node.params);
  const shape = values.shape as Dim[];
  const symbol = shape.find((size) => typeof size === "string");
  if (symbol !== undefined)
    return {
      problem: say("{name} of {title} starts at zeros, but its Input inside leaves the size {symbol} open.", { name, title, symbol }),
      code: "GRAPH_BODY",
      port: name,
      hint: say("Open it and give the Input {name} a shape of numbers, or connect {name}.", { name }),
    };
  return { dtype: values.dtype as TensorType["dtype"], shape: [batch, ...shape] };
}

/** What is wrong with what goes round: it must come back as it went in. */
export function carryProblem({ title, carries, items }: Loop, args: { [name: string]: TensorType }, results: { [name: string]: TensorType }): InferProblem | null {
  for (const { input, output } of carries) {
    const [before, after] = [ownOf(args, input), ownOf(results, output)];
    if (!after) return needOutput(title, "body", output);
    if (before && !isSameType(after, before)) {
      const what = input === "x" ? "" : ` as ${input}`;
      return {
        problem: say("The body of {title} must give what it takes{what}, {before}, but gives {after}.", { title, what, before: describeType(before), after: describeType(after) }),
        code: "GRAPH_BODY",
        ...(input === "x" ? {} : { hint: say("Where nothing is connected, the shape of the Input {input} inside says what it starts as.", { input }) }),
      };
    }
  }
  const missing = items.find((name) => !ownOf(results, name));
  return missing === undefined ? null : needOutput(title, "body", missing);
}

/** The values that a loop starts with in a program; zeros take their batch from `batch`. */
export function startValues(loop: Loop, inputs: { [port: string]: Value }, b: ProgramBuilder, outputs: { [port: string]: TensorType }, batch: Batch | null): Value[] {
  return loop.carries.map(({ input, output }) => {
    const given = ownOf(inputs, input);
    if (given) return given;
    const [type, of] = [ownOf(outputs, output), batch && ownOf(inputs, batch.port)];
    if (!type || !batch || !of) throw new Error(`Carry ${input} of a checked loop has a type and a batch.`);
    return b.call("aten::new_zeros", [of, { ints: [{ size: [of, batch.axis] }, ...type.shape.slice(1).map(Number)] }, type.dtype], type);
  });
}

/** The same in ONNX. */
export function startNames(loop: Loop, inputs: { [port: string]: OnnxValue }, b: OnnxBuilder, outputs: { [port: string]: TensorType }, batch: Batch | null): OnnxValue[] {
  return loop.carries.map(({ input, output }) => {
    const given = ownOf(inputs, input);
    if (given) return given;
    const [type, of] = [ownOf(outputs, output), batch && ownOf(inputs, batch.port)];
    if (!type || !batch || !of) throw new Error(`Carry ${input} of a checked loop has a type and a batch.`);
    const sizes = onnxSizes(b, [{ of: of.name, axis: batch.axis }, ...type.shape.slice(1).map(Number)]);
    return { name: b.node("Expand", [b.constant([0], [], type.dtype), sizes])[0] ?? "", type };
  });
}

/** The arguments of one turn by name. */
export function turnArguments<T>(loop: Loop, inputs: { [port: string]: T }, carried: readonly T[], more: { [name: string]: T } = {}): { [name: string]: T } {
  const captured = loop.captured.flatMap((name): [string, T][] => {
    const value = ownOf(inputs, name);
    return value === undefined ? [] : [[name, value]];
  });
  const round = loop.carries.flatMap(({ input }, i): [string, T][] => {
    const value = carried[i];
    return value === undefined ? [] : [[input, value]];
  });
  return { ...Object.fromEntries(captured), ...Object.fromEntries(round), ...more };
}

/** Results by name in the order in which loops keep them. */
export function inLoopOrder<T>(loop: Loop, results: { [name: string]: T }): T[] {
  return outputsOf(loop).flatMap((name) => {
    const result = ownOf(results, name);
    return result === undefined ? [] : [result];
  });
}

/** And back: by name. */
export function byOutput<T>(loop: Loop, values: readonly T[]): { [name: string]: T } {
  return byName(outputsOf(loop), values);
}

/** A loop's variables in PyTorch code. */
type LoopVariables = {
  /** Lines before the loop: zeros, empty lists. */
  before: string[];
  carried: string[];
  /** The variable of one turn's item, and of the list of all, by output. */
  items: { name: string; item: string; list: string }[];
  /** The left side of the call of the body, in order of its outputs' names. */
  left: (rename?: (variable: string) => string) => string;
  /** The expressions that `forward` returns, in order of the ports. */
  results: (stack: (list: string) => string) => string;
};

export function loopVariables(
  loop: Loop,
  inputs: { [port: string]: string },
  fresh: (wanted: string) => string,
  types: { outputs: { [port: string]: TensorType } },
  batch: Batch | null,
): LoopVariables {
  const before: string[] = [];
  const carried = loop.carries.map(({ input, output }) => {
    const given = ownOf(inputs, input);
    if (given !== undefined) return given;
    const variable = fresh(input);
    const [type, of] = [ownOf(types.outputs, output), batch && ownOf(inputs, batch.port)];
    const sizes = [`${of}.shape[${batch?.axis}]`, ...(type?.shape.slice(1) ?? [])].join(", ");
    before.push(`${variable} = ${of}.new_zeros(${sizes}${type?.dtype === "float32" ? "" : `, dtype=torch.${type?.dtype}`})`);
    return variable;
  });
  const items = loop.items.map((name) => ({ name, item: fresh(name), list: fresh(`all_${name}`) }));
  for (const { list } of items) before.push(`${list} = []`);
  const names = outputsOf(loop).sort();
  const variable = (name: string) => carried[loop.carries.findIndex(({ output }) => output === name)];
  return {
    before,
    carried,
    items,
    left: (rename = (name) => name) =>
      names
        .map((name) => {
          const round = variable(name);
          return round === undefined ? items.find((item) => item.name === name)?.item : rename(round);
        })
        .join(", "),
    results: (stack) => names.map((name) => variable(name) ?? stack(items.find((item) => item.name === name)?.list ?? "")).join(", "),
  };
}

/** Moves the axis along which ONNX's Loop collects, its first, to another place. */
export function moveFirstAxis(b: OnnxBuilder, name: string, axis: number, rank: number): string {
  if (axis === 0) return name;
  const others = Array.from({ length: rank - 1 }, (_, i) => i + 1);
  return b.node("Transpose", [name], { perm: others.toSpliced(axis, 0, 0) })[0] ?? "";
}
