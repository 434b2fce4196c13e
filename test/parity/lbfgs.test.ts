import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readParams } from "../../core/layers/params.ts";
import { findOptimizer } from "../../core/training/optimizers/index.ts";
import type { ParamValues } from "../../core/training/records.ts";
import { networks } from "../native/networks.ts";
import { pointsOf, specOf, temporaryFolder, trainAll, writeFirstWeights, writeRows } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

const lbfgs = findOptimizer("LBFGS");
const ROWS = 64;
const STEPS = 12;

/** `decay` stands for what PyTorch's has not: the test adds it to the closure's loss. */
const cases: { params: ParamValues; lr: number; decay: number }[] = [
  { params: { max_iter: 4, history_size: 3 }, lr: 0.1, decay: 0 },
  { params: { line_search_fn: "strong_wolfe" }, lr: 1, decay: 0 },
  { params: { max_iter: 6, history_size: 4, line_search_fn: "strong_wolfe", tolerance_change: 1e-5 }, lr: 0.5, decay: 0.02 },
];

const program = `
import json, sys
import numpy as np, torch
from torch import nn
from torch.nn import functional as F
from safetensors.torch import load_file
torch.set_num_threads(1)

def run(network, case):
    scope = {"nn": nn, "F": F, "torch": torch}
    exec(network["torch"], scope)
    model = scope["Model"]()
    model.load_state_dict({name: tensor for name, tensor in load_file(network["weights"]).items() if "/" not in name})
    x, target = (torch.from_numpy(np.load(network["files"][name])) for name in ("x", "target"))
    optimizer = eval(case["call"], {"torch": torch, "model": model})
    losses = []
    def closure():
        optimizer.zero_grad()
        plain = F.cross_entropy(model(x), target)
        losses[-1].append(plain.item())
        loss = plain + case["decay"] / 2 * sum(w.square().sum() for w in model.parameters())
        loss.backward()
        return loss
    for step in range(case["steps"]):
        losses.append([])
        optimizer.step(closure)
    return [first for first, *_ in losses]

asked = json.load(sys.stdin)
print(json.dumps([[run(network, case) for case in asked["cases"]] for network in asked["networks"]]))
`;

const Answer = z.array(z.array(z.array(z.number())));
const missing = missingOracles("torch", "numpy", "safetensors");
// After dozens of turns over rough ground a difference in the last bit decides where a search goes: of deep networks the first steps are compared.
const chosen = networks.filter(({ name }) => name === "MLP" || name === "zones" || name === "LSTM");
const stepsOf = (name: string) => (name === "MLP" ? STEPS : 2);

describe.skipIf(missing.length > 0)(`LBFGS goes the way of torch.optim.LBFGS${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const folder = temporaryFolder();
  afterAll(folder.remove);
  let answers: z.infer<typeof Answer>;
  const specs = chosen.map((network, i) =>
    specOf(network, { train: writeRows(folder.path, `network-${i}`, network, ROWS, i + 1) }, { shuffle: false, seed: 5, batchSize: ROWS, epochs: STEPS }),
  );

  beforeAll(async () => {
    const asked = [];
    for (const [i, network] of chosen.entries()) {
      const spec = specs[i];
      const inside = join(folder.path, `first-${i}`);
      mkdirSync(inside);
      if (!spec) throw new Error("Every network has a spec.");
      const files = Object.fromEntries(Object.entries(spec.data.train.arrays).map(([name, { file }]) => [name, file]));
      asked.push({ torch: network.torch, files, weights: await writeFirstWeights(spec, inside) });
    }
    const calls = cases.map(({ params, lr, decay }) => ({ call: lbfgs.torch(readParams(lbfgs.params, params).values, { lr, weightDecay: decay }), decay, steps: STEPS }));
    answers = Answer.parse(await runPython(program, { networks: asked, cases: calls }));
  });

  for (const [i, { name }] of chosen.entries())
    for (const [j, { params, lr, decay }] of cases.entries())
      it(`${name}, ${JSON.stringify(params)}, on the same ${ROWS} rows for ${stepsOf(name)} steps`, async () => {
        const spec = specs[i];
        if (!spec) throw new Error("Every network has a spec.");
        const { values, problems } = readParams(lbfgs.params, params);
        expect(problems).toEqual([]);
        const { events } = await trainAll({ ...spec, optimizer: lbfgs.toSpec(values, decay), lr: { base: lr, schedule: { kind: "constant" } } });
        const ours = pointsOf(events, "train/loss").map(([, loss]) => loss ?? Number.NaN);
        const theirs = answers[i]?.[j] ?? [];
        expect(ours).toHaveLength(STEPS);
        expect(ours.at(-1)).toBeLessThan(ours[0] ?? 0);
        // Scalars such as the length of a step are float64 here and float32 there, and each step goes on from the ones before.
        for (const [step, loss] of ours.slice(0, stepsOf(name)).entries())
          expect(Math.abs(loss - (theirs[step] ?? Number.NaN)), `step ${step + 1}`).toBeLessThan(2e-4 * (theirs[0] ?? 0));
      });
});
