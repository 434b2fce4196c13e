import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { tensorBytes } from "../../core/export/tensor.ts";
import { chain } from "../../core/templates/sketch.ts";
import type { RunEvent } from "../../core/training/events.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { EngineError, info, train } from "../../native/index.ts";
import { allowed } from "../allowed.ts";
import { type Network, networks } from "./networks.ts";
import { pointsOf, randomNumbers, specOf, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const [mlp, cnn, lstm] = networks as [Network, Network, Network];
const ROWS = 200;
const mlpRows = writeRows(folder.path, "mlp", mlp, ROWS, 1);
const mlpValidation = writeRows(folder.path, "mlp-validation", mlp, 70, 2);
const cnnRows = writeRows(folder.path, "cnn", cnn, ROWS, 3);
const cnnValidation = writeRows(folder.path, "cnn-validation", cnn, 70, 4);
const lstmRows = writeRows(folder.path, "lstm", lstm, ROWS, 5);

/** A CNN whose dropout draws random numbers at every step, so that the random state matters. */
const withDropout: Pick<Network, "graph"> = {
  graph: chain([
    ["x", "input", { shape: [2, 12, 12] }],
    ["conv", "conv2d", { out_channels: 6, kernel_size: 3 }],
    ["bn", "batch_norm2d"],
    ["relu", "relu"],
    ["dropout", "dropout", { p: 0.4 }],
    ["flatten", "flatten"],
    ["fc", "linear", { out_features: 5 }],
    ["y", "output"],
  ]),
};

/** Every augmentation there is, each drawing its own random numbers for each picture. */
const augmented: Pick<Network, "graph"> = {
  graph: chain([
    ["x", "input", { shape: [2, 12, 12] }],
    ["flip", "random_horizontal_flip"],
    ["upside", "random_vertical_flip"],
    ["crop", "random_crop", { padding: 2 }],
    ["turn", "random_rotation"],
    ["move", "random_affine"],
    ["jitter", "color_jitter"],
    ["erase", "random_erasing"],
    ["conv", "conv2d", { out_channels: 6, kernel_size: 3 }],
    ["relu", "relu"],
    ["flatten", "flatten"],
    ["fc", "linear", { out_features: 5 }],
    ["y", "output"],
  ]),
};

/** Sees each row by itself, whatever the batch. */
const mlpOnImages: Pick<Network, "graph"> = {
  graph: chain([
    ["x", "input", { shape: [2, 12, 12] }],
    ["flatten", "flatten"],
    ["fc", "linear", { out_features: 5 }],
    ["y", "output"],
  ]),
};

let folders = 0;
function ownFolder(): string {
  const path = join(folder.path, `checkpoints-${folders++}`);
  mkdirSync(path);
  return path;
}

/** Every tensor of a checkpoint: weights, optimizer and random state. The time spent, which differs, is in its metadata. */
function stateOf(file: string): Map<string, string> {
  const { tensors } = readSafetensors(readFileSync(file));
  return new Map([...tensors].map(([name, tensor]) => [name, Buffer.from(tensorBytes(tensor)).toString("base64")]));
}

/** How long a run had trained when it wrote a checkpoint, in ms. */
const elapsedOf = (file: string) => z.object({ elapsedMs: z.number() }).parse(JSON.parse(readSafetensors(readFileSync(file)).metadata.tensorloom ?? "")).elapsedMs;

describe("a run", () => {
  it.each([
    ["with dropout", withDropout],
    ["with every augmentation", augmented],
  ])("gives the same numbers bit for bit each time, %s", async (_, network) => {
    const spec = specOf(network, { train: cnnRows }, { epochs: 2 });
    const trainOnce = () => trainAll({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 0 } });
    const [first, second] = [await trainOnce(), await trainOnce()];
    expect(pointsOf(first.events, "train/loss")).toEqual(pointsOf(second.events, "train/loss"));
    expect(stateOf(first.result.file ?? "")).toEqual(stateOf(second.result.file ?? ""));
    const other = await trainAll({ ...spec, seed: 8 });
    expect(pointsOf(other.events, "train/loss")).not.toEqual(pointsOf(first.events, "train/loss"));
  });

  it("tells its story in order: started, points, evaluation and checkpoint of every epoch", async () => {
    const { result, events } = await trainAll(
      specOf(mlp, { train: mlpRows, validation: mlpValidation }, { epochs: 3, sampleRows: [0, 69], checkpoint: { folder: ownFolder(), everyMs: 0 } }),
    );
    const stepsPerEpoch = Math.ceil(ROWS / 16);
    expect(result).toMatchObject({ status: "finished", steps: 3 * stepsPerEpoch });
    expect(events[0]).toMatchObject({ type: "started", stepsPerEpoch, totalSteps: 3 * stepsPerEpoch, firstStep: 1, device: "cpu" });
    for (const key of ["train/loss", "train/accuracy", "lr"])
      expect(pointsOf(events, key).map(([step]) => step)).toEqual(Array.from({ length: 3 * stepsPerEpoch }, (_, i) => i + 1));
    let step = 0;
    for (const event of events) {
      const reached = event.type === "points" ? (event.steps.at(-1) ?? 0) : "step" in event ? event.step : step;
      expect(reached).toBeGreaterThanOrEqual(event.type === "points" ? 0 : step);
      step = Math.max(step, reached);
    }
    const told = events.filter(({ type }) => type === "evaluated" || type === "checkpoint").map((event) => [event.type, "step" in event ? event.step : 0]);
    expect(told).toEqual(
      [1, 2, 3].flatMap((epoch) => [
        ["evaluated", epoch * stepsPerEpoch],
        ["checkpoint", epoch * stepsPerEpoch],
      ]),
    );
    expect(events.at(-1)).toMatchObject({ type: "progress", step: 3 * stepsPerEpoch, epoch: 3 });
  });

  it("counts every validation row once in its confusion matrix, and carries the rows asked for", async () => {
    const { events } = await trainAll(specOf(mlp, { train: mlpRows, validation: mlpValidation }, { sampleRows: [3, 1, 69] }));
    const evaluated = events.find((event) => event.type === "evaluated");
    expect(evaluated?.tensors.confusion?.shape).toEqual([5, 5]);
    const counts = evaluated?.tensors.confusion?.data ?? [];
    expect(counts.reduce((a, b) => a + b, 0)).toBe(70);
    const right = [0, 1, 2, 3, 4].reduce((sum, i) => sum + (counts[i * 5 + i] ?? 0), 0);
    expect(evaluated?.values.accuracy).toBeCloseTo(right / 70, 6);
    expect(evaluated?.samples.y?.map((row) => row.length)).toEqual([5, 5, 5]);
  });

  const settings: Partial<TrainSpec> = { optimizer: { kind: "SGD", momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: true }, accumulate: 2 };

  it.each([
    ["with dropout", withDropout, cnnRows, 1],
    ["with dropout", withDropout, cnnRows, 2],
    ["with every augmentation", augmented, cnnRows, 3],
    ["an LSTM", lstm, lstmRows, 4],
  ] as const)("resumed from any checkpoint ends as if it had never stopped (%s)", async (_, network, train, seed) => {
    const spec = specOf(network, { train }, { ...settings, epochs: 4, seed });
    const whole = await trainAll({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 1 } });
    const checkpoints = whole.events.filter((event) => event.type === "checkpoint");
    const cut = checkpoints[Math.floor(randomNumbers(seed)() * (checkpoints.length - 1))];
    if (!cut) throw new Error("The run wrote no checkpoint.");
    const rest = await trainAll({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 0 }, resumeFrom: cut.file });
    expect(rest.events[0]).toMatchObject({ type: "started", firstStep: cut.step + 1 });
    expect(pointsOf(rest.events, "train/loss")).toEqual(pointsOf(whole.events, "train/loss").slice(cut.step));
    expect(stateOf(rest.result.file ?? "")).toEqual(stateOf(whole.result.file ?? ""));
  });

  it("has a checkpoint of each interval, however long its epoch: who goes on from the last one repeats no more than that", async () => {
    const everyMs = 50;
    const { events, result } = await trainAll(
      specOf(cnn, { train: writeRows(folder.path, "long-epoch", cnn, 2_000, 6), validation: cnnValidation }, { batchSize: 4, checkpoint: { folder: ownFolder(), everyMs } }),
    );
    const times = [0, ...events.flatMap((event) => (event.type === "checkpoint" ? [elapsedOf(event.file)] : []))];
    expect(result.status).toBe("finished");
    expect(times.length).toBeGreaterThan(3);
    for (const [at, time] of times.slice(1).entries()) expect(time - (times[at] ?? 0)).toBeLessThan(allowed(everyMs + 200));
  });

  it.each(["none", "strong_wolfe"] as const)("by LBFGS, resumed from the middle, ends as if it had never stopped (line search: %s)", async (lineSearch) => {
    const optimizer: TrainSpec["optimizer"] = { kind: "LBFGS", maxIter: 3, historySize: 4, toleranceGrad: 1e-7, toleranceChange: 1e-9, lineSearch, weightDecay: 1e-3 };
    const spec = specOf(withDropout, { train: cnnRows }, { optimizer, lr: { base: 0.1, schedule: { kind: "constant" } }, epochs: 3, batchSize: 50 });
    const whole = await trainAll({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 1 } });
    const checkpoints = whole.events.filter((event) => event.type === "checkpoint");
    const cut = checkpoints.find(({ step }) => step > 2);
    if (!cut || checkpoints.at(-1) === cut) throw new Error("The run wrote no checkpoint in its middle.");
    const rest = await trainAll({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 0 }, resumeFrom: cut.file });
    expect(pointsOf(rest.events, "train/loss")).toEqual(pointsOf(whole.events, "train/loss").slice(cut.step));
    expect(stateOf(rest.result.file ?? "")).toEqual(stateOf(whole.result.file ?? ""));
  });

  it("with averaged weights, resumed from the middle of an epoch, ends as if it had never stopped, and its checkpoints hold both", async () => {
    const spec = specOf(withDropout, { train: cnnRows }, { epochs: 3, ema: { decay: 0.9 } });
    const whole = await trainAll({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 1 } });
    const cut = whole.events.find((event) => event.type === "checkpoint" && event.step > 2 && event.step < 12);
    if (cut?.type !== "checkpoint") throw new Error("The run wrote no checkpoint within its first epoch.");
    const rest = await trainAll({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 0 }, resumeFrom: cut.file });
    expect(rest.events.filter(({ type }) => type === "evaluated")).toEqual(whole.events.filter(({ type }) => type === "evaluated"));
    const state = stateOf(whole.result.file ?? "");
    expect(stateOf(rest.result.file ?? "")).toEqual(state);
    expect(state.get("fc.weight")).not.toEqual(state.get("raw/fc.weight"));
    // The average is looked at, not trained on.
    const plain = await trainAll({ ...spec, ema: undefined, checkpoint: { folder: ownFolder(), everyMs: 0 } });
    expect(pointsOf(whole.events, "train/loss")).toEqual(pointsOf(plain.events, "train/loss"));
    const untouched = stateOf(plain.result.file ?? "");
    expect(state.get("raw/fc.weight")).toEqual(untouched.get("fc.weight"));
    expect(state.get("bn.running_mean")).toEqual(untouched.get("bn.running_mean"));
  });

  describe("on one batch", () => {
    const spec = (network: Pick<Network, "graph">, settings: Partial<TrainSpec> = {}) =>
      specOf(network, { train: cnnRows, validation: cnnValidation }, { oneBatch: true, epochs: 8, ...settings });
    const verdicts = (events: RunEvent[]) => events.filter((event) => event.type === "judged");

    it("finds that a network can learn, on the same rows at every step", async () => {
      const { events, result } = await trainAll(spec(cnn));
      const losses = pointsOf(events, "train/loss").map(([, loss]) => loss ?? Number.NaN);
      expect(verdicts(events)).toEqual([{ type: "judged", step: result.steps, learnt: true, message: expect.stringContaining("can learn") }]);
      expect(Math.min(...losses)).toBeLessThan((losses[0] ?? 0) / 10);
      // Nothing moves at a learning rate of 0, so the same rows give the same loss; rows of their own do not.
      const still = { lr: { base: 0, schedule: { kind: "constant" as const } }, epochs: 1 };
      const seen = async (oneBatch: boolean) => new Set(pointsOf((await trainAll(spec(mlpOnImages, { ...still, oneBatch }))).events, "train/loss").map(([, loss]) => loss)).size;
      expect(await seen(true)).toBe(1);
      expect(await seen(false)).toBe(13);
    });

    it("finds that a network cannot learn where its learning rate does nothing", async () => {
      const { events } = await trainAll(spec(cnn, { lr: { base: 1e-9, schedule: { kind: "constant" } } }));
      expect(verdicts(events)).toEqual([expect.objectContaining({ learnt: false, message: expect.stringContaining("did not learn") })]);
      expect(events.some((event) => event.type === "log" && event.level === "warn")).toBe(true);
    });

    it("says the same when it is resumed, and nothing more from its last checkpoint", async () => {
      const whole = await trainAll(spec(withDropout, { checkpoint: { folder: ownFolder(), everyMs: 0 } }));
      const checkpoints = whole.events.filter((event) => event.type === "checkpoint");
      const from = async (file: string | undefined) => trainAll(spec(withDropout, { checkpoint: { folder: ownFolder(), everyMs: 0 }, resumeFrom: file ?? "" }));
      const rest = await from(checkpoints[3]?.file);
      expect(verdicts(rest.events)).toEqual(verdicts(whole.events));
      expect(stateOf(rest.result.file ?? "")).toEqual(stateOf(whole.result.file ?? ""));
      expect(verdicts((await from(checkpoints.at(-1)?.file)).events)).toEqual([]);
    });
  });

  describe("with early stopping", () => {
    const stopping = { output: "loss", better: "lower", patience: 2, minDelta: 0 } as const;
    const spec = () =>
      specOf(
        withDropout,
        { train: cnnRows, validation: cnnValidation },
        { epochs: 60, lr: { base: 0.02, schedule: { kind: "constant" } }, earlyStopping: stopping, checkpoint: { folder: ownFolder(), everyMs: 0 } },
      );
    const evaluations = (events: RunEvent[]) => events.filter((event) => event.type === "evaluated");

    it.each([
      ["loss", "lower", 0],
      ["accuracy", "higher", 0],
      ["loss", "lower", 0.05],
    ] as const)("ends where %s has not become better (%s is) by more than %d for two epochs, as the values themselves say", async (output, better, minDelta) => {
      const { result, events } = await trainAll({ ...spec(), earlyStopping: { output, better, patience: 2, minDelta } });
      const values = evaluations(events).map((event) => event.values[output] ?? Number.NaN);
      let [best, bestEpoch] = [Number.NaN, 0];
      values.forEach((value, epoch) => {
        if (bestEpoch === 0 || (better === "lower" ? best - value : value - best) > minDelta) [best, bestEpoch] = [value, epoch + 1];
        if (epoch < values.length - 1) expect(epoch + 1 - bestEpoch).toBeLessThan(2);
      });
      expect(values.length).toBeLessThan(60);
      expect(values.length - bestEpoch).toBe(2);
      expect(result).toMatchObject({ status: "finished", steps: 13 * values.length });
      const stopped = events.filter((event) => event.type === "stopped");
      expect(stopped).toEqual([{ type: "stopped", step: result.steps, epoch: values.length, bestEpoch, message: expect.stringContaining(`best in epoch ${bestEpoch}`) }]);
      expect(events.some((event) => event.type === "log" && event.message === stopped[0]?.message)).toBe(true);
    });

    it("stops at the same step when it is resumed on the way, and at once from the checkpoint that it stopped at", async () => {
      const whole = await trainAll(spec());
      const checkpoints = whole.events.filter((event) => event.type === "checkpoint");
      // The one in the middle of the patience: what was counted so far must come along.
      for (const at of [checkpoints.length - 2, 0]) {
        const rest = await trainAll({ ...spec(), resumeFrom: checkpoints[at]?.file ?? "" });
        expect(rest.result.steps).toBe(whole.result.steps);
        expect(rest.events.filter(({ type }) => type === "stopped")).toEqual(whole.events.filter(({ type }) => type === "stopped"));
        expect(stateOf(rest.result.file ?? "")).toEqual(stateOf(whole.result.file ?? ""));
      }
      const over = await trainAll({ ...spec(), resumeFrom: whole.result.file });
      expect(over.result).toMatchObject({ status: "finished", steps: whole.result.steps });
      expect(over.events.filter(({ type }) => type === "points" || type === "stopped" || type === "evaluated")).toEqual([]);
    });

    it("refuses to watch what is no number", async () => {
      await expect(trainAll({ ...spec(), earlyStopping: { ...stopping, output: "confusion" } })).rejects.toMatchObject({ failure: { code: "PROGRAM_INVALID" } });
    });
  });

  it("cancelled between steps and resumed ends as if it had never stopped", async () => {
    const spec = specOf(withDropout, { train: cnnRows }, { ...settings, epochs: 100_000 });
    const events: RunEvent[] = [];
    const training = train({ ...spec, checkpoint: { folder: ownFolder(), everyMs: 0 } }, (some) => {
      events.push(...some);
      if (events.some(({ type }) => type === "points")) training.cancel();
    });
    const cut = await training.done;
    expect(cut.status).toBe("cancelled");
    const epochs = Math.floor(cut.steps / 7) + 2;
    const rest = await trainAll({ ...spec, epochs, checkpoint: { folder: ownFolder(), everyMs: 0 }, resumeFrom: cut.file });
    const whole = await trainAll({ ...spec, epochs, checkpoint: { folder: ownFolder(), everyMs: 0 } });
    expect([...pointsOf(events, "train/loss"), ...pointsOf(rest.events, "train/loss")]).toEqual(pointsOf(whole.events, "train/loss"));
    expect(stateOf(rest.result.file ?? "")).toEqual(stateOf(whole.result.file ?? ""));
  });

  it("writes checkpoints while an epoch goes on, whole or not at all", async () => {
    const path = ownFolder();
    const { events } = await trainAll(specOf(cnn, { train: cnnRows }, { epochs: 2, checkpoint: { folder: path, everyMs: 1 } }));
    const checkpoints = events.filter((event) => event.type === "checkpoint");
    expect(checkpoints.length).toBeGreaterThan(2);
    expect(readdirSync(path).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    for (const { file, sha256, sizeBytes } of checkpoints.slice(-3)) {
      const bytes = readFileSync(file);
      expect(bytes.length).toBe(sizeBytes);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    }
  });

  it("starts from the weights of another, and says which it did not find", async () => {
    const path = ownFolder();
    const first = await trainAll(specOf(mlp, { train: mlpRows }, { epochs: 4, checkpoint: { folder: path, everyMs: 0 } }));
    const again = await trainAll(specOf(mlp, { train: mlpRows }, { startFrom: first.result.file }));
    const [[, start] = [0, 0]] = pointsOf(again.events, "train/loss");
    const [[, fresh] = [0, 0]] = pointsOf(first.events, "train/loss");
    expect(start).toBeLessThan(fresh ?? 0);
    const wider: Pick<Network, "graph"> = {
      graph: chain([
        ["x", "input", { shape: [20] }],
        ["fc1", "linear", { out_features: 32 }],
        ["relu", "relu"],
        ["head", "linear", { out_features: 5 }],
        ["y", "output"],
      ]),
    };
    const { events } = await trainAll(specOf(wider, { train: mlpRows }, { startFrom: first.result.file }));
    expect(events.find((event) => event.type === "log" && event.level === "warn")).toMatchObject({ message: expect.stringContaining("2 of 4 weights") });
  });

  it("accumulates: two halves of a batch step like the whole", async () => {
    const optimizer: TrainSpec["optimizer"] = { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };
    const whole = await trainAll(specOf(mlp, { train: mlpRows }, { optimizer, batchSize: 40, epochs: 4 }));
    const halves = await trainAll(specOf(mlp, { train: mlpRows }, { optimizer, batchSize: 20, accumulate: 2, epochs: 4 }));
    const [a, b] = [pointsOf(whole.events, "train/loss"), pointsOf(halves.events, "train/loss")];
    expect(a).toHaveLength(20);
    for (const [i, [step, loss]] of a.entries()) {
      expect(b[i]?.[0]).toBe(step);
      expect(b[i]?.[1]).toBeCloseTo(loss ?? Number.NaN, 5);
    }
  });

  it("clips gradients by norm and by value", async () => {
    const base = specOf(
      mlp,
      { train: mlpRows },
      { optimizer: { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false }, lr: { base: 1, schedule: { kind: "constant" } } },
    );
    const free = pointsOf((await trainAll(base)).events, "train/loss");
    const norm = await trainAll({ ...base, gradClip: { kind: "norm", max: 1e-9 } });
    expect(pointsOf(norm.events, "grad_norm")).toHaveLength(free.length);
    // Next to nothing is left of a step, so each batch sees the first weights: the losses of a learning rate of 0.
    const still = pointsOf((await trainAll({ ...base, lr: { base: 0, schedule: { kind: "constant" } } })).events, "train/loss");
    for (const clipped of [norm, await trainAll({ ...base, gradClip: { kind: "value", max: 1e-9 } })]) {
      for (const [i, [, loss]] of pointsOf(clipped.events, "train/loss").entries()) expect(loss).toBeCloseTo(still[i]?.[1] ?? Number.NaN, 5);
    }
    expect(free).not.toEqual(still);
  });

  it("follows its table of learning rates, whose last factor holds on", async () => {
    const { events } = await trainAll(specOf(mlp, { train: mlpRows }, { lr: { base: 0.5, schedule: { kind: "table", factors: [1, 0.5, 0.25] } } }));
    expect(
      pointsOf(events, "lr")
        .slice(0, 5)
        .map(([, rate]) => rate),
    ).toEqual([0.5, 0.25, 0.125, 0.125, 0.125]);
  });

  it("learns in bfloat16 and in channels_last order as it does plainly", async () => {
    const last = async (settings: Partial<TrainSpec>) =>
      pointsOf((await trainAll(specOf(cnn, { train: cnnRows }, { epochs: 6, ...settings }))).events, "train/loss").at(-1)?.[1] ?? Number.NaN;
    const plain = await last({});
    expect(await last({ channelsLast: true })).toBeCloseTo(plain, 2);
    // bfloat16 keeps 8 bits: the same curve, not the same numbers.
    expect(Math.abs((await last({ precision: "bf16" })) - plain)).toBeLessThan(0.25);
  });

  it("can be cancelled at once, and more than once", async () => {
    const training = train(specOf(mlp, { train: mlpRows }, { epochs: 100_000 }), () => {});
    training.cancel();
    training.cancel();
    const { steps, ...end } = await training.done;
    expect(end).toEqual({ status: "cancelled", file: null });
    // A thread that was quicker than the wish takes a step or a few; all would be 1,300,000.
    expect(steps).toBeLessThan(1_000);
  });

  it("does not grow while it goes on", async () => {
    const spec = specOf(cnn, { train: cnnRows }, { epochs: 20 });
    await trainAll(spec);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 2; i++) await trainAll(spec);
    // About 500 further steps; a leak of one step's tensors would be 80 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * 2 ** 20);
  });
});

