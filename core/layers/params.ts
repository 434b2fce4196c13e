import { z } from "zod";
import { say } from "../language/say.ts";

/** How the inspector draws one parameter, and what may stand in it. Made by the `p.*` functions below. */
export type Param<T> = {
  schema: z.ZodType<T>;
  default: T;
  doc: string;
  /** No field of its own: it is set in another way. */
  hidden?: true;
  control:
    | { kind: "int" | "float"; min?: number; max?: number; step?: number }
    | { kind: "bool" }
    | { kind: "choice"; options: readonly string[] }
    | { kind: "size"; axes: number; min: number; words: readonly string[] }
    | { kind: "ints" | "dims"; placeholder: string }
    | { kind: "text"; placeholder: string }
    /** A text of several lines in a language of its own, which its layer reads. */
    | { kind: "code"; language: "expression"; placeholder: string };
};

export type Params = { [name: string]: Param<unknown> };
/** The values of a parameter record: `Values<typeof conv2d.params>`. */
export type Values<P> = { [K in keyof P]: P[K] extends Param<infer T> ? T : never };

const INT_MAX = 2147483647;
const INTS_MESSAGE = "a list of whole numbers such as 1, 28, 28";
const DIMS_MESSAGE = "a list of up to 8 sizes ≥ 1, or symbols such as T, or multiples such as 32*H";

type Range = { min?: number; max?: number };

