import { subtract, termsOf } from "../graph/dims.ts";
import type { Dim, Shape } from "../graph/shape.ts";
import type { BuilderSize, OnnxBuilder, OnnxValue, ProgramBuilder, Value } from "../layers/kit.ts";
import { PyText } from "./python.ts";

/**
 * Sizes that are known only at run time, worked out from the sizes of the inputs: `2*T-1` of an input x with T at axis 1 is
 * `2 * x.shape[1] - 1`.
 */
type SizePlan = number | { input: string; axis: number } | { sum: { coefficient: number; factors: SizePlan[] }[] } | { floor: SizePlan; by: number };

/** How to come to this size; null where the inputs do not tell. */
export function planSize(dim: Dim, inputs: { readonly [name: string]: Shape }): SizePlan | null {
  if (typeof dim === "number") return dim;
  for (const [input, shape] of Object.entries(inputs)) {
    const axis = shape.indexOf(dim);
    if (axis >= 0) return { input, axis };
  }
  const sum: { coefficient: number; factors: SizePlan[] }[] = [];
  for (const { coefficient, factors } of termsOf(dim)) {
    const plans: SizePlan[] = [];
    for (const factor of factors) {
      if (typeof factor === "string") {
        const plan = planSymbol(factor, inputs);
        if (plan === null) return null;
        plans.push(plan);
      } else {
        const floor = planSize(factor.numerator, inputs);
        if (floor === null) return null;
        plans.push({ floor, by: factor.divisor });
      }
    }
    sum.push({ coefficient, factors: plans });
  }
  return { sum };
}

/** A symbol by itself: the size of an axis, or of one that is this symbol and a number. */
function planSymbol(symbol: string, inputs: { readonly [name: string]: Shape }): SizePlan | null {
  for (const [input, shape] of Object.entries(inputs)) {
    const axis = shape.indexOf(symbol);
    if (axis >= 0) return { input, axis };
  }
  for (const [input, shape] of Object.entries(inputs)) {
    for (const [axis, size] of shape.entries()) {
      const more = subtract(size, symbol);
      if (typeof more === "number")
        return {
          sum: [
            { coefficient: 1, factors: [{ input, axis }] },
            { coefficient: -more, factors: [] },
          ],
        };
    }
  }
  return null;
}

/**
 * A size as an argument of the engine's operators. These take numbers and sizes of values, so that any other is made into one: of a
 * vector put together and cut to that length.
 */
export function lowerSize(dim: Dim, inputs: { readonly [name: string]: Value }, b: ProgramBuilder): number | BuilderSize {
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type.shape]));
  return sizeOf(need(dim, planSize(dim, shapes)));

  function sizeOf(plan: SizePlan): number | BuilderSize {
    if (typeof plan === "number") return plan;
    if ("input" in plan) return { size: [inputs[plan.input] as Value, plan.axis] };
    return { size: [vectorOf(plan), 0] };
  }

  function vectorOf(plan: SizePlan): Value {
    const vector = (size: Dim) => ({ dtype: "bool" as const, shape: [size] });
    if (typeof plan === "number" || "input" in plan) return b.call("aten::zeros", [{ ints: [sizeOf(plan)] }, "bool"], vector("?"));
    if ("floor" in plan) {
      // Every by-th entry from the first whole group on.
      return b.call("aten::slice.Tensor", [vectorOf(plan.floor), 0, plan.by - 1, null, plan.by], vector("?"));
    }
    const part = (sign: 1 | -1): Value | null => {
      const terms = plan.sum.filter(({ coefficient }) => Math.sign(coefficient) === sign);
      const vectors = terms.map(({ coefficient, factors }) => {
        const sizes = [...(Math.abs(coefficient) === 1 && factors.length > 0 ? [] : [Math.abs(coefficient)]), ...factors.map(sizeOf)];
        const block = b.call("aten::zeros", [{ ints: sizes }, "bool"], { dtype: "bool", shape: sizes.map(() => "?") });
        return sizes.length === 1 ? block : b.call("aten::reshape", [block, { ints: [-1] }], vector("?"));
      });
      const [only] = vectors;
      if (!only) return null;
      return vectors.length === 1 ? only : b.call("aten::cat", [vectors, 0], vector("?"));
    };
    const more = part(1);
    const less = part(-1);
    if (!more) throw new Error("A size is not negative.");
    return less ? b.call("aten::slice.Tensor", [more, 0, { size: [less, 0] }], vector("?")) : more;
  }
}

/** A size as an int64 vector of one number. */
export function onnxSize(dim: Dim, inputs: { readonly [name: string]: OnnxValue }, b: OnnxBuilder): string {
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type.shape]));
  return write(need(dim, planSize(dim, shapes)));

  function write(plan: SizePlan): string {
    if (typeof plan === "number") return b.constant([plan], [1], "int64");
    if ("input" in plan) return b.node("Shape", [inputs[plan.input]?.name ?? ""], { start: plan.axis, end: plan.axis + 1 })[0] ?? "";
    if ("floor" in plan) return b.node("Div", [write(plan.floor), b.constant([plan.by], [1], "int64")])[0] ?? "";
    const terms = plan.sum.map(({ coefficient, factors }) => {
      const parts = [...(coefficient === 1 && factors.length > 0 ? [] : [coefficient]), ...factors].map(write);
      return parts.reduce((left, right) => b.node("Mul", [left, right])[0] ?? "");
    });
    return terms.reduce((left, right) => b.node("Add", [left, right])[0] ?? "");
  }
}

/** A size as Python: `x.shape[1] - 1`. */
export function printSize(dim: Dim, inputs: { readonly [name: string]: string }, shapes: { readonly [name: string]: Shape }): PyText {
  return print(need(dim, planSize(dim, shapes)));

  function print(plan: SizePlan): PyText {
    if (typeof plan === "number") return PyText.number(plan, true);
    if ("input" in plan) return new PyText(`${inputs[plan.input]}.shape[${plan.axis}]`);
    if ("floor" in plan) return PyText.binary(print(plan.floor), "//", new PyText(String(plan.by)));
    const terms = plan.sum.map(({ coefficient, factors }) => {
      const size = Math.abs(coefficient);
      const parts = [...(size === 1 && factors.length > 0 ? [] : [size]), ...factors].map(print);
      return { isMinus: coefficient < 0, text: parts.reduce((left, right) => PyText.binary(left, "*", right)) };
    });
    // A positive term first: `x.shape[1] - 1`.
    const ordered = [...terms.filter(({ isMinus }) => !isMinus), ...terms.filter(({ isMinus }) => isMinus)];
    return ordered.slice(1).reduce((left, { isMinus, text }) => PyText.binary(left, isMinus ? "-" : "+", text), ordered[0]?.text ?? new PyText("0"));
  }
}

function need(dim: Dim, plan: SizePlan | null): SizePlan {
  if (plan === null) throw new Error(`Nothing says the size ${dim} at run time.`);
  return plan;
}
