import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { encodeNpy } from "../../core/data/npy.ts";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { checkGraph } from "../../core/graph/check.ts";
import type { Graph } from "../../core/graph/document.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import { sketch } from "../../core/templates/sketch.ts";
import { apartName, objectiveOf } from "../../core/training/objective.ts";
import { RunSettings } from "../../core/training/settings.ts";
import { shareWeights } from "../../core/training/turns.ts";
import { adam, pointsOf, randomNumbers, specOf, temporaryFolder, trainAll, writeFirstWeights } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

const STEPS = 40;
const BATCH_SIZE = 16;

/** A generator and a discriminator: two optimizers with a loss each, in one graph. Noise comes with the data, so that both sides see the same. */
function adversaries(): Graph {
  const s = sketch();
  s.put(["x", "input", { shape: [6] }], { column: 0, row: 0 });
  s.put(["z", "input", { shape: [4] }, "z"], { column: 1, row: 0 });
  const fake = s.stack(
    [
      ["g1", "linear", { out_features: 8 }],
      ["g_act", "tanh"],
      ["g2", "linear", { out_features: 6 }],
    ],
    { column: 1, row: 1 },
    "z",
  );
  const critic = (name: string, column: number, from: string) =>
    s.stack(
      [
        [`${name}1`, "linear", { out_features: 10 }],
        [`${name}_act`, "leaky_relu"],
        [`${name}2`, "linear", { out_features: 1 }],
      ],
      { column, row: 5 },
      from,
    );
  const real = critic("d", 0, "x");
  const detached = s.put(["detached", "detach"], { column: 1, row: 4 }, { x: fake });
  const found = critic("found", 1, detached);
  const fooled = critic("fooled", 2, fake);
  const softplus = (name: string, column: number, from: string) => s.put([name, "softplus"], { column, row: 9 }, { x: from });
  const missed = softplus("missed", 0, s.put(["minus_real", "neg"], { column: 0, row: 8 }, { x: real }));
  s.put(["sum", "add"], { column: 0, row: 10 }, { a: missed, b: softplus("caught", 1, found) });
  s.put(["critic", "output", {}, "critic"], { column: 0, row: 11 }, { x: "sum" });
  s.put(["y", "output"], { column: 2, row: 11 }, { x: softplus("unmasked", 2, s.put(["minus_fake", "neg"], { column: 2, row: 8 }, { x: fooled })) });
  const graph = s.graph();
  const owners: { [id: string]: string } = { found1: "d1", found2: "d2", fooled1: "d1", fooled2: "d2" };
  return { ...graph, nodes: graph.nodes.map((node) => (owners[node.id] ? { ...node, weightsOf: owners[node.id] } : node)) };
}

const settings = {
  loss: "Value" as const,
  lossParams: {},
  extraLosses: [{ output: "critic", loss: "Value" as const, lossParams: {}, weight: 1 }],
  furtherOptimizers: [{ nodes: ["d1", "d2"], outputs: ["critic"], optimizer: "Adam" as const, optimizerParams: {}, lr: 0.02, weightDecay: 0 }],
};

