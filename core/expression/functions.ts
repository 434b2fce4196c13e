import { add, floorDivide, multiply, subtract } from "../graph/dims.ts";
import { sayRecord } from "../language/records.ts";
import { type ExpressionFunction, signatureOf } from "./call.ts";
import { activations, binaries, composites, predicates, unaries } from "./functions/elementwise.ts";
import { products } from "./functions/linear.ts";
import { reductions } from "./functions/reduction.ts";
import { conversions, creations, selections } from "./functions/selection.ts";
import { shapes } from "./functions/shape.ts";

/** All functions that an expression may call, in the order in which they are listed. */
export const functions: readonly ExpressionFunction[] = [
  ...unaries,
  ...binaries({ add, subtract, multiply, floorDivide }),
  ...activations,
  ...composites,
  ...predicates,
  ...reductions,
  ...products,
  ...shapes,
  ...selections,
  ...creations,
  ...conversions,
].map(sayRecord);

const byName = new Map(functions.flatMap((one) => one.names.map((name) => [name, one] as const)));

export function findFunction(name: string): ExpressionFunction | undefined {
  return byName.get(name);
}

/** The known name that differs least, for “did you mean”; undefined where none is near. */
export function nearestName(name: string): string | undefined {
  const limit = name.length < 4 ? 1 : 2;
  const near = [...byName.keys()].map((known) => ({ known, distance: distanceOf(name.toLowerCase(), known, limit) })).filter(({ distance }) => distance <= limit);
  return near.sort((a, b) => a.distance - b.distance)[0]?.known;
}

/** How many letters must be put in, taken out or changed; anything above `limit` is one number. */
function distanceOf(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length] ?? limit + 1;
}

/** A function as lists and autocompletion show it. */
export type FunctionHelp = { name: string; also: readonly string[]; group: ExpressionFunction["group"]; signature: string; doc: string };

export const functionHelp: readonly FunctionHelp[] = functions.map((one) => ({
  name: one.names[0],
  also: one.names.slice(1),
  group: one.group,
  signature: signatureOf(one),
  doc: one.doc,
}));
