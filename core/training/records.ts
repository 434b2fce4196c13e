import type { TensorType } from "../graph/shape.ts";
import type { Fix, ProgramBuilder, Value } from "../layers/kit.ts";

/** What is known of the data a model is trained on: class count for classification, the type of a batch of targets. */
export type TargetInfo = { classes: number | null; type: TensorType | null };

/** A loss, said once. The Train panel, checks, lowering and PyTorch code derive from it; `losses.ts` is the list. */
export type LossRecord = {
  /** PyTorch's class name: `CrossEntropyLoss`. */
  name: string;
  title: string;
  doc: string;
  source: string;
  /** `logits`: applies softmax or sigmoid itself, so the model must not. */
  expects: "logits" | "values";
  /**
   * The type of targets that go with a prediction of type `y`, or the problem with that prediction. Sizes may be symbolic
   * (`B` is the batch). `width` is the size that the prediction's last axis ought to have, where that would mend it.
   */
  target(y: TensorType, info: TargetInfo): { target: TensorType } | { problem: string; hint?: string; width?: number; fixes?: Fix[] };
  /** The mean over the batch as a float32 scalar. */
  lower(b: ProgramBuilder, values: { y: Value; target: Value }): Value;
  /** `nn.CrossEntropyLoss()` */
  torch: string;
};

/** A metric, said once; `metrics.ts` is the list. Computed on the same batch as the loss, without gradient mattering. */
export type MetricRecord = {
  /** The program output and the last part of its series' key: `accuracy`. */
  name: string;
  title: string;
  doc: string;
  /** How batches combine: `mean` weighted by rows, `sum` adds tensors. */
  reduce: "mean" | "sum";
  when: "always" | "validation";
  lower(b: ProgramBuilder, values: { y: Value; target: Value }): Value;
};
