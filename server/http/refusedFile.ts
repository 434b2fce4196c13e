import { z } from "zod";

const Coded = z.object({ code: z.string() });
/** What a procedure answers that could not read a file: with more beside the refusal, so it is an answer and no error. */
const Refused = z.object({ ok: z.literal(false) }).and(z.union([Coded, z.object({ failure: Coded })]));

/** The HTTP status that goes with an answer that a file could not be read; null for every other answer. */
export function statusOfRefusedFile(answer: unknown): number | null {
  const read = Refused.safeParse(answer);
  if (!read.success) return null;
  const { code } = "failure" in read.data ? read.data.failure : read.data;
  if (/_(RATIO|TOO_MANY|TOO_LARGE)$/.test(code)) return 413;
  if (/^(ARCHIVE|ARRAY|IMAGE|TABLE)_TYPE$|^WEIGHTS_(PICKLE|FORMAT)$/.test(code)) return 415;
  return code === "WEIGHTS_MISMATCH" ? 409 : 422;
}