describe("a run that fails", () => {
  const failureOf = (spec: TrainSpec) =>
    trainAll(spec).then(
      () => ({ code: "none", message: "" }),
      (error: unknown) => {
        if (!(error instanceof EngineError)) throw error;
        return error.failure;
      },
    );

  it("stops where the loss stops being finite, and names the node that made the first bad value", async () => {
    const spec = specOf(
      mlp,
      { train: mlpRows },
      { lr: { base: 1e18, schedule: { kind: "constant" } }, optimizer: { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false } },
    );
    const failure = await failureOf(spec);
    expect(failure).toMatchObject({ code: "RUN_NONFINITE", step: expect.any(Number), node: expect.stringMatching(/^(fc\d|y)$/) });
    expect(failure.message).toMatch(/learning rate/);
  });

  it("refuses a checkpoint of another model, a damaged one, and one of weights only", async () => {
    const path = ownFolder();
    const { result } = await trainAll(specOf(mlp, { train: mlpRows }, { checkpoint: { folder: path, everyMs: 0 } }));
    const file = result.file ?? "";
    expect(await failureOf(specOf(cnn, { train: cnnRows }, { resumeFrom: file }))).toMatchObject({ code: "WEIGHTS_MISMATCH" });
    expect(await failureOf(specOf(mlp, { train: mlpRows }, { resumeFrom: file, batchSize: 8 }))).toMatchObject({ code: "DATA_MISMATCH" });
    const bytes = readFileSync(file);
    for (const [name, damaged] of Object.entries({
      cut: bytes.subarray(0, bytes.length - 1),
      header: Buffer.concat([Buffer.alloc(8, 255), bytes.subarray(8)]),
      empty: Buffer.alloc(0),
    })) {
      const other = join(path, `${name}.safetensors`);
      writeFileSync(other, damaged);
      expect(await failureOf(specOf(mlp, { train: mlpRows }, { resumeFrom: other })), name).toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    }
  });

  it("says that a device is missing", async () => {
    if (info().cuda) return;
    expect(await failureOf(specOf(mlp, { train: mlpRows }, { device: "cuda" }))).toMatchObject({ code: "DEVICE_MISSING" });
  });
});