const program = `
import json, sys
import numpy as np, torch
import torch.nn.functional as F
from safetensors.torch import load_file

asked = json.load(sys.stdin)
torch.set_num_threads(1)
w = {name: tensor.requires_grad_(True) for name, tensor in load_file(asked["weights"]).items() if "/" not in name}
x, z = (torch.from_numpy(np.load(asked["files"][name])) for name in ("x", "z"))
of = lambda *names: [tensor for name, tensor in w.items() if name.split(".")[0] in names]
critic = torch.optim.Adam(of("d1", "d2"), lr=0.02, betas=(0.5, 0.999))
generator = torch.optim.Adam(of("g1", "g2"), lr=0.01)
G = lambda z: F.linear(F.linear(z, w["g1.weight"], w["g1.bias"]).tanh(), w["g2.weight"], w["g2.bias"])
D = lambda x: F.linear(F.leaky_relu(F.linear(x, w["d1.weight"], w["d1.bias"])), w["d2.weight"], w["d2.bias"])
series = {"loss": [], "critic": []}
for step in range(asked["steps"]):
    rows = slice(step * asked["batch"], (step + 1) * asked["batch"])
    loss = (F.softplus(-D(x[rows])) + F.softplus(D(G(z[rows]).detach()))).mean()
    critic.zero_grad()
    loss.backward()
    critic.step()
    series["critic"].append(loss.item())
    loss = F.softplus(-D(G(z[rows]))).mean()
    generator.zero_grad()
    loss.backward()
    generator.step()
    series["loss"].append(loss.item())
print(json.dumps({"series": series, "weights": {name: tensor.detach().flatten().tolist() for name, tensor in w.items()}}))
`;

const folder = temporaryFolder();
afterAll(folder.remove);

/** The order of such a run, on rows of its own. */
function orderOf() {
  const random = randomNumbers(5);
  const rows = STEPS * BATCH_SIZE;
  const write = (name: string, width: number) => {
    const file = join(folder.path, `${name}.npy`);
    writeFileSync(
      file,
      encodeNpy(
        "float32",
        [rows, width],
        Float32Array.from({ length: rows * width }, () => random() * 2 - 1),
      ),
    );
    return { file };
  };
  const target = join(folder.path, "target.npy");
  writeFileSync(target, encodeNpy("int64", [rows], new BigInt64Array(rows)));
  const graph = adversaries();
  const lowered = lowerTraining(graph, { ...objectiveOf(settings), metrics: [] });
  const answer = shareWeights(settings.furtherOptimizers, lowered.program.weights);
  if ("problems" in answer) throw new Error(answer.problems[0]?.problem);
  return specOf(
    { graph },
    { train: { arrays: { x: write("x", 6), z: write("z", 4), target: { file: target } }, rows } },
    {
      ...lowered,
      shuffle: false,
      batchSize: BATCH_SIZE,
      optimizer: adam,
      lr: { base: 0.01, schedule: { kind: "constant" } },
      furtherOptimizers: [{ loss: apartName(1), weights: answer.shares[0] ?? [], optimizer: { ...adam, betas: [0.5, 0.999] } as typeof adam, lrFactor: 2 }],
    },
  );
}

