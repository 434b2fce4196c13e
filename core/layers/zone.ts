import type { Body, Node } from "../graph/document.ts";
import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { bodyInputs } from "./input.ts";
import { type InferProblem, type InputPorts, isSameType, type OnnxBuilder, type OnnxValue, type OutputPorts } from "./kit.ts";
import { bodyOutputs } from "./output.ts";

/** What all zones have in common: ports that follow from the inputs and outputs drawn inside, and what they say of them. */

/** The bodies that a node has of these roles. */
export function drawnBodies(node: Node, roles: readonly string[]): Body[] {
  return roles.flatMap((role) => (node.bodies && Object.hasOwn(node.bodies, role) ? (node.bodies[role] ?? []) : []));
}

/** The names of the inputs of some bodies together: x first, then by name. */
export function inputNames(bodies: readonly Body[]): string[] {
  return xFirst([...new Set(bodies.flatMap((body) => bodyInputs(body).map(({ name }) => name)))]);
}

/** The names of the outputs of a body in order, as its results stand everywhere. */
export function outputNames(body: Body | undefined): string[] {
  return [...new Set(body ? bodyOutputs(body).map(({ name }) => name) : [])].sort();
}

/** A port for each of these inputs of the bodies, where the zone has none of that name itself. */
export function portsIn(names: readonly string[], own: InputPorts = {}): InputPorts {
  return Object.fromEntries(names.filter((name) => !Object.hasOwn(own, name)).map((name) => [name, { doc: `Its input ${name}.`, dtype: "any" as const }]));
}

export function portsOut(names: readonly string[]): OutputPorts {
  return Object.fromEntries(names.map((name) => [name, { doc: `Its output ${name}.` }]));
}

/** x, then by name. */
export function xFirst(names: string[]): string[] {
  return names.toSorted((a, b) => Number(b === "x") - Number(a === "x") || (a < b ? -1 : 1));
}

/** `float32 [B, 8]` */
export function describeType({ dtype, shape }: TensorType): string {
  return `${dtype} ${printShape(shape)}`;
}

/** A body without the output that its zone asks for. */
export function needOutput(title: string, role: string, name = "y"): InferProblem {
  return { problem: say("The {role} of {title} has no output named {name}.", { role, title, name }), code: "GRAPH_BODY", hint: say("Open it, add an Output, and connect it.") };
}

/** An input inside that is named as a port which the zone keeps for itself. */
export function nameTaken(title: string, name: string): InferProblem {
  return {
    problem: say("{title} has a port {name} of its own, so no input inside it can be named {name}.", { title, name }),
    code: "GRAPH_BODY",
    hint: say("Open it and give that input another name."),
  };
}

export function needCondition(where: string, type: TensorType, port?: string): InferProblem {
  return {
    problem: say("{where} must be a single true or false but is {type}.", { where, type: describeType(type) }),
    code: type.dtype === "bool" ? "GRAPH_SHAPE" : "GRAPH_DTYPE",
    port,
    hint: say("Average over all axes with Mean (dim empty), then compare with Greater."),
  };
}

/** The value as a scalar, which ONNX wants of conditions and counts. */
export function toScalar(b: OnnxBuilder, { name }: OnnxValue): string {
  return b.node("Reshape", [name, b.constant([], [0], "int64")])[0] ?? "";
}

/** What a record holds under a name that a person chose, be it `constructor`. */
export function ownOf<T>(record: { [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The result of this name of a body that has been checked. */
export function resultOf<T>(results: { [name: string]: T }, name = "y"): T {
  const result = ownOf(results, name);
  if (result === undefined) throw new Error(`The body of a checked zone has an output ${name}.`);
  return result;
}

/** Bodies of which one runs, by role, must give the same. */
export function sameResults(title: string, results: { [role: string]: { [name: string]: TensorType } }): InferProblem | null {
  const [[first, wanted] = ["", {}], ...others] = Object.entries(results);
  if (Object.keys(wanted).length === 0) return needOutput(title, first);
  for (const [role, given] of others) {
    for (const [name, type] of Object.entries(wanted)) {
      const own = ownOf(given, name);
      if (!own) return needOutput(title, role, name);
      if (!isSameType(own, type)) {
        const what = Object.keys(wanted).length > 1 ? ` as ${name}` : "";
        const who = others.length > 1 ? "All bodies" : "Both bodies";
        return {
          problem: say("{who} of {title} must give the same{what}, but {first} gives {type} and {role} {own}.", {
            who,
            title,
            what,
            first,
            type: describeType(type),
            role,
            own: describeType(own),
          }),
          code: "GRAPH_BODY",
        };
      }
    }
    const extra = Object.keys(given).find((name) => !Object.hasOwn(wanted, name));
    if (extra !== undefined) return needOutput(title, first, extra);
  }
  return null;
}

/** Values by the names they stand for in order. */
export function byName<T>(names: readonly string[], values: readonly T[]): { [name: string]: T } {
  return Object.fromEntries(names.flatMap((name, i): [string, T][] => (values[i] === undefined ? [] : [[name, values[i]]])));
}
