import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { lowerTraining } from "../../core/program/lower.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { accuracy } from "../../core/training/metrics/accuracy.ts";
import type { ParamValues } from "../../core/training/records.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { networks } from "../native/networks.ts";
import { pointsOf, specOf, temporaryFolder, trainAll, writeRows } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

const STEPS = 30;
const BATCH_SIZE = 16;
const SEED = 77;
const sgd: TrainSpec["optimizer"] = { kind: "SGD", momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false };

/** Mixup with targets that are shares of classes, where the engine blends two losses; and the loss of whole rows afterwards. */
const program = `
import json, sys
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
torch.set_num_threads(1)

def run(case):
    scope = {"nn": nn, "F": F, "torch": torch}
    exec(case["torch"], scope)
    x, target = (torch.from_numpy(np.load(case["files"][name])) for name in ("x", "target"))
    torch.manual_seed(case["seed"])
    model = scope["Model"]()
    optimizer = torch.optim.SGD(model.parameters(), lr=case["lr"], momentum=0.9)
    losses, hits, shares = [], [], []
    for step in range(case["steps"]):
        rows = slice(step * case["batch"], (step + 1) * case["batch"])
        xb, tb = x[rows], F.one_hot(target[rows], 5).float()
        share = torch._sample_dirichlet(torch.full([2], float(case["alpha"]))).max()
        other = torch.randperm(len(xb))
        y = model(share * xb + (1 - share) * xb[other])
        loss = F.cross_entropy(y, share * tb + (1 - share) * tb[other], label_smoothing=case["smoothing"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item()); shares.append(share.item())
        hits.append((y.argmax(1) == target[rows]).float().mean().item())
    model.eval()
    with torch.no_grad():
        whole = F.cross_entropy(model(x), target, label_smoothing=case["smoothing"]).item()
    return {"losses": losses, "hits": hits, "shares": shares, "whole": whole}

print(json.dumps([run(case) for case in json.load(sys.stdin)]))
`;
const Answer = z.array(z.object({ losses: z.array(z.number()), hits: z.array(z.number()), shares: z.array(z.number()), whole: z.number() }));
const missing = missingOracles("torch", "numpy");

describe.skipIf(missing.length > 0)(`mixup is that of its paper${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const folder = temporaryFolder();
  afterAll(folder.remove);
  const cases = networks.slice(0, 2).flatMap((network, i) =>
    (
      [
        [0.2, 0],
        [1, 0.1],
      ] as const
    ).map(([alpha, smoothing]) => {
      const train = writeRows(folder.path, `${i}-${alpha}`, network, STEPS * BATCH_SIZE, i + 1);
      const lossParams: ParamValues = { label_smoothing: smoothing };
      const lowered = lowerTraining(network.graph, { loss: findLoss("CrossEntropyLoss", lossParams), metrics: [accuracy], mixup: alpha });
      const spec: TrainSpec = {
        ...specOf(network, { train }),
        ...lowered,
        seed: SEED,
        shuffle: false,
        batchSize: BATCH_SIZE,
        optimizer: sgd,
        lr: { base: 0.05, schedule: { kind: "constant" } },
      };
      return { network, alpha, smoothing, spec };
    }),
  );

  it("gives the losses of targets that are shares of classes, and leaves validation rows whole", async () => {
    const answers = Answer.parse(
      await runPython(
        program,
        cases.map(({ network, alpha, smoothing, spec }) => ({
          torch: network.torch,
          files: Object.fromEntries(Object.entries(spec.data.train.arrays).map(([name, { file }]) => [name, file])),
          seed: SEED,
          lr: 0.05,
          steps: STEPS,
          batch: BATCH_SIZE,
          alpha,
          smoothing,
        })),
      ),
    );
    for (const [i, { network, alpha, spec }] of cases.entries()) {
      const { events } = await trainAll(spec);
      const expected = answers[i];
      if (!expected) throw new Error("Every case has an answer.");
      const name = `${network.name}, α ${alpha}`;
      expect(new Set(expected.shares).size).toBeGreaterThan(STEPS / 2);
      const losses = pointsOf(events, "train/loss").map(([, loss]) => loss ?? Number.NaN);
      // The same kernels on the same numbers; two losses that are blended round differently from one of blended targets.
      const worst = Math.max(...losses.map((loss, step) => Math.abs(loss - (expected.losses[step] ?? Number.NaN)) / loss));
      expect([name, worst < 1e-4, worst]).toEqual([name, true, worst]);
      expect(pointsOf(events, "train/accuracy").map(([, share]) => share)).toEqual(expected.hits.map((share) => expect.closeTo(share, 6)));
      const evaluated = events.find(({ type }) => type === "evaluated");
      expect(evaluated?.type === "evaluated" && evaluated.values.loss).toBeCloseTo(expected.whole, 4);
    }
  }, 60_000);

  it("is drawn from the seed: the same each time, and otherwise with another", async () => {
    const { spec } = cases[0] as (typeof cases)[number];
    const lossesOf = async (change: Partial<TrainSpec>) => pointsOf((await trainAll({ ...spec, ...change })).events, "train/loss");
    const first = await lossesOf({});
    expect(await lossesOf({})).toEqual(first);
    expect(await lossesOf({ seed: SEED + 1 })).not.toEqual(first);
  });
});
