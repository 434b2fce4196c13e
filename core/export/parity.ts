import type { Body } from "../graph/document.ts";
import { say } from "../language/say.ts";
import { findLayer } from "../layers/index.ts";

/**
 * Does an exported model compute what the engine computes? The same validation rows go through both; this compares what came out.
 * The report travels inside the download, under `tensorloom.parity` of the model's metadata.
 */

/** The largest difference between two outputs, relative to the scale of the output, that still counts as equal. */
const PARITY_TOLERANCE = 1e-4;
/** Fewer rows than this prove too little. */
export const PARITY_MIN_SAMPLES = 32;

export type ParityReport = {
  passed: boolean;
  samples: number;
  /** Largest |engine − exported| over all outputs and samples; null where one side is not finite and the other differs. */
  maxAbsDiff: number | null;
  /** The same, divided by max(1, largest |engine|): the figure that is held against the tolerance. */
  maxScaledDiff: number | null;
  tolerance: number;
  outputs: { name: string; shape: number[]; maxAbsDiff: number | null; maxScaledDiff: number | null }[];
  /** Why it did not pass, in one sentence; null when it passed. */
  refusal: string | null;
  opset: number;
  /** What was compared: versions of both sides. */
  engine: string;
  onnxRuntime: string;
};

/** Why two passes of a model cannot be compared: it draws new numbers on every pass, also outside training. Null where they can. */
export function whyIncomparable({ nodes }: Body): string | null {
  for (const { type, bodies = {} } of nodes) {
    const layer = findLayer(type);
    if (layer?.random) return say("{title} draws new numbers on every pass.", { title: layer.title });
    for (const body of Object.values(bodies)) {
      const reason = whyIncomparable(body);
      if (reason) return reason;
    }
  }
  return null;
}

/** One output of one side; the first axis is the sample. */
export type ParityOutput = { shape: readonly number[]; data: ArrayLike<number | bigint> };

/**
 * Compares outputs of the engine and of the exported model, by output name.
 * Outputs much larger than 1 are compared relative to their largest value: float32 keeps about 7 digits, whatever the scale.
 */
export function compareOutputs(options: {
  engine: { version: string; outputs: { [name: string]: ParityOutput } };
  onnxRuntime: { version: string; outputs: { [name: string]: ParityOutput } };
  opset: number;
  tolerance?: number;
}): ParityReport {
  const { engine, onnxRuntime, opset, tolerance = PARITY_TOLERANCE } = options;
  const names = Object.keys(engine.outputs);
  const samples = names.length === 0 ? 0 : Math.min(...names.map((name) => engine.outputs[name]?.shape[0] ?? 0));
  const outputs: ParityReport["outputs"] = [];
  let refusal: string | null = samples < PARITY_MIN_SAMPLES ? `Only ${samples} samples were compared; at least ${PARITY_MIN_SAMPLES} are needed.` : null;

  for (const name of names) {
    const ours = engine.outputs[name];
    const theirs = onnxRuntime.outputs[name];
    if (!ours || !theirs) {
      refusal ??= `The exported model has no output ${name}.`;
      continue;
    }
    if (ours.shape.join() !== theirs.shape.join()) {
      refusal ??= `Output ${name} is [${theirs.shape.join(", ")}] in the exported model, but [${ours.shape.join(", ")}] in the engine.`;
      continue;
    }
    const { maxAbsDiff, maxScaledDiff } = compareValues(ours.data, theirs.data);
    outputs.push({ name, shape: [...ours.shape], maxAbsDiff, maxScaledDiff });
    if (maxScaledDiff === null) refusal ??= `Output ${name} is not a finite number in one of the two where it is in the other.`;
    else if (maxScaledDiff > tolerance) refusal ??= `Output ${name} differs by ${maxScaledDiff.toPrecision(3)}; the limit is ${tolerance}.`;
  }
  return {
    passed: refusal === null,
    samples,
    maxAbsDiff: largest(outputs.map((o) => o.maxAbsDiff)),
    maxScaledDiff: largest(outputs.map((o) => o.maxScaledDiff)),
    tolerance,
    outputs,
    refusal,
    opset,
    engine: engine.version,
    onnxRuntime: onnxRuntime.version,
  };
}

function compareValues(ours: ArrayLike<number | bigint>, theirs: ArrayLike<number | bigint>): { maxAbsDiff: number | null; maxScaledDiff: number | null } {
  let maxAbsDiff = 0;
  let scale = 1;
  for (let i = 0; i < ours.length; i++) {
    const a = Number(ours[i]);
    const b = Number(theirs[i]);
    if (Object.is(a, b)) continue; // Also NaN on both sides, and equal infinities.
    if (!Number.isFinite(a) || !Number.isFinite(b)) return { maxAbsDiff: null, maxScaledDiff: null };
    maxAbsDiff = Math.max(maxAbsDiff, Math.abs(a - b));
    scale = Math.max(scale, Math.abs(a));
  }
  return { maxAbsDiff, maxScaledDiff: maxAbsDiff / scale };
}

function largest(values: (number | null)[]): number | null {
  return values.some((value) => value === null) ? null : Math.max(0, ...values.map((value) => value ?? 0));
}
