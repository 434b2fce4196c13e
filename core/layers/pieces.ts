import type { Json } from "../graph/document.ts";
import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import type { InferProblem, OutputPorts } from "./kit.ts";

/** Split and Chunk have a port for each piece: `y1`, `y2`, …; so many at most. */
export const MAX_PIECES = 64;

/** The ports of so many pieces, as its parameters say, whatever stands in them. */
export function piecePorts(count: number): OutputPorts {
  const pieces = Number.isInteger(count) ? Math.min(Math.max(count, 1), MAX_PIECES) : 1;
  return Object.fromEntries(Array.from({ length: pieces }, (_, i) => [`y${i + 1}`, { doc: `Piece ${i + 1}.` }]));
}

/** How long a list is that stands in a parameter. */
export function lengthOf(value: Json | undefined, otherwise: number): number {
  return value === undefined ? otherwise : Array.isArray(value) ? value.length : 1;
}

/** The axis that is cut and its size, which must be known. */
export function needCut(title: string, dim: number, shape: Shape): { axis: number; size: number } | InferProblem {
  const found = needAxis(title, dim, shape);
  if ("problem" in found) return found;
  const size = shape[found.axis] ?? 1;
  if (typeof size === "number") return { axis: found.axis, size };
  return {
    problem: say("{title} needs to know the size of axis {dim}, which in {shape} is known only at run time.", { title, dim, shape: printShape(shape) }),
    code: "GRAPH_PARAM",
    param: "dim",
    hint: say("Take parts of it with Slice."),
  };
}

/** Names by port in order. */
export function toPorts<T>(pieces: T[]): { [port: string]: T } {
  return Object.fromEntries(pieces.map((piece, i) => [`y${i + 1}`, piece]));
}
