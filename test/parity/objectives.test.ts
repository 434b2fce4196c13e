import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { lowerTraining } from "../../core/program/lower.ts";
import { sketch } from "../../core/templates/sketch.ts";
import { accuracy } from "../../core/training/metrics/accuracy.ts";
import { objectiveOf } from "../../core/training/objective.ts";
import { pointsOf, specOf, temporaryFolder, trainAll, writeFirstWeights, writeRows } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

const STEPS = 40;
const BATCH_SIZE = 16;
const CLASSES = 3;

/** A trunk with two heads that choose classes, and a further output that is to be small. */
function twoHeads() {
  const s = sketch();
  s.stack(
    [
      ["x", "input", { shape: [8] }],
      ["trunk", "linear", { out_features: 12 }],
      ["act", "tanh"],
    ],
    { column: 0, row: 0 },
  );
  for (const [column, head, out] of [
    [0, "head", "y"],
    [1, "early", "early_exit"],
  ] as const) {
    s.put([head, "linear", { out_features: CLASSES }], { column, row: 3 }, { x: column === 0 ? "act" : "trunk" });
    s.put([out, "output"], { column, row: 4 }, { x: head });
  }
  s.put(["cost", "output"], { column: 2, row: 4 }, { x: "act" });
  const graph = s.graph();
  return { ...graph, nodes: graph.nodes.map((node) => (node.id === "early_exit" ? { ...node, name: "early" } : node.id === "cost" ? { ...node, name: "cost" } : node)) };
}

const objective = objectiveOf({
  loss: "CrossEntropyLoss",
  lossParams: { label_smoothing: 0.1 },
  extraLosses: [
    { output: "early", loss: "CrossEntropyLoss", lossParams: {}, weight: 0.3 },
    { output: "cost", loss: "Value", lossParams: {}, weight: -0.05 },
    { output: "y", loss: "DiceLoss", lossParams: {}, weight: 1 },
  ],
});

const program = `
import json, sys
import numpy as np, torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.optim.lr_scheduler import ReduceLROnPlateau

asked = json.load(sys.stdin)
torch.set_num_threads(1)
w = {name: tensor.requires_grad_(True) for name, tensor in load_file(asked["weights"]).items() if "/" not in name}
x, t = (torch.from_numpy(np.load(asked["files"][name])) for name in ("x", "target"))
optimizer = torch.optim.SGD(w.values(), lr=0.1)
series = {"loss": [], "loss/y": [], "loss/early": [], "loss/cost": [], "loss/y_2": []}
for step in range(asked["steps"]):
    rows = slice(step * asked["batch"], (step + 1) * asked["batch"])
    trunk = F.linear(x[rows], w["trunk.weight"], w["trunk.bias"])
    act = trunk.tanh()
    y = F.linear(act, w["head.weight"], w["head.bias"])
    early = F.linear(trunk, w["early.weight"], w["early.bias"])
    p, o = y.softmax(1), F.one_hot(t[rows], y.shape[1])
    parts = {
        "loss/y": F.cross_entropy(y, t[rows], label_smoothing=0.1),
        "loss/early": F.cross_entropy(early, t[rows]),
        "loss/cost": act.mean(),
        "loss/y_2": 1 - ((2 * (p * o).sum(0) + 1) / (p.sum(0) + o.sum(0) + 1)).mean(),
    }
    loss = parts["loss/y"] + 0.3 * parts["loss/early"] - 0.05 * parts["loss/cost"] + parts["loss/y_2"]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for name, value in {"loss": loss, **parts}.items():
        series[name].append(value.item())

rates = []
for case in asked["plateaus"]:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=case["lr"])
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1, threshold=case["threshold"], threshold_mode=case["mode"], cooldown=1, min_lr=0.01)
    rates.append([])
    for loss in case["losses"]:
        rates[-1].append(optimizer.param_groups[0]["lr"])
        scheduler.step(loss)
print(json.dumps({"series": series, "rates": rates}))
`;

const missing = missingOracles("torch", "numpy", "safetensors");
describe.skipIf(missing.length > 0)(`what training makes small${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const folder = temporaryFolder();
  afterAll(folder.remove);
  let ours: Awaited<ReturnType<typeof trainAll>>;
  let falls: { lr: number[]; losses: number[] }[];
  let theirs: { series: { [name: string]: number[] }; rates: number[][] };

  beforeAll(async () => {
    const graph = twoHeads();
    const lowered = lowerTraining(graph, { ...objective, metrics: [accuracy] });
    const rows = writeRows(folder.path, "rows", { input: { dtype: "float32", shape: [8] }, vocabulary: 0, classes: CLASSES }, STEPS * BATCH_SIZE, 3);
    const spec = specOf(
      { graph },
      { train: rows },
      {
        ...lowered,
        shuffle: false,
        batchSize: BATCH_SIZE,
        optimizer: { kind: "SGD", momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
        lr: { base: 0.1, schedule: { kind: "constant" } },
      },
    );
    const weights = await writeFirstWeights(spec, folder.path);
    ours = await trainAll(spec);
    falls = await Promise.all(
      (["rel", "abs"] as const).map(async (mode) => {
        // So high a rate that the loss cannot fall at each epoch.
        const plateau = { kind: "plateau", factor: 0.5, patience: 1, threshold: 0.02, thresholdMode: mode, cooldown: 1, minLr: 0.01, eps: 1e-8 } as const;
        const { events } = await trainAll({ ...spec, epochs: 24, lr: { base: 3, schedule: plateau } });
        const rates = pointsOf(events, "lr").filter((_, step) => step % STEPS === 0);
        return { lr: rates.map(([, lr]) => lr ?? Number.NaN), losses: events.flatMap((event) => (event.type === "evaluated" ? [event.values.loss ?? Number.NaN] : [])) };
      }),
    );
    const plateaus = falls.map(({ losses }, index) => ({ lr: 3, threshold: 0.02, mode: index === 0 ? "rel" : "abs", losses }));
    theirs = z.object({ series: z.record(z.string(), z.array(z.number())), rates: z.array(z.array(z.number())) }).parse(
      await runPython(program, {
        weights,
        steps: STEPS,
        batch: BATCH_SIZE,
        plateaus,
        files: Object.fromEntries(Object.entries(rows.arrays).map(([name, { file }]) => [name, file])),
      }),
    );
  });

  it.each(["loss", "loss/y", "loss/early", "loss/cost", "loss/y_2"])("%s is PyTorch's at each step", (name) => {
    const points = pointsOf(ours.events, `train/${name}`);
    expect(points).toHaveLength(STEPS);
    for (const [step, [, value]] of points.entries()) expect(value, `step ${step + 1}`).toBeCloseTo(theirs.series[name]?.[step] ?? Number.NaN, 4);
  });

  it("each part is measured on the validation rows too", () => {
    const last = ours.events.findLast((event) => event.type === "evaluated");
    expect(Object.keys(last?.values ?? {}).sort()).toEqual(["accuracy", "loss", "loss/cost", "loss/early", "loss/y", "loss/y_2"]);
  });

  it.each([0, 1])("the learning rate falls on a plateau as ReduceLROnPlateau lets it (%d)", (index) => {
    const { lr, losses } = falls[index] ?? { lr: [], losses: [] };
    expect(losses).toHaveLength(24);
    expect(lr).toEqual(theirs.rates[index]);
    expect(new Set(lr).size, "rates seen").toBeGreaterThan(2);
  });
});
