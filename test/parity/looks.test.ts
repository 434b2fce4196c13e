import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { lowerTypedTraining } from "../../core/program/lower.ts";
import { chain } from "../../core/templates/sketch.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { accuracy } from "../../core/training/metrics/accuracy.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { pointsOf, specOf, temporaryFolder, trainAll, writeFirstWeights, writeRows } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

const STEPS = 6;
const BATCH = 16;

/** What must get above high thresholds is silent now and then. */
const graph = chain([
  ["x", "input", { shape: [2, 12, 12] }],
  ["conv", "conv2d", { out_channels: 6, kernel_size: 3 }],
  ["relu", "threshold", { threshold: 1.25 }],
  ["flatten", "flatten"],
  ["fc1", "linear", { out_features: 24 }],
  ["act", "threshold", { threshold: 0.35 }],
  ["fc2", "linear", { out_features: 5 }],
  ["y", "output"],
]);

const program = `
import json, sys
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
from safetensors.torch import load_file
torch.set_num_threads(1)
case = json.load(sys.stdin)
x, target = (torch.from_numpy(np.load(case["files"][name])) for name in ("x", "target"))
model = nn.ModuleDict({"conv": nn.Conv2d(2, 6, case["kernel"]), "fc1": nn.Linear(600, 24), "fc2": nn.Linear(24, 5)})
model.load_state_dict({name: t for name, t in load_file(case["weights"]).items() if "/" not in name})
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
norm = lambda tensors: torch.sqrt(sum((t ** 2).sum() for t in tensors)).item()
answer = []
for step in range(case["steps"]):
    rows = slice(step * case["batch"], (step + 1) * case["batch"])
    a = F.threshold(model["conv"](x[rows]), 1.25, 0)
    b = F.threshold(model["fc1"](a.flatten(1)), 0.35, 0)
    loss = F.cross_entropy(model["fc2"](b), target[rows])
    optimizer.zero_grad()
    loss.backward()
    before = {name: [p.detach().clone() for p in layer.parameters()] for name, layer in model.items()}
    gradients = {name: norm([p.grad for p in layer.parameters()]) for name, layer in model.items()}
    torch.nn.utils.clip_grad_norm_(model.parameters(), case["clip"])
    optimizer.step()
    answer.append({
        "gradient": gradients,
        "weight": {name: norm(ps) for name, ps in before.items()},
        "update": {name: norm([p.detach() - q for p, q in zip(layer.parameters(), before[name])]) for name, layer in model.items()},
        "dead": {"relu": (a == 0).all(dim=3).all(dim=2).all(dim=0).sum().item(), "act": (b == 0).all(dim=0).sum().item()},
    })
print(json.dumps(answer))
`;
const Norms = z.record(z.string(), z.number());
const Answer = z.array(z.object({ gradient: Norms, weight: Norms, update: Norms, dead: Norms }));

const missing = missingOracles("torch", "numpy", "safetensors");
const note = missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : "";

describe("a step that is looked at", () => {
  const folder = temporaryFolder();
  afterAll(folder.remove);
  const rows = writeRows(folder.path, "rows", { input: { dtype: "float32", shape: [2, 12, 12] }, vocabulary: 0, classes: 5 }, STEPS * BATCH, 3);
  const { rectified } = lowerTypedTraining(graph, { loss: findLoss("CrossEntropyLoss"), metrics: [accuracy] });
  const looks = { everyMs: 0, share: 1e9, rectified };
  const spec = (more: Partial<TrainSpec> = {}) =>
    specOf(
      { graph },
      { train: rows },
      {
        shuffle: false,
        optimizer: { kind: "SGD", momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false },
        lr: { base: 0.1, schedule: { kind: "constant" } },
        gradClip: { kind: "norm", max: 0.5 },
        looks,
        ...more,
      },
    );

  it("has the channels of an activation behind a convolution as its units, else the last axis", () => {
    expect(rectified).toEqual([
      { node: "relu", axis: 1 },
      { node: "act", axis: 1 },
    ]);
  });

  it.skipIf(missing.length > 0)(`says the norms and the silent units that PyTorch says${note}`, async () => {
    const inside = join(folder.path, "first");
    mkdirSync(inside);
    const weights = await writeFirstWeights(spec(), inside);
    const files = Object.fromEntries(Object.entries(rows.arrays).map(([name, { file }]) => [name, file]));
    const theirs = Answer.parse(await runPython(program, { files, weights, steps: STEPS, batch: BATCH, kernel: 3, clip: 0.5 }));
    const { events } = await trainAll(spec());
    const seen = events.flatMap((event) => (event.type === "looked" ? [event] : []));
    expect(seen.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    // Else nothing would be counted.
    for (const node of ["relu", "act"] as const)
      expect(
        theirs.some(({ dead }) => (dead[node] ?? 0) > 0),
        node,
      ).toBe(true);
    for (const [i, { nodes, inputs, stepMs }] of seen.entries()) {
      expect(inputs.x).toEqual([BATCH, 2, 12, 12]);
      // Sums of squares in another order: the last digits of float32.
      for (const name of ["gradient", "weight", "update"] as const)
        for (const layer of ["conv", "fc1", "fc2"]) expect(nodes[layer]?.[name], `${name} of ${layer}`).toBeCloseTo(theirs[i]?.[name][layer] ?? Number.NaN, 4);
      expect([nodes.relu?.dead, nodes.relu?.units, nodes.act?.dead, nodes.act?.units]).toEqual([theirs[i]?.dead.relu, 6, theirs[i]?.dead.act, 24]);
      const spent = Object.values(nodes).reduce((sum, { forwardMs, backwardMs }) => sum + forwardMs + backwardMs, 0);
      expect(spent).toBeGreaterThan(0);
      expect(spent).toBeLessThanOrEqual(stepMs + 0.05);
      expect(nodes.conv?.backwardMs).toBeGreaterThan(0);
    }
  });

  it("counts a unit as silent where it was 0 in every micro-batch of the step", async () => {
    const { events } = await trainAll(spec({ accumulate: STEPS, lr: { base: 1e-9, schedule: { kind: "constant" } } }));
    const whole = await trainAll(spec({ batchSize: STEPS * BATCH, lr: { base: 1e-9, schedule: { kind: "constant" } } }));
    const dead = (all: typeof events) => all.flatMap((event) => (event.type === "looked" ? [event.nodes.relu?.dead, event.nodes.act?.dead] : []));
    expect(dead(events)).toEqual(dead(whole.events));
  });

  it("changes no number of the run", async () => {
    const { looks: _, ...without } = spec();
    expect(pointsOf((await trainAll(spec())).events, "train/loss")).toEqual(pointsOf((await trainAll(without)).events, "train/loss"));
  });

  it("is rare where looks are not to cost anything", async () => {
    const { events } = await trainAll(spec({ epochs: 20, looks: { everyMs: 60_000, share: 0.005, rectified } }));
    expect(events.filter(({ type }) => type === "looked")).toHaveLength(1);
  });
});
