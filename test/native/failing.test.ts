import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { chain, type Step } from "../../core/templates/sketch.ts";
import type { Failure, RunEvent } from "../../core/training/events.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { EngineError, train } from "../../native/index.ts";
import { type Network, networks } from "./networks.ts";
import { specOf, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const [mlp, cnn] = networks as [Network, Network];
const MIB = 2 ** 20;
const rows = writeRows(folder.path, "mlp", mlp, 256, 1);
const images = writeRows(folder.path, "cnn", cnn, 256, 2);
const sgd: TrainSpec["optimizer"] = { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

async function failureOf(spec: TrainSpec): Promise<Failure> {
  try {
    await trainAll(spec);
  } catch (error) {
    if (error instanceof EngineError) return error.failure;
    throw error;
  }
  throw new Error("It did not fail.");
}

/** Layers between 20 inputs and 5 scores. */
const between = (...steps: Step[]) => ({
  graph: chain([["x", "input", { shape: [20] }], ...steps, ["scores", "linear", { out_features: 5 }], ["y", "output"]]),
});

async function peakOf(spec: TrainSpec): Promise<number> {
  const { events } = await trainAll(spec);
  return Math.max(...events.flatMap((event) => (event.type === "progress" ? [event.peakBytes ?? 0] : [])));
}

describe("a run that wants more memory than it may have", () => {
  const wide = between(["small", "linear", { out_features: 64 }], ["relu", "relu"], ["wide", "linear", { out_features: 20_000 }], ["relu2", "relu"]);

  it("names the node that asked for too much, the bytes and the limit, and leaves room for the next run", async () => {
    // The weights of `wide` and their like in the optimizer fit; what it makes of 256 rows does not.
    const spec = specOf(wide, { train: rows }, { batchSize: 256, optimizer: sgd, memoryLimitBytes: 20 * MIB });
    const failure = await failureOf(spec);
    expect(failure).toMatchObject({ code: "OUT_OF_MEMORY", node: "wide", step: 1, askedBytes: 256 * 20_000 * 4, limitBytes: 20 * MIB });
    expect(failure.neededBytes).toBeGreaterThan(20 * MIB);
    expect(failure.message).toMatch(/^Out of memory: needed ~\d+ MiB, limit 20 MiB, at "wide": aten::linear asked for 20 MiB\. Its tensors: \[256, 64\]/);
    expect((await trainAll({ ...spec, batchSize: 32 })).result.status).toBe("finished");
  });

  it("names the node whose backward asked for too much", async () => {
    const base = specOf(wide, { train: rows }, { batchSize: 256, optimizer: sgd });
    // At the end of the forward pass three results of `wide` are held; the backward pass asks for more.
    const peak = await peakOf(base);
    const failure = await failureOf({ ...base, memoryLimitBytes: peak - MIB });
    expect(failure).toMatchObject({ code: "OUT_OF_MEMORY", step: 1, node: expect.stringMatching(/^(wide|relu2|scores)$/), op: expect.stringMatching(/^aten::/) });
    expect(failure.message).toMatch(/the backward of aten::\w+ asked for \d+ MiB/);
    expect((await trainAll({ ...base, memoryLimitBytes: peak })).result.status).toBe("finished");
  });

  it("says so of weights and optimizer as well", async () => {
    const failure = await failureOf(specOf(wide, { train: rows }, { memoryLimitBytes: 12 * MIB }));
    expect(failure).toMatchObject({ code: "OUT_OF_MEMORY", limitBytes: 12 * MIB });
    expect(failure.message).toMatch(/^Out of memory: needed ~1\d MiB, limit 12 MiB: getting ready/);
  });

  it("counts the same peak each time, and a larger batch's as larger", async () => {
    const spec = specOf(cnn, { train: images }, { batchSize: 16 });
    const [first, second, larger] = [await peakOf(spec), await peakOf(spec), await peakOf({ ...spec, batchSize: 128 })];
    expect(second).toBe(first);
    expect(larger).toBeGreaterThan(3 * first);
  });
});

describe("a run whose numbers stop being finite", () => {
  it("59: log(0) is found in the forward pass", async () => {
    const failure = await failureOf(specOf(between(["relu", "relu"], ["log", "log"]), { train: rows }));
    expect(failure).toMatchObject({ code: "RUN_NONFINITE", node: "log", op: "aten::log", step: 1 });
  });

  it("the root of 0 is found in the backward pass at the same step, though the loss is finite", async () => {
    const network = between(["fc", "linear", { out_features: 16 }], ["zero", "expression", { expression: "x * 0" }], ["root", "sqrt"]);
    const failure = await failureOf(specOf(network, { train: rows }));
    expect(failure).toMatchObject({ code: "RUN_NONFINITE", node: "root", op: "aten::sqrt", step: 1 });
    expect(failure.message).toMatch(/^The loss is finite at step 1, but its gradient is not\. The backward of aten::sqrt at "root" was the first/);
    for (const change of [{ gradClip: { kind: "norm", max: 1 } }, { accumulate: 4 }, { optimizer: sgd }] as const)
      expect(await failureOf(specOf(network, { train: rows }, change))).toMatchObject({ code: "RUN_NONFINITE", node: "root", step: 1 });
  });

  it("is found with the numbers that dropout drew", async () => {
    const network = between(["fc", "linear", { out_features: 16 }], ["dropout", "dropout", { p: 0.5 }], ["square", "expression", { expression: "x * x" }], ["root", "sqrt"]);
    expect(await failureOf(specOf(network, { train: rows }, { accumulate: 2 }))).toMatchObject({ code: "RUN_NONFINITE", node: "root", step: 1 });
  });

  it("a rate of 1e6 ends it within steps, and no checkpoint of weights that are not finite is written", async () => {
    const checkpoints = join(folder.path, "checkpoints");
    mkdirSync(checkpoints);
    const deep = between(["a", "linear", { out_features: 64 }], ["b", "linear", { out_features: 64 }], ["c", "linear", { out_features: 64 }]);
    const events: RunEvent[] = [];
    const spec = specOf(
      deep,
      { train: rows },
      { lr: { base: 1e6, schedule: { kind: "constant" } }, optimizer: sgd, epochs: 5, batchSize: 128, checkpoint: { folder: checkpoints, everyMs: 1 } },
    );
    const failure = await train(spec, (some) => events.push(...some)).done.then(
      () => null,
      (error: unknown) => (error instanceof EngineError ? error.failure : null),
    );
    expect(failure).toMatchObject({ code: "RUN_NONFINITE", node: expect.stringMatching(/^(a|b|c|scores|y)$/), step: expect.any(Number) });
    expect(failure?.step).toBeLessThan(10);
    for (const name of readdirSync(checkpoints)) {
      const { tensors } = readSafetensors(readFileSync(join(checkpoints, name)));
      for (const [key, tensor] of tensors) if (tensor.dtype === "float32") expect([key, tensor.data.every(Number.isFinite)]).toEqual([key, true]);
    }
  });
});
