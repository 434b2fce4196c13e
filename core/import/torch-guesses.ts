import type { Dtype } from "../graph/shape.ts";
import { readModuleArgs } from "./torch-modules.ts";
import { Container, Instance, Module, Sequence, type Value } from "./torch-values.ts";

/** What the inputs are taken to be while reading. */
export type Types = { [name: string]: { shape: (number | string)[]; dtype: Dtype } };

/** How many guesses are tried. */
export const MOST_TRIES = 160;

/** Sizes of images and sequences that people use, for models that fit one alone. */
const IMAGE_SIZES = [28, 32, 64, 224, 96, 128, 256, 227, 299, 48, 16, 84, 112, 160, 192, 240, 384, 512];

const LENGTHS = [16, 32, 64, 128, 10, 20, 50, 100, 28, 8, 256, 512, 784, 1024];

/** Shapes of the inputs in order, from a first line as our own code has it: `Takes x [B, 1, 28, 28] uint8; gives y.` */
export function readDoc(doc: string): { shape: (number | string)[]; dtype: Dtype }[] {
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
export function guessInputs(instance: Instance, names: string[]): Types[] {
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
