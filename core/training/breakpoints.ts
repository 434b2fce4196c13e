import { z } from "zod";
import type { NodePath } from "../graph/path.ts";
import { say } from "../language/say.ts";

/** What a Breakpoint looks at, of all numbers on its wire in one batch. */
export const BREAK_FIGURES = ["not_finite", "max_abs", "max", "min", "mean", "std"] as const;
export const BREAK_SIDES = ["above", "below"] as const;

/** When a run pauses: as soon as a figure comes to lie beyond a limit. NaN lies beyond every limit. */
export const BreakCondition = z.strictObject({ figure: z.enum(BREAK_FIGURES), side: z.enum(BREAK_SIDES), limit: z.number() });
export type BreakCondition = z.infer<typeof BreakCondition>;

/** The figures that an output of a program gives of a Breakpoint's wire, in this order, float32 [5]. */
export const BROKE_AT = ["mean", "std", "min", "max", "notFinite"] as const;

/** A Breakpoint whose condition began to hold. JSON has no NaN: such a figure is `null`. */
export const Broke = z.strictObject({
  type: z.literal("broke"),
  step: z.int(),
  node: z.string(),
  ...BreakCondition.shape,
  mean: z.number().nullable(),
  std: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  notFinite: z.number().nullable(),
});
export type Broke = z.infer<typeof Broke>;

const WORDS: { [figure in BreakCondition["figure"]]: string } = {
  not_finite: "the count of numbers that are not finite",
  max_abs: "max |x|",
  max: "max x",
  min: "min x",
  mean: "mean x",
  std: "std x",
};

/** As short as it stands on the node: `max |x| above 10`. */
export const printCondition = ({ figure, side, limit }: BreakCondition): string =>
  figure === "not_finite" && side === "above" && limit === 0 ? "not finite" : `${WORDS[figure]} ${side} ${limit}`;

/** A sentence or two for the mark of the step. */
export function describeBreak(broke: Omit<Broke, "type" | "step">, nameOf: (path: NodePath) => string): string {
  const { mean, std, min, max, notFinite } = broke;
  const print = (value: number | null) => (value === null ? "not finite" : String(Number(value.toPrecision(4))));
  const figures = `mean ${print(mean)}, std ${print(std)}, from ${print(min)} to ${print(max)}${notFinite === 0 ? "" : `, ${print(notFinite)} of them not finite`}`;
  const holds = printCondition(broke) === "not finite" ? "numbers are no longer finite" : `${WORDS[broke.figure]} is ${broke.side} ${broke.limit}`;
  return say("Breakpoint “{node}”: {holds}. The batch had {figures}.", { node: nameOf(broke.node), holds, figures });
}
