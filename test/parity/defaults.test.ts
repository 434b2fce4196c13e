import { describe, expect, it } from "vitest";
import { z } from "zod";
import { layers } from "../../core/layers/index.ts";
import type { Params } from "../../core/layers/params.ts";
import { losses } from "../../core/training/losses/index.ts";
import { optimizers } from "../../core/training/optimizers/index.ts";
import { schedules } from "../../core/training/schedules/index.ts";
import { missingOracles, runPython } from "../oracle.ts";

/** Parameters that PyTorch has under the same name begin with the value that it gives them. */

const ask = `
import inspect, json, torch
from torch import nn
asked = json.load(__import__("sys").stdin)
home = {"layer": nn, "loss": nn, "optimizer": torch.optim, "schedule": torch.optim.lr_scheduler}
found = []
for kind, name in asked:
    one = nn.RNNBase if name in ("RNN", "LSTM", "GRU") else getattr(home[kind], name, None)
    if not inspect.isclass(one): found.append(None); continue
    given = inspect.signature(one.__init__).parameters.values()
    found.append({p.name: p.default for p in given if p.default is not inspect.Parameter.empty and isinstance(p.default, (type(None), bool, int, float, str, tuple))})
print(json.dumps(found))
`;

/** Where PyTorch says None, or a value that would be no help on a canvas: what stands here, and why. A reason that is no longer needed is a fault. */
const OTHERWISE: { [parameter: string]: string } = {
  ...Object.fromEntries(
    ["MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d"].map((name) => [`${name}.stride`, "None there is the kernel's size, and here the word for it"]),
  ),
  ...Object.fromEntries(
    ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"].map((name) => [`${name}.stride`, "2 doubles the size, for which the layer is drawn; the code always says it"]),
  ),
  ...Object.fromEntries(["Softmax", "LogSoftmax", "Softmin"].map((name) => [`${name}.dim`, "None there is deprecated and guesses; the last axis is what is nearly always meant"])),
  ...Object.fromEntries(["RNN", "LSTM", "GRU"].map((name) => [`${name}.batch_first`, "samples come first on every wire"])),
  ...Object.fromEntries(["Embedding", "EmbeddingBag"].map((name) => [`${name}.padding_idx`, "None there: no token is padding; −1 here"])),
  ...Object.fromEntries(["TransformerEncoder", "TransformerDecoder"].map((name) => [`${name}.norm`, "None there: no norm at the end"])),
  ...Object.fromEntries(["CrossEntropyLoss.weight", "NLLLoss.weight", "MultiMarginLoss.weight", "BCEWithLogitsLoss.pos_weight"].map((name) => [name, "None there: an empty text"])),
  "RMSNorm.eps": "None there is the smallest step of float32, and here its number",
  "Upsample.scale_factor": "one of size and scale_factor must be given there",
  "Upsample.size": "None there: an empty list",
  "Upsample.align_corners": "None there is False",
  "MultiMarginLoss.p": "a choice between two, written as words",
  "LBFGS.line_search_fn": "None there: the word none",
  "PolynomialLR.total_iters": "0 here is the whole run: 5 epochs would end most runs at a rate of 0",
};

const records: [kind: string, name: string, params: Params][] = [
  ...layers.map(({ title, params }): [string, string, Params] => ["layer", title, params]),
  ...losses.map(({ name, params }): [string, string, Params] => ["loss", name, params]),
  ...optimizers.map(({ name, params }): [string, string, Params] => ["optimizer", name, params]),
  ...schedules.map(({ name, params }): [string, string, Params] => ["schedule", name, params]),
];

const missing = missingOracles("torch");
describe.skipIf(missing.length > 0)(`defaults are PyTorch's${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  it("wherever it has a parameter of the same name, but where a reason is written", async () => {
    const theirs = z.array(z.record(z.string(), z.unknown()).nullable()).parse(
      await runPython(
        ask,
        records.map(([kind, name]) => [kind, name]),
      ),
    );
    let compared = 0;
    const differing = records.flatMap(([, name, params], i) =>
      Object.entries(params).flatMap(([param, { default: own }]) => {
        const their = theirs[i];
        if (!their || !Object.hasOwn(their, param)) return [];
        compared++;
        return (JSON.stringify(own) === JSON.stringify(their[param])) === !(`${name}.${param}` in OTHERWISE)
          ? []
          : [`${name}.${param}: ${JSON.stringify(own)}, there ${JSON.stringify(their[param])}`];
      }),
    );
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(150);
  });
});
