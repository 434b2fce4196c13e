import type { Evaluation } from "../training/evaluation.ts";
import { type Tensor, tensorOf, type Weights } from "./tensor.ts";

/**
 * What the last evaluation of a run found, as arrays for NumPy: `confusion` [true, predicted], and of the sample rows their numbers in
 * the validation part, their targets and what the network said of them.
 */
export function evaluationTensors({ confusion, samples }: Evaluation, hasClasses: boolean): Weights {
  const tensors = new Map<string, Tensor>();
  if (confusion) tensors.set("confusion", tensorOf("int64", [confusion.length, confusion[0]?.length ?? 0], confusion.flat()));
  const [first] = samples;
  if (!first) return tensors;
  tensors.set(
    "sample_rows",
    tensorOf(
      "int64",
      [samples.length],
      samples.map(({ row }) => row),
    ),
  );
  tensors.set(
    "sample_targets",
    tensorOf(
      hasClasses ? "int64" : "float32",
      [samples.length, first.target.length],
      samples.flatMap(({ target }) => target),
    ),
  );
  tensors.set(
    "sample_outputs",
    tensorOf(
      "float32",
      [samples.length, first.output.length],
      samples.flatMap(({ output }) => output.map((value) => value ?? Number.NaN)),
    ),
  );
  return tensors;
}
