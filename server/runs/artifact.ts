import { z } from "zod";
import type { ParityReport } from "../../core/export/parity.ts";

const Difference = z.number().nullable();

/** The parity report of an ONNX export, as it is kept with the artifact. */
export const Report: z.ZodType<ParityReport> = z.object({
  passed: z.boolean(),
  samples: z.int(),
  maxAbsDiff: Difference,
  maxScaledDiff: Difference,
  tolerance: z.number(),
  outputs: z.array(z.object({ name: z.string(), shape: z.array(z.int()), maxAbsDiff: Difference, maxScaledDiff: Difference })),
  refusal: z.string().nullable(),
  opset: z.int(),
  engine: z.string(),
  onnxRuntime: z.string(),
});

/** Why an export is not to be had: stable code, one sentence. */
export const Refusal = z.object({ code: z.enum(["ONNX_PARITY", "EXPORT_FAILED"]), message: z.string() });
export type Refusal = z.infer<typeof Refusal>;
