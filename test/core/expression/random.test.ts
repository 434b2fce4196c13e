import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateExpression, readExpression } from "../../../core/expression/evaluate.ts";
import { missingOracles } from "../../oracle.ts";
import { expressions } from "./draw.ts";
import { type Computed, compute, computeInPython, greatestDifference, POOL, SIZES, sizesOf } from "./world.ts";

const COUNT = Number(process.env.EXPRESSION_CASES ?? 200);
const SEED = Number(process.env.EXPRESSION_SEED ?? 1);
const missing = missingOracles("torch", "numpy");

describe.skipIf(missing.length > 0)(`random expressions${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  it(`${COUNT} of them come to the same in the engine, ONNX Runtime and PyTorch`, async () => {
    const drawn = fc.sample(expressions(["x", "y", "p[:, None]", "s[:, :3]"], ["n[:, None]", "k[:, None]"]), { seed: SEED, numRuns: COUNT * 2 });
    const accepted: { text: string; computed: Computed }[] = [];
    let refused = 0;
    for (const text of drawn) {
      if (accepted.length >= COUNT) break;
      const read = readExpression(text);
      if ("problem" in read) throw new Error(`${read.problem.message}\n${text}`);
      const types = Object.fromEntries(read.expression.inputs.map(({ name }) => [name, { dtype: POOL[name]?.dtype ?? "float32", shape: POOL[name]?.shape ?? [] } as const]));
      // Not all that the grammar makes fits together.
      if ("problem" in evaluateExpression(read.expression, types)) refused++;
      else accepted.push({ text, computed: await compute(text) });
    }
    expect(accepted.length).toBe(COUNT);
    expect(refused).toBeLessThan(COUNT);
    const answers = await computeInPython(accepted.map(({ computed }) => ({ computed, oracle: null })));
    const wrong: string[] = [];
    for (const [at, { text, computed }] of accepted.entries()) {
      const answer = answers[at];
      if (!answer || "error" in answer) {
        wrong.push(`${text}\n${answer?.error}`);
        continue;
      }
      const outputs = Object.keys(computed.types);
      const sorted = outputs.toSorted();
      for (const [i, { engine, onnx }] of computed.batches.entries()) {
        for (const name of outputs) {
          const [ours, type] = [engine[name], computed.types[name]];
          if (!ours || !type) throw new Error(`Output ${name} is missing.`);
          const torch = answer.torch[i]?.[sorted.indexOf(name)];
          const shapes = JSON.stringify([
            [ours.dtype, ours.shape],
            [onnx[name]?.dtype, onnx[name]?.shape],
            [torch?.dtype, torch?.shape],
          ]);
          const wanted = JSON.stringify(Array(3).fill([type.dtype, sizesOf(type, SIZES[i] ?? {})]));
          const differences = [greatestDifference(ours, torch), greatestDifference(ours, onnx[name])];
          // The same operations in another order of sums.
          if (shapes !== wanted || !differences.every((difference) => difference <= 1e-4))
            wrong.push(`${text}\n${name} of batch ${i}: ${shapes} ${wanted} ${differences}\n${computed.code}`);
        }
      }
    }
    expect(wrong.slice(0, 3).join("\n\n")).toBe("");
  }, 600_000);
});
