import { mainOutput } from "../../core/graph/predicting.ts";
import type { StudyAnswer, StudyOrder } from "../../core/preview/study.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { run } from "../../native/index.ts";
import { readInputs } from "./rows.ts";

/** Sends rows through a trained network, batch by batch, for as long as there is time. */
export async function study({ graph, preprocess, arrays, file, rows, batchSize, budgetMs }: StudyOrder): Promise<StudyAnswer> {
  const startedMs = performance.now();
  const whole = lowerModel(graph, { preprocess });
  const output = mainOutput(graph)?.name ?? "y";
  const program = { ...whole, outputs: whole.outputs.filter(({ name }) => name === output) };
  const parts: Float32Array[] = [];
  let done = 0;
  while (done < rows.length && (done === 0 || performance.now() - startedMs < budgetMs)) {
    const batch = rows.slice(done, done + batchSize);
    const { [output]: made } = await run({ program, weights: { file }, inputs: await readInputs(program, arrays, batch) });
    if (made?.dtype !== "float32" || made.shape[0] !== batch.length) return { rows: 0, width: 0, outputs: "" };
    parts.push(made.data);
    done += batch.length;
  }
  const bytes = Buffer.concat(parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)));
  return { rows: done, width: bytes.length / 4 / Math.max(1, done), outputs: bytes.toString("base64") };
}
