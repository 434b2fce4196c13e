import type { Dtype, TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { Fix, ProgramBuilder, Value } from "../layers/kit.ts";
import { type Params, readParams, type Values } from "../layers/params.ts";
import type { Average } from "./metrics/average.ts";

/** Values of a record's parameters as they are kept in settings: by name, checked by the record's own `params`. */
export type ParamValues = { [name: string]: number | string | boolean | number[] };

/**
 * What is known of the data a model is trained on: class count for classification, the type of a batch of targets. `stored`: how they lie in the
 * data set, where that is not how losses take them: as bytes, or as the input itself (`isInput`). `scale` is what they are multiplied by then.
 */
export type TargetInfo = { classes: number | null; type: TensorType | null; stored?: { dtype: Dtype; scale: number; isInput: boolean } };

/** The type of targets that go with a prediction, or the problem with it. `width` is the size its last axis ought to have, where that would mend it. */
export type TargetAnswer = { target: TensorType } | { problem: string; hint?: string; width?: number; fixes?: Fix[] };

type LossValues = { y: Value; target: Value };

/** A loss, said once in a file of its own; `losses/index.ts` is the list. The Train panel, checks, lowering and PyTorch code derive from it. */
export type Loss<N extends string = string, P extends Params = Params> = {
  /** PyTorch's class name: `CrossEntropyLoss`. */
  name: N;
  title: string;
  doc: string;
  /** What it computes for one row, as plain text. */
  formula: string;
  /** When to use it, and when not. */
  when: string;
  source: string;
  /** Which targets it can learn from: class numbers, measured values, or whatever they are. */
  learns: "classes" | "values" | "any";
  /** Takes values from 0 to 1 too, such as the pixels of a picture. */
  takesShares?: true;
  /** `logits`: applies softmax or sigmoid itself, so the model must not. */
  expects: "logits" | "values";
  params: P;
  /** Its picture: the loss of one number, which `of` names in the words of the formula. NaN where that number cannot be. */
  curve: { of: string; at(x: number, params: Values<P>): number };
  /** The parameter that says how much each class counts: numbers in class order, with commas between. */
  classWeights?: keyof P & string;
  /** Sizes may be symbolic (`B` is the batch). */
  target(y: TensorType, info: TargetInfo, params: Values<P>): TargetAnswer;
  /** The mean over the batch as a float32 scalar. */
  lower(b: ProgramBuilder, values: LossValues, params: Values<P>): Value;
  /** The output that it looks at, where its parameters say so; else the one that it is set for. */
  output?(params: Values<P>): string | null;
  /** What metrics read in place of the output, where that is not a score or value itself: scores above 0 say yes. */
  read?(b: ProgramBuilder, values: LossValues, params: Values<P>): Value;
  /** `nn.CrossEntropyLoss(label_smoothing=0.1)`: what to call with output and target. */
  torch(params: Values<P>): string;
};

/** A loss with its parameters filled in. */
export type LossRecord = Pick<Loss, "name" | "title" | "doc" | "source" | "expects"> & {
  target(y: TensorType, info: TargetInfo): TargetAnswer;
  lower(b: ProgramBuilder, values: LossValues): Value;
  read?(b: ProgramBuilder, values: LossValues): Value;
  /** The output that it looks at, where that is not the one that it is set for. */
  output?: string;
  torch: string;
};

/** Fills in parameters; those that do not read take their defaults, for settings refuse them before. */
export function bindLoss({ name, title, doc, source, expects, params, target, lower, output, read, torch }: Loss, given: ParamValues): LossRecord {
  const { values } = readParams(params, given);
  const looksAt = output?.(values) ?? null;
  return {
    name,
    title,
    doc,
    source,
    expects,
    target: (y, info) =>
      y.dtype === "float32"
        ? target(y, info, values)
        : { problem: say("{name} needs an output of float32, but it is {dtype}.", { name, dtype: y.dtype }), hint: say("Add a Cast in front of the output.") },
    lower: (b, pair) => lower(b, pair, values),
    ...(read ? { read: (b, pair) => read(b, pair, values) } : {}),
    ...(looksAt === null ? {} : { output: looksAt }),
    torch: torch(values),
  };
}

type MetricWords = {
  /** The last part of its series' key: `accuracy`. */
  name: string;
  title: string;
  doc: string;
  /** What it computes, as plain text. */
  formula?: string;
  /** When to look at it, and when not. */
  use?: string;
  /** A share from 0 to 1, written as percent. */
  isShare?: true;
};

/** A metric that the engine computes on the same batch as the loss; `metrics/index.ts` is the list. */
export type MetricRecord = MetricWords & {
  /** How batches combine: `mean` weighted by rows, `sum` adds tensors. */
  reduce: "mean" | "sum";
  when: "always" | "validation";
  /** Which way is good; absent for what is no single number. */
  better?: "higher" | "lower";
  /** Whether it can be taken of this output and these targets; absent: of all. */
  fits?(types: { y: TensorType; target: TensorType }): boolean;
  lower(b: ProgramBuilder, values: { y: Value; target: Value }): Value;
};

/** A metric worked out from the summed tensor of another once a whole pass over the validation rows is done: F1 is no mean over batches. */
export type DerivedMetric = MetricWords & {
  /** The name of the summed metric. */
  from: string;
  /** How it is averaged over the classes, where that can be chosen. */
  average?: Average;
  better: "higher" | "lower";
  /** Null where it is not defined, such as for rows that are all of one class. */
  of(sums: readonly number[], shape: readonly number[]): number | null;
};