/** Parameter kinds. A schema's message says the field's range; `checkParams` puts the field's name in front. */
export const p = {
  int: (o: Range & { default: number; doc: string }): Param<number> => ({
    schema: z
      .int({ error: `a whole number${rangeText(o)}` })
      .min(o.min ?? -INT_MAX, `a whole number${rangeText(o)}`)
      .max(o.max ?? INT_MAX, `a whole number${rangeText(o)}`),
    default: o.default,
    doc: o.doc,
    control: { kind: "int", min: o.min, max: o.max, step: 1 },
  }),
  float: (o: Range & { default: number; doc: string; step?: number }): Param<number> => ({
    schema: z
      .number({ error: `a number${rangeText(o)}` })
      .min(o.min ?? -Infinity, `a number${rangeText(o)}`)
      .max(o.max ?? Infinity, `a number${rangeText(o)}`),
    default: o.default,
    doc: o.doc,
    control: { kind: "float", min: o.min, max: o.max, step: o.step },
  }),
  /** A number, or one of `words` such as `none`. */
  floatOr: <const W extends readonly [string, ...string[]]>(o: Range & { words: W; default: number | NoInfer<W[number]>; doc: string }): Param<number | W[number]> => ({
    schema: z.union(
      [
        z
          .number()
          .min(o.min ?? -Infinity)
          .max(o.max ?? Infinity),
        z.enum(o.words),
      ],
      {
        error: `a number${rangeText(o)}, or ${o.words.join(", ")}`,
      },
    ) as unknown as z.ZodType<number | W[number]>,
    default: o.default,
    doc: o.doc,
    control: { kind: "size", axes: 1, min: o.min ?? -Infinity, words: o.words },
  }),
  bool: (o: { default: boolean; doc: string }): Param<boolean> => ({ schema: z.boolean({ error: "on or off" }), default: o.default, doc: o.doc, control: { kind: "bool" } }),
  choice: <const O extends readonly [string, ...string[]]>(o: { options: O; default: O[number]; doc: string }): Param<O[number]> => ({
    schema: z.enum(o.options, { error: `one of ${o.options.join(", ")}` }) as unknown as z.ZodType<O[number]>,
    default: o.default,
    doc: o.doc,
    control: { kind: "choice", options: o.options },
  }),
  /** One whole number for every axis, or one each: `3`, `[3, 5]`; or one of `words` such as `same`. */
  size: <const W extends readonly string[] = []>(o: {
    axes: number;
    min: number;
    default: NoInfer<number | number[] | W[number]>;
    words?: W;
    doc: string;
  }): Param<number | number[] | W[number]> => {
    const words: readonly string[] = o.words ?? [];
    const message = `a whole number ≥ ${o.min}, or ${o.axes} of them${words.length ? `, or ${words.join(", ")}` : ""}`;
    const isOne = (value: unknown): boolean => typeof value === "number" && Number.isInteger(value) && value >= o.min && value <= INT_MAX;
    return {
      schema: z.custom<number | number[] | W[number]>(
        (value) => isOne(value) || (Array.isArray(value) && value.length === o.axes && value.every(isOne)) || words.includes(String(value)),
        message,
      ),
      default: o.default,
      doc: o.doc,
      control: { kind: "size", axes: o.axes, min: o.min, words },
    };
  },
  /** A list of whole numbers: a shape or an order of axes. */
  ints: (o: { default: number[]; min?: number; doc: string; placeholder?: string }): Param<number[]> => ({
    schema: z
      .array(
        z
          .int()
          .min(o.min ?? -INT_MAX)
          .max(INT_MAX),
        { error: INTS_MESSAGE },
      )
      .max(16, INTS_MESSAGE),
    default: o.default,
    doc: o.doc,
    control: { kind: "ints", placeholder: o.placeholder ?? "1, 28, 28" },
  }),
  /** A list of numbers. */
  floats: (o: { default: number[]; max?: number; doc: string; placeholder?: string }): Param<number[]> => ({
    schema: z.array(z.number(), { error: "a list of numbers such as 0.5, 1" }).max(o.max ?? 16, `a list of up to ${o.max ?? 16} numbers`),
    default: o.default,
    doc: o.doc,
    control: { kind: "ints", placeholder: o.placeholder ?? "0.5, 1" },
  }),
  /** Sizes of which some may be symbols: `1, 28, 28`, `T, 16`. */
  dims: (o: { default: (number | string)[] /** −1 where one may be left open; 1 where absent. */; min?: -1; doc: string; placeholder?: string }): Param<(number | string)[]> => ({
    schema: z
      .array(
        z.custom<number | string>(
          (size) =>
            typeof size === "number"
              ? Number.isInteger(size) && (size >= 1 || size === o.min) && size <= INT_MAX
              : typeof size === "string" && /^([2-9]\*|[1-9]\d{1,3}\*)?[A-Z]\w{0,7}$/.test(size),
          DIMS_MESSAGE,
        ),
        { error: DIMS_MESSAGE },
      )
      .max(8, DIMS_MESSAGE),
    default: o.default,
    doc: o.doc,
    control: { kind: "dims", placeholder: o.placeholder ?? "1, 28, 28" },
  }),
  code: (o: { default: string; doc: string; language: "expression"; placeholder?: string }): Param<string> => ({
    schema: z.string({ error: "a text" }).max(4000, "a text of up to 4000 letters"),
    default: o.default,
    doc: o.doc,
    control: { kind: "code", language: o.language, placeholder: o.placeholder ?? "" },
  }),
  text: (o: { default: string; doc: string; pattern?: RegExp; placeholder?: string; hidden?: true }): Param<string> => ({
    schema: o.pattern
      ? z.string({ error: "a text" }).max(200, "a text of up to 200 letters").regex(o.pattern, "written differently")
      : z.string({ error: "a text" }).max(200, "a text of up to 200 letters"),
    ...(o.hidden ? { hidden: true } : {}),
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

/** A parameter that may not stand as it is; the message continues "stride must be …". */
export type ParamProblem = { name: string; message: string };

/**
 * The values of a node's parameters, defaults filled in, or what is wrong with each. Names that the layer does not have are
 * listed as `unknown` and otherwise left alone.
 */
export function readParams(params: Params, raw: { readonly [name: string]: unknown }): { values: Values<Params>; problems: ParamProblem[]; unknown: string[] } {
  const values: { [name: string]: unknown } = {};
  const problems: ParamProblem[] = [];
  for (const [name, param] of Object.entries(params)) {
    values[name] = param.default;
    if (!Object.hasOwn(raw, name)) continue;
    const read = param.schema.safeParse(raw[name]);
    if (read.success) values[name] = read.data;
    else problems.push({ name, message: read.error.issues[0]?.message ?? say("something else") });
  }
  return { values, problems, unknown: Object.keys(raw).filter((name) => !Object.hasOwn(params, name)) };
}

/** One number for each axis, where a size parameter may be one number for all: `3` → `[3, 3]`. */
export function perAxis(size: number | number[], axes: number): number[] {
  return typeof size === "number" ? Array<number>(axes).fill(size) : size;
}

/** `3×3`, `3×5`, as written in summaries. */
export function formatSize(size: number | number[], axes: number): string {
  return perAxis(size, axes).join("×");
}

/** `3` or `(3, 5)`, as Python reads it. */
export function pythonTuple(size: number | readonly (number | string)[]): string {
  if (typeof size === "number") return String(size);
  return size.length === 1 ? `(${size[0]},)` : `(${size.join(", ")})`;
}

/** `nn.Conv2d(1, 32, kernel_size=3)`: positional arguments, then the named ones that differ from PyTorch's defaults. */
export function pythonCall(
  callee: string,
  positional: (string | number)[],
  named: { [name: string]: [value: number | boolean | string | readonly number[], defaultValue: unknown] } = {},
): string {
  const args = positional.map(String);
  for (const [name, [value, defaultValue]] of Object.entries(named)) {
    if (JSON.stringify(value) !== JSON.stringify(defaultValue)) args.push(`${name}=${pythonValue(value)}`);
  }
  return `${callee}(${args.join(", ")})`;
}

function pythonValue(value: number | boolean | string | readonly number[]): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return JSON.stringify(value);
  return pythonTuple(value);
}
