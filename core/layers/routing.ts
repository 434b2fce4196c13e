import type { Dim, Shape, TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { type InferProblem, type OnnxBuilder, type OnnxValue, onnxSizes } from "./kit.ts";
import { describeType } from "./zone.ts";

/** Rows of a batch that go different ways, as in Switch and EarlyExit: what goes in by port, as one way sees it. */
export type Rows = { types: { [port: string]: TensorType }; batch: Dim; own: string };

/** How many samples go one way is known only at run time: a symbol that nothing else has. */
export function rowsOf(title: string, inputs: { [port: string]: TensorType }): Rows | InferProblem {
  const [[first, lead] = ["", undefined]] = Object.entries(inputs);
  const batch = lead?.shape[0];
  if (batch === undefined) return { problem: say("{title} sends single samples on, so what comes in needs a batch axis.", { title }), port: first, hint: say("Connect a batch.") };
  const other = Object.entries(inputs).find(([, { shape }]) => shape[0] !== batch);
  if (other)
    return {
      problem: say("Every input of {title} must hold the same samples, but {first} is {lead} and {other} {other2}.", {
        title,
        first,
        lead: describeType(lead as TensorType),
        other: other[0],
        other2: describeType(other[1]),
      }),
      port: other[0],
    };
  let own = "S";
  for (let i = 2; Object.values(inputs).some(({ shape }) => shape.some((size) => mentions(size, own))); i++) own = `S${i}`;
  return { batch, own, types: Object.fromEntries(Object.entries(inputs).map(([port, { dtype, shape }]) => [port, { dtype, shape: [own, ...shape.slice(1)] }])) };
}

/** The results of all ways together: a row for each sample. */
export function gatheredTypes(title: string, { batch, own, types }: Rows, results: { [name: string]: TensorType }): { types: { [name: string]: TensorType } } | InferProblem {
  const whole: { [name: string]: TensorType } = {};
  for (const [name, type] of Object.entries(results)) {
    const [first, ...rest] = type.shape;
    if (first !== own || rest.some((size) => mentions(size, own)))
      return {
        problem: say("{name} of {title} must hold one row for each sample that goes in, [{own}, …], but is {type}.", { name, title, own, type: describeType(type) }),
        code: "GRAPH_BODY",
        hint: say("Keep the batch as the first axis."),
      };
    if (!sizesFrom(rest, types))
      return {
        problem: say("{name} of {title} is {type}: besides the batch it may only have numbers and sizes that an input has too.", { name, title, type: describeType(type) }),
        code: "GRAPH_BODY",
      };
    whole[name] = { dtype: type.dtype, shape: [batch, ...rest] };
  }
  return { types: whole };
}

function mentions(size: Dim, symbol: string): boolean {
  return typeof size === "string" && new RegExp(`\\b${symbol}\\b`).test(size);
}

/** Where each size is found at run time: it is a number, or that of an axis of an input. */
function sizesFrom(sizes: Shape, inputs: { [port: string]: TensorType }): (number | { port: string; axis: number })[] | null {
  const found: (number | { port: string; axis: number })[] = [];
  for (const size of sizes) {
    if (typeof size === "number") {
      found.push(size);
      continue;
    }
    const [port, type] = Object.entries(inputs).find(([, { shape }]) => shape.includes(size)) ?? [];
    if (port === undefined || !type) return null;
    found.push({ port, axis: type.shape.indexOf(size) });
  }
  return found;
}

/**
 * Sends each row through the case that its index names, in ONNX: for each case that has rows, gathers them, runs it, and puts the
 * results into their places. Rows whose index names no case stay 0.
 */
export function onnxRoutes(
  b: OnnxBuilder,
  index: string,
  inputs: { [port: string]: OnnxValue },
  rows: Rows,
  cases: ((some: { [port: string]: OnnxValue }) => OnnxValue[])[],
  types: TensorType[],
): string[] {
  const one = (op: string, given: string[], attributes?: Parameters<OnnxBuilder["node"]>[2]) => b.node(op, given, attributes)[0] ?? "";
  const [count = ""] = [one("Shape", [index])];
  let results = types.map((type) => {
    const sizes = (sizesFrom(type.shape.slice(1), rows.types) ?? []).map((size) => (typeof size === "number" ? size : { of: inputs[size.port]?.name ?? "", axis: size.axis }));
    return one("Expand", [b.constant([0], [], type.dtype), sizes.length === 0 ? count : one("Concat", [count, onnxSizes(b, sizes)], { axis: 0 })]);
  });
  for (const [i, run] of cases.entries()) {
    const isIts = one("Equal", [index, b.constant([i], [], "int64")]);
    const its = one("Reshape", [one("NonZero", [isIts]), b.constant([-1], [1], "int64")]);
    const any = one("Greater", [one("Reshape", [one("Shape", [its]), b.constant([], [0], "int64")]), b.constant([0], [], "int64")]);
    const before = results.map((name, j): OnnxValue => ({ name, type: types[j] as TensorType }));
    results = b.node(
      "If",
      [any],
      {
        then_branch: b.subgraph([], () => {
          const some = Object.fromEntries(
            Object.entries(rows.types).flatMap(([port, type]): [string, OnnxValue][] => {
              const whole = inputs[port];
              return whole ? [[port, { name: one("Gather", [whole.name, its], { axis: 0 }), type }]] : [];
            }),
          );
          const places = one("Unsqueeze", [its, b.constant([1], [1], "int64")]);
          return run(some).map(({ name }, j) => ({ name: one("ScatterND", [results[j] ?? "", places, name]), type: types[j] as TensorType }));
        }),
        else_branch: b.subgraph([], () => before),
      },
      types.length,
    );
  }
  return results;
}
