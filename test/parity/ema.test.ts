import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { TrainSpec } from "../../core/training/spec.ts";
import { networks } from "../native/networks.ts";
import { specOf, temporaryFolder, trainAll, writeFirstWeights, writeRows } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

const STEPS = 40;
const BATCH_SIZE = 16;
const sgd: TrainSpec["optimizer"] = { kind: "SGD", momentum: 0.9, dampening: 0, weightDecay: 0, nesterov: false };

/** torch.optim.swa_utils on the same rows, then the largest difference of its averages from the checkpoint's, and its loss on all rows. */
const program = `
import json, sys
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from safetensors.torch import load_file
torch.set_num_threads(1)

def run(case):
    scope = {"nn": nn, "F": F, "torch": torch}
    exec(case["torch"], scope)
    x, target = (torch.from_numpy(np.load(case["files"][name])) for name in ("x", "target"))
    model = scope["Model"]()
    model.load_state_dict({name: tensor for name, tensor in load_file(case["first"]).items() if "/" not in name})
    optimizer = torch.optim.SGD(model.parameters(), lr=case["lr"], momentum=0.9)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(case["decay"]))
    for step in range(case["steps"]):
        rows = slice(step * case["batch"], (step + 1) * case["batch"])
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), target[rows]).backward()
        optimizer.step()
        average.update_parameters(model)
    ours, theirs = load_file(case["last"]), average.module.state_dict()
    far = lambda a, b: (a.double() - b.double()).abs().max().item()
    average.eval()
    with torch.no_grad():
        loss = F.cross_entropy(average(x), target).item()
    return {
        "names": sorted(theirs) == sorted(name for name in ours if "/" not in name),
        "averages": max(far(ours[name], tensor) for name, tensor in theirs.items()),
        "raw": max(far(ours["raw/" + name], tensor) for name, tensor in model.named_parameters()),
        "apart": max(far(theirs[name], tensor) for name, tensor in model.named_parameters()),
        "loss": loss,
    }

print(json.dumps([run(case) for case in json.load(sys.stdin)]))
`;

const Answer = z.array(z.object({ names: z.boolean(), averages: z.number(), raw: z.number(), apart: z.number(), loss: z.number() }));
const missing = missingOracles("torch", "numpy", "safetensors");

describe.skipIf(missing.length > 0)(`averaged weights are those of torch.optim.swa_utils${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const folder = temporaryFolder();
  afterAll(folder.remove);

  it.each(networks.slice(0, 2).flatMap((network, i) => [0.5, 0.95].map((decay) => [network.name, decay, network, i] as const)))(
    "%s with a decay of %d: weights, statistics and the validation loss",
    async (_, decay, network, i) => {
      const name = `${i}-${decay}`;
      const inside = join(folder.path, name);
      mkdirSync(inside);
      const lr = 0.05;
      const data = { train: writeRows(folder.path, name, network, STEPS * BATCH_SIZE, i + 1) };
      const spec = specOf(network, data, { shuffle: false, batchSize: BATCH_SIZE, optimizer: sgd, lr: { base: lr, schedule: { kind: "constant" } }, ema: { decay } });
      const { result, events } = await trainAll({ ...spec, checkpoint: { folder: inside, everyMs: 0 } });
      const files = Object.fromEntries(Object.entries(spec.data.train.arrays).map(([input, { file }]) => [input, file]));
      const first = await writeFirstWeights({ ...spec, ema: undefined }, inside);
      const [answer] = Answer.parse(await runPython(program, [{ torch: network.torch, files, first, last: result.file, lr, decay, steps: STEPS, batch: BATCH_SIZE }]));
      expect(answer?.names).toBe(true);
      expect(answer?.raw).toBeLessThan(1e-5);
      expect(answer?.averages).toBeLessThan(1e-5);
      // The average is another network than the one that is trained, so the two figures above say something.
      expect(answer?.apart).toBeGreaterThan(1e-3);
      const evaluated = events.find((event) => event.type === "evaluated");
      expect(Math.abs((evaluated?.values.loss ?? Number.NaN) - (answer?.loss ?? 0))).toBeLessThan(1e-5);
    },
  );
});
