import type { Manifest } from "../data/manifest.ts";
import type { TargetInfo } from "./records.ts";

/** Of targets stored as bytes, what says that nothing is known there; losses see it as `UNKNOWN_TARGET`, which PyTorch's own leave out. */
export const UNKNOWN_BYTE = 255;
export const UNKNOWN_TARGET = -100;

/** What losses are told of a data set's targets. Bytes become class numbers where there are classes, and numbers as preprocessing scales them elsewhere. */
export function targetInfo({ task, text, classes, preprocess, splits: { train } }: Pick<Manifest, "task" | "text" | "classes" | "preprocess" | "splits">): TargetInfo {
  const { dtype, shape, file, window } = train.target;
  const isInput = file === train.input.file && !window;
  return {
    // The classes of what comes next are all tokens.
    classes: task === "language-model" ? (text?.tokens.length ?? null) : classes.length || null,
    type: { dtype: dtype === "uint8" ? (classes.length > 0 ? "int64" : "float32") : dtype, shape: ["B", ...shape] },
    ...(dtype === "uint8" || isInput ? { stored: { dtype, scale: classes.length > 0 ? 1 : preprocess.scale, isInput } } : {}),
  };
}
