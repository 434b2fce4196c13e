import { afterAll, describe, expect, it } from "vitest";
import { lowerModel } from "../../core/program/lower.ts";
import type { Program } from "../../core/program/program.ts";
import { chain } from "../../core/templates/sketch.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { run } from "../../native/index.ts";
import { type Network, networks } from "./networks.ts";
import { specOf, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

describe("histograms of a training", () => {
  const [mlp] = networks as [Network];
  const rows = writeRows(folder.path, "spread", mlp, 64, 3);
  const spec = specOf(mlp, { train: rows }, { batchSize: 16, epochs: 2 });
  const of = (events: RunEvent[]) => events.flatMap((event) => (event.type === "histograms" ? [event] : []));

  it("come with the first and the last epoch, count every number once and change nothing of the training", async () => {
    const [plain, looked] = [await trainAll(spec), await trainAll({ ...spec, histograms: true })];
    expect(of(plain.events)).toEqual([]);
    const losses = (events: RunEvent[]) => events.flatMap((event) => (event.type === "points" && event.key === "train/loss" ? event.values : []));
    expect(losses(looked.events)).toEqual(losses(plain.events));
    const all = of(looked.events);
    expect(all.map(({ epoch }) => epoch)).toEqual([1, 2]);
    const [first] = all;
    const trainable = spec.program.weights.filter((weight) => weight.trainable);
    expect(first?.weights.map(({ name }) => name)).toEqual(trainable.map(({ name }) => name));
    expect(first?.gradients.map(({ name }) => name)).toEqual(trainable.map(({ name }) => name));
    for (const { name, counts, low, high } of first?.weights ?? []) {
      const shape = trainable.find((weight) => weight.name === name)?.shape ?? [];
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(shape.reduce((product, size) => product * size, 1));
      expect(low).toBeLessThanOrEqual(high);
    }
    // A ReLU gives nothing below 0, and of 16 rows each number once.
    const relu = first?.activations.find(({ node }) => mlp.graph.nodes.find(({ id }) => id === node)?.type === "relu");
    expect(relu?.low).toBe(0);
    expect((relu?.counts.reduce((sum, count) => sum + count, 0) ?? 0) % 16).toBe(0);
  });
});

describe("gradients of one pass", () => {
  it("are how the number changes with what nodes give, and with the input itself", async () => {
    const graph = chain([
      ["x", "input", { shape: [3] }],
      ["twice", "linear", { out_features: 2, bias: false }],
      ["y", "output"],
    ]);
    const program = lowerModel(graph);
    const answer = program.outputs[0]?.value ?? 0;
    const input = program.inputs[0]?.value ?? 0;
    const next = answer + 100;
    const scored: Program = {
      ...program,
      ops: [...program.ops, { op: "aten::select.int", args: [{ v: answer }, 1, 1], out: [next], node: "" }, { op: "aten::sum", args: [{ v: next }], out: [next + 1], node: "" }],
      outputs: [
        { name: "score", value: next + 1 },
        { name: "seen", value: input },
        { name: "y", value: answer },
        { name: "weight", value: program.weights[0]?.value ?? 0 },
      ],
    };
    const data = { dtype: "float32" as const, shape: [1, 3], data: Float32Array.of(1, -2, 0.5) };
    const made = await run({ program: scored, weights: { seed: 5 }, inputs: { x: data }, gradientOf: "score" });
    expect(Array.from(made["gradient/y"]?.data as Float32Array)).toEqual([0, 1]);
    // dy₁/dx is the second row of the weight.
    expect(Array.from(made["gradient/seen"]?.data as Float32Array)).toEqual(Array.from(made.weight?.data as Float32Array).slice(3));
    const plain = await run({ program: scored, weights: { seed: 5 }, inputs: { x: data } });
    expect(Object.keys(plain).sort()).toEqual(["score", "seen", "weight", "y"]);
    expect(plain.y?.data).toEqual(made.y?.data);
  });
});
