import { z } from "zod";

/** How the inspector draws one parameter, and what may stand in it. Made by the `p.*` functions below. */
export type Param<T> = {
  schema: z.ZodType<T>;
  default: T;
  doc: string;
  control:
    | { kind: "int" | "float"; min?: number; max?: number; step?: number }
    | { kind: "bool" }
    | { kind: "choice"; options: readonly string[] }
    | { kind: "size"; axes: number; min: number; words: readonly string[] }
    | { kind: "ints" | "dims"; placeholder: string }
    | { kind: "text"; placeholder: string };
};

export type Params = { [name: string]: Param<unknown> };
/** The values of a parameter record: `Values<typeof conv2d.params>`. */
export type Values<P> = { [K in keyof P]: P[K] extends Param<infer T> ? T : never };

type Range = { min?: number; max?: number };

/** Parameter kinds. A schema's message says the field's range; `checkParams` puts the field's name in front. */
export const p = {
  int: (o: Range & { default: number; doc: string }): Param<number> => ({
    schema: z.int({ error: `a whole number${rangeText(o)}` }).min(o.min ?? -2147483648, `a whole number${rangeText(o)}`).max(o.max ?? 2147483647, `a whole number${rangeText(o)}`),
    default: o.default,
    doc: o.doc,
    control: { kind: "int", min: o.min, max: o.max, step: 1 },
  }),
  float: (o: Range & { default: number; doc: string; step?: number }): Param<number> => ({
    schema: z.number({ error: `a number${rangeText(o)}` }).min(o.min ?? -Infinity, `a number${rangeText(o)}`).max(o.max ?? Infinity, `a number${rangeText(o)}`),
    default: o.default,
    doc: o.doc,
    control: { kind: "float", min: o.min, max: o.max, step: o.step },
  }),
  bool: (o: { default: boolean; doc: string }): Param<boolean> => ({ schema: z.boolean({ error: "on or off" }), default: o.default, doc: o.doc, control: { kind: "bool" } }),
  choice: <const O extends readonly [string, ...string[]]>(o: { options: O; default: O[number]; doc: string }): Param<O[number]> => ({
    schema: z.enum(o.options, { error: `one of ${o.options.join(", ")}` }) as unknown as z.ZodType<O[number]>,
    default: o.default,
    doc: o.doc,
    control: { kind: "choice", options: o.options },
  }),
  /** One whole number for every axis, or one each: `3`, `[3, 5]`; or one of `words` such as `same`. */
  size: <const W extends string = never>(o: { axes: number; min: number; default: number | number[] | W; words?: readonly W[]; doc: string }): Param<number | number[] | W> => {
    const words = o.words ?? [];
    const message = `a whole number ≥ ${o.min}, or ${o.axes} of them${words.length ? `, or ${words.join(", ")}` : ""}`;
    const one = z.int().min(o.min).max(2147483647);
    return {
      schema: z.union([one, z.array(one).length(o.axes), z.string().refine((s): s is W => (words as readonly string[]).includes(s))], { error: message }) as unknown as z.ZodType<number | number[] | W>,
      default: o.default,
      doc: o.doc,
      control: { kind: "size", axes: o.axes, min: o.min, words },
    };
  },
  /** A list of whole numbers: a shape or an order of axes. */
  ints: (o: { default: number[]; min?: number; doc: string; placeholder?: string }): Param<number[]> => ({
    schema: z.array(z.int().min(o.min ?? -2147483648)).max(16),
    default: o.default,
    doc: o.doc,
    control: { kind: "ints", placeholder: o.placeholder ?? "1, 28, 28" },
  }),
  /** Sizes of which some may be symbols: `1, 28, 28`, `T, 16`. */
  dims: (o: { default: (number | string)[]; doc: string; placeholder?: string }): Param<(number | string)[]> => ({
    schema: z.array(z.union([z.int().min(1).max(2147483647), z.string().regex(/^[A-Z]\w{0,7}$/)], { error: "sizes ≥ 1, or a symbol such as T" })).max(8),
    default: o.default,
    doc: o.doc,
    control: { kind: "dims", placeholder: o.placeholder ?? "1, 28, 28" },
  }),
  text: (o: { default: string; doc: string; pattern?: RegExp; placeholder?: string }): Param<string> => ({
    schema: o.pattern ? z.string().max(200).regex(o.pattern) : z.string().max(200),
    default: o.default,
    doc: o.doc,
    control: { kind: "text", placeholder: o.placeholder ?? "" },
  }),
};

function rangeText({ min, max }: Range): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` ≥ ${min}`;
  if (max !== undefined) return ` ≤ ${max}`;
  return "";
}