describe("two optimizers with a loss each", () => {
  it("go on from any checkpoint as if they had never stopped", async () => {
    const spec = { ...orderOf(), epochs: 2 };
    const own = (name: string) => {
      const path = join(folder.path, name);
      mkdirSync(path);
      return path;
    };
    const whole = await trainAll({ ...spec, checkpoint: { folder: own("whole"), everyMs: 0 } });
    const first = whole.events.find((event) => event.type === "checkpoint");
    if (first?.type !== "checkpoint" || first.step !== STEPS) throw new Error("The run wrote no checkpoint after its first epoch.");
    const rest = await trainAll({ ...spec, checkpoint: { folder: own("rest"), everyMs: 0 }, resumeFrom: first.file });
    const state = (file: string | null) => readSafetensors(readFileSync(file ?? "")).tensors;
    expect(state(rest.result.file)).toEqual(state(whole.result.file));
    expect([...state(rest.result.file).keys()]).toContain("optimizer/d1.weight/exp_avg");
  });

  it("are refused by the engine where both have a weight, or one has none", async () => {
    const spec = orderOf();
    const [one] = spec.furtherOptimizers ?? [];
    if (!one) throw new Error("There is a further optimizer.");
    await expect(trainAll({ ...spec, furtherOptimizers: [one, one] })).rejects.toMatchObject({
      failure: { code: "PROGRAM_INVALID", message: expect.stringContaining("another optimizer has this weight") },
    });
    const all = spec.program.weights.filter(({ trainable }) => trainable).map(({ name }) => name);
    await expect(trainAll({ ...spec, furtherOptimizers: [{ ...one, weights: all }] })).rejects.toMatchObject({ failure: { code: "PROGRAM_INVALID" } });
  });

  it("are refused before a run where a node is named twice, has no weights, or is none", () => {
    const { weights } = orderOf().program;
    const further = (...nodes: string[][]) =>
      shareWeights(
        nodes.map((each) => ({ ...(settings.furtherOptimizers[0] as (typeof settings.furtherOptimizers)[0]), nodes: each })),
        weights,
      );
    expect(further(["d1", "d2"])).toEqual({ shares: [["d1.weight", "d1.bias", "d2.weight", "d2.bias"]] });
    expect(further(["d1"], ["d1", "d2"])).toMatchObject({ problems: [{ node: "d1", problem: "Optimizers 2 and 3 are both to train “d1”." }, { node: "d1" }] });
    expect(further(["found1"])).toMatchObject({ problems: [{ node: "found1", problem: expect.stringContaining("no weights of its own") }] });
    expect(further(["d1", "d2", "g1", "g2"])).toMatchObject({ problems: [{ problem: expect.stringContaining("none is left for the first") }] });
    const check = (nodes: string[]) =>
      checkGraph(adversaries(), objectiveOf({ ...settings, furtherOptimizers: settings.furtherOptimizers.map((one) => ({ ...one, nodes })) })).problems.filter(
        ({ severity }) => severity === "error",
      );
    expect(check(["d1", "d2"])).toEqual([]);
    expect(check(["fooled1"])).toMatchObject([{ code: "GRAPH_OPTIMIZER", node: "fooled1" }]);
    const parsed = RunSettings.safeParse({ furtherOptimizers: [{ ...settings.furtherOptimizers[0], optimizer: "LBFGS" }] });
    expect(parsed.success).toBe(false);
  });
});

const missing = missingOracles("torch", "numpy", "safetensors");
describe.skipIf(missing.length > 0)(`a step of a GAN${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  let ours: Awaited<ReturnType<typeof trainAll>>;
  let theirs: { series: { [name: string]: number[] }; weights: { [name: string]: number[] } };
  beforeAll(async () => {
    const spec = orderOf();
    const weights = await writeFirstWeights(spec, folder.path);
    const checkpoints = join(folder.path, "parity");
    mkdirSync(checkpoints);
    ours = await trainAll({ ...spec, checkpoint: { folder: checkpoints, everyMs: 0 } });
    const files = Object.fromEntries(Object.entries(spec.data.train.arrays).map(([name, { file }]) => [name, file]));
    theirs = z
      .object({ series: z.record(z.string(), z.array(z.number())), weights: z.record(z.string(), z.array(z.number())) })
      .parse(await runPython(program, { weights, steps: STEPS, batch: BATCH_SIZE, files }));
  });

  it.each([
    ["train/loss", "loss"],
    ["train/loss/optimizer_2", "critic"],
  ])("%s is PyTorch's at each step", (key, name) => {
    const points = pointsOf(ours.events, key);
    expect(points).toHaveLength(STEPS);
    for (const [step, [, value]] of points.entries()) expect(value, `step ${step + 1}`).toBeCloseTo(theirs.series[name]?.[step] ?? Number.NaN, 4);
  });

  it("both networks end with PyTorch's weights", () => {
    const { tensors } = readSafetensors(readFileSync(ours.result.file ?? ""));
    for (const [name, expected] of Object.entries(theirs.weights)) {
      const got = [...(tensors.get(name)?.data ?? [])].map(Number);
      expect(got).toHaveLength(expected.length);
      // Forty steps of Adam on two networks that chase each other: sums in another order grow to some 1e-4.
      for (const [at, value] of got.entries()) expect(value, name).toBeCloseTo(expected[at] ?? Number.NaN, 3);
    }
  });
});
