import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { tensorBytes } from "../../core/export/tensor.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import { chain, sketch } from "../../core/templates/sketch.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { droppables, type Knob, type Turn } from "../../core/training/knobs.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { type Training, train } from "../../native/index.ts";
import { type Network, networks } from "./networks.ts";
import { pointsOf, randomNumbers, specOf, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const ROWS = 200;
const STEPS = Math.ceil(ROWS / 16);
const [mlp] = networks as [Network];
const rows = writeRows(folder.path, "rows", mlp, ROWS, 1);
const validation = writeRows(folder.path, "validation", mlp, 70, 2);

const network = (p = 0.4) => ({
  graph: chain([
    ["x", "input", { shape: [20] }],
    ["fc1", "linear", { out_features: 32 }],
    ["first", "dropout", { p }],
    ["relu", "relu"],
    ["second", "dropout", { p }],
    ["fc2", "linear", { out_features: 5 }],
    ["y", "output"],
  ]),
});

let folders = 0;
function ownFolder(): string {
  const path = join(folder.path, `checkpoints-${folders++}`);
  mkdirSync(path);
  return path;
}
const spec = (settings: Partial<TrainSpec> = {}, graph = network()): TrainSpec =>
  specOf(graph, { train: rows, validation }, { checkpoint: { folder: ownFolder(), everyMs: 0 }, ...settings });

const turned = (events: readonly RunEvent[]) => events.filter((event) => event.type === "turned");
const lrs = (events: readonly RunEvent[]) => pointsOf(events, "lr").map(([, lr]) => lr);
const knob = (step: number | null, turn: Turn): Knob => ({ id: `${turn.kind} ${step}`, step, ...turn });
const lr = (lr: number, hold = false): Turn => ({ kind: "lr", lr, hold });
const dropout = (p: number, node: string | null = null): Turn => ({ kind: "dropout", p, node });
const batch = (batchSize: number, dropLast = false): Turn => ({ kind: "batch-size", batchSize, dropLast });

/** Everything that a run is: its points but for the speed, its evaluations, and each tensor of its last checkpoint. */
function storyOf({ events, result }: Awaited<ReturnType<typeof trainAll>>, fromStep = 0) {
  const keys = ["train/loss", "train/accuracy", "lr", "grad_norm"];
  const points = Object.fromEntries(keys.map((key) => [key, pointsOf(events, key).filter(([step]) => step > fromStep)]));
  // How long it took is no part of the story.
  const evaluations = events.flatMap((event) => (event.type === "evaluated" && event.step > fromStep ? [{ ...event, durationMs: 0 }] : []));
  const state = [...readSafetensors(readFileSync(result.file ?? "")).tensors].map(([name, tensor]) => [name, Buffer.from(tensorBytes(tensor)).toString("base64")]);
  return { points, evaluations, state };
}

/** Trains and turns knobs as the run goes: `when` sees all that was said so far. */
async function trainTurning(order: TrainSpec, when: (events: readonly RunEvent[], training: Training) => void) {
  const events: RunEvent[] = [];
  const training: Training = train(order, (some) => {
    events.push(...some);
    when(events, training);
  });
  return { result: await training.done, events };
}

describe("the learning rate, turned", () => {
  it("holds from the next step on, and says which step that was and what was before", async () => {
    const { events } = await trainAll(spec({ knobs: [knob(3, lr(0.002))] }));
    expect(lrs(events)).toEqual([...Array(3).fill(0.01), ...Array(STEPS - 3).fill(0.002)]);
    expect(turned(events)).toEqual([{ type: "turned", id: "lr 3", step: 3, epoch: 0, before: 0.01, stepsPerEpoch: STEPS, totalSteps: STEPS }]);
  });

  it("goes on along its schedule in proportion, or stays where it is held, and can be let go again", async () => {
    const factors = Array.from({ length: STEPS }, (_, i) => 1 - i / STEPS);
    const schedule = { base: 0.01, schedule: { kind: "table" as const, factors } };
    const plain = lrs((await trainAll(spec({ lr: schedule }))).events);
    const scaled = lrs((await trainAll(spec({ lr: schedule, knobs: [knob(4, lr((plain[4] ?? 0) / 2))] }))).events);
    for (const [i, rate] of scaled.entries()) expect(rate).toBeCloseTo((plain[i] ?? 0) / (i < 4 ? 1 : 2), 12);
    const held = lrs((await trainAll(spec({ lr: schedule, knobs: [knob(4, lr(0.003, true)), knob(8, lr(plain[8] ?? 0))] }))).events);
    expect(held).toEqual([...plain.slice(0, 4), ...Array(4).fill(0.003), ...plain.slice(8)]);
  });

  it("is where ReduceLROnPlateau goes on from", async () => {
    const plateau = { kind: "plateau" as const, factor: 0.5, patience: 0, threshold: 1e9, thresholdMode: "abs" as const, cooldown: 0, minLr: 0, eps: 0 };
    const { events } = await trainAll(spec({ epochs: 3, lr: { base: 0.01, schedule: plateau }, knobs: [knob(STEPS + 2, lr(0.1))] }));
    expect([1, STEPS, STEPS + 2, STEPS + 3, 2 * STEPS, 2 * STEPS + 1].map((step) => lrs(events)[step - 1])).toEqual([0.01, 0.01, 0.01, 0.1, 0.1, 0.05]);
  });
});

describe("dropout, turned", () => {
  it("before the first step makes the run the one that had that share from the start", async () => {
    const changed = await trainAll(spec({ knobs: [knob(0, dropout(0.1))] }));
    expect(storyOf(changed)).toEqual(storyOf(await trainAll(spec({}, network(0.1)))));
    const one = await trainAll(spec({ knobs: [knob(0, dropout(0.1)), knob(0, dropout(0.4, "second"))] }));
    const other = network(0.1);
    other.graph.nodes = other.graph.nodes.map((node) => (node.id === "second" ? { ...node, params: { ...node.params, p: 0.4 } } : node));
    expect(storyOf(one)).toEqual(storyOf(await trainAll(spec({}, other))));
  });

  it("finds what can be turned: in attention, between stacked recurrent layers, and nothing where nothing is dropped", () => {
    const s = sketch();
    s.put(["x", "input", { shape: [12, 16] }], { column: 0, row: 0 });
    s.put(["lstm", "lstm", { hidden_size: 16, num_layers: 2, batch_first: true, dropout: 0.3 }], { column: 0, row: 1 }, { x: "x" });
    s.put(["single", "gru", { hidden_size: 16, batch_first: true }], { column: 0, row: 2 }, { x: "lstm" });
    s.put(["attention", "multihead_attention", { num_heads: 4, dropout: 0.2 }], { column: 0, row: 3 }, { query: "single" });
    s.put(["fused", "multihead_attention", { num_heads: 4 }], { column: 0, row: 4 }, { query: "attention" });
    s.stack(
      [
        ["mean", "mean", { dim: [1] }],
        ["drop", "dropout"],
        ["fc", "linear", { out_features: 5 }],
        ["y", "output"],
      ],
      { column: 0, row: 5 },
      "fused",
    );
    const { program } = lowerTraining(s.graph(), { loss: findLoss("CrossEntropyLoss"), metrics: [] });
    expect(droppables(program)).toEqual([
      { node: "lstm", p: 0.3 },
      { node: "attention", p: 0.2 },
      { node: "drop", p: 0.5 },
    ]);
  });
});

describe("the batch size, turned", () => {
  it("waits for the next epoch, and then cuts the rows anew", async () => {
    const { events, result } = await trainAll(spec({ epochs: 3, knobs: [knob(null, batch(50))] }));
    // As soon as may be is before the first step.
    expect(result.steps).toBe(3 * 4);
    expect(turned(events)).toMatchObject([{ step: 0, before: 16, stepsPerEpoch: 4, totalSteps: 12 }]);
    let asked = false;
    const later = await trainTurning(spec({ epochs: 2_000, checkpoint: null }), (_, training) => {
      if (!asked) training.turn([knob(null, batch(100))]);
      asked = true;
    });
    const [one, ...more] = turned(later.events);
    expect(more).toEqual([]);
    expect((one?.step ?? 0) % STEPS).toBe(0);
    const before = (one?.step ?? 0) / STEPS;
    expect(later.result.steps).toBe(before * STEPS + (2_000 - before) * 2);
    expect(one).toMatchObject({ epoch: before, before: 16, stepsPerEpoch: 2, totalSteps: later.result.steps });
  });

  it("leaves the schedule where its epochs are", async () => {
    const factors = Array.from({ length: 4 * STEPS }, (_, i) => 1 - i / (4 * STEPS));
    const { events } = await trainAll(spec({ epochs: 4, lr: { base: 1e-3, schedule: { kind: "table", factors } }, knobs: [knob(2 * STEPS, batch(100))] }));
    const rates = lrs(events);
    expect(rates).toHaveLength(2 * STEPS + 4);
    // Two steps an epoch now: the third epoch begins at the half of the schedule, the fourth at three quarters.
    const at = (share: number) => 1e-3 * (factors[Math.floor(share * 4 * STEPS)] ?? Number.NaN);
    expect(rates.slice(-4)).toEqual([at(0.5), at(0.5 + 6 / (4 * STEPS)), at(0.75), at(0.75 + 6 / (4 * STEPS))]);
  });

  it("of more rows than there are is refused in words", async () => {
    await expect(trainAll(spec({ knobs: [knob(0, batch(201, true))] }))).rejects.toMatchObject({ failure: { code: "DATA_MISMATCH" } });
  });
});

describe("a run whose knobs were turned while it went", () => {
  const turns = [lr(0.003), dropout(0.1, "second"), batch(40), lr(0.02, true), dropout(0.6), batch(16), lr(0.005)];
  const factors = Array.from({ length: 20_000 }, (_, i) => 1 / (1 + i / 2_000));

  /** Turns one knob after the other, and stops some steps after the last has taken hold. */
  const live = async (seed: number) => {
    const order = spec({ seed, epochs: 100_000, lr: { base: 0.01, schedule: { kind: "table", factors } }, checkpoint: { folder: ownFolder(), everyMs: 20 } });
    let asked = 0;
    const cut = await trainTurning(order, (events, training) => {
      const done = turned(events).length;
      const next = turns[asked];
      if (next && done === asked) training.turn([{ ...knob(null, next), id: String(++asked) }]);
      else if (done === turns.length) training.cancel();
    });
    expect(cut.result.status).toBe("cancelled");
    const steps = new Map(turned(cut.events).map(({ id, step }) => [id, step]));
    const history = turns.map((one, at): Knob => ({ ...knob(null, one), id: String(at + 1), step: steps.get(String(at + 1)) ?? null }));
    const epochs = cut.events.reduce((last, event) => (event.type === "evaluated" ? event.epoch : last), 0) + 2;
    const rest = await trainAll({ ...order, epochs, checkpoint: { folder: ownFolder(), everyMs: 0 }, resumeFrom: cut.result.file, knobs: history });
    return { order: { ...order, epochs }, cut, history, whole: { result: rest.result, events: [...cut.events, ...rest.events] } };
  };

  it.each([1, 2])("repeats bit for bit from its history, from the start and from any checkpoint (%i)", async (seed) => {
    const { order, cut, history, whole } = await live(seed);
    const again = (resumeFrom: string | null) => trainAll({ ...order, checkpoint: { folder: ownFolder(), everyMs: 0 }, resumeFrom, knobs: history });
    const twin = await again(null);
    expect(storyOf(twin)).toEqual(storyOf(whole));
    const said = (events: readonly RunEvent[]) => turned(events).map(({ id, step, before }) => [id, step, before]);
    expect(said(twin.events)).toEqual(said(whole.events));

    const random = randomNumbers(seed + 10);
    const checkpoints = cut.events.filter((event) => event.type === "checkpoint");
    const atKnob = checkpoints.find(({ step }) => history.some((one) => one.step === step));
    for (const from of [atKnob, checkpoints[0], ...Array.from({ length: 3 }, () => checkpoints[Math.floor(random() * checkpoints.length)])]) {
      // Whether one falls on a knob's own step is chance; an epoch's end, where batches are turned, always is one.
      if (!from) throw new Error("No checkpoint was written where a knob took hold.");
      expect(storyOf(await again(from.file), from.step)).toEqual(storyOf(whole, from.step));
    }
  });

  it("lets a knob that waits take hold only after those that came before it", async () => {
    const first = await trainAll(spec({ epochs: 2, knobs: [knob(5, lr(0.5)), knob(null, lr(0.001))] }));
    expect(turned(first.events).map(({ step }) => step)).toEqual([5, 5]);
    expect(lrs(first.events)).toEqual([...Array(5).fill(0.01), ...Array(2 * STEPS - 5).fill(0.001)]);
  });

  it("is told what is no knob", async () => {
    const training = train(spec(), () => {});
    expect(() => training.turn([{ id: "x", step: null, kind: "lr", lr: Number.NaN, hold: false }])).toThrow(/knobs\[0\]\.lr/);
    await training.done;
  });
});
