import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Manifest } from "../../core/data/manifest.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import type { Tensor } from "../../core/export/tensor.ts";
import type { Graph } from "../../core/graph/document.ts";
import { depthFor, planFineTune } from "../../core/pretrained/fineTune.ts";
import { packaged } from "../../core/pretrained/index.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { run } from "../../native/index.ts";
import { readPackage } from "../../server/ingest/pretrained.ts";
import { missingOracles, runPython } from "../oracle.ts";
import { bestOf, prepareEmoji } from "./emoji.ts";
import { randomNumbers, temporaryFolder } from "./specs.ts";

/** The real weights on the real emoji, small enough for every day. */

const folder = temporaryFolder();
afterAll(folder.remove);

/** What Keras computes, from its own names and layouts: nothing of ours but the bytes. */
const keras = `
import json, sys, torch
import torch.nn.functional as F
from safetensors.torch import load_file
torch.set_num_threads(1)
given = json.load(sys.stdin)
t = load_file(given["tensors"])
x = torch.tensor(given["x"]).reshape(given["shape"])
root = next((n[: n.index("/MobilenetV2/") + 13] for n in t if "/MobilenetV2/" in n), None)
def conv(x, name, stride=1, depth=False):
    k = t[name + ("/depthwise_kernel" if depth else "/kernel")]
    if depth: k, groups = k.permute(2, 3, 0, 1), k.shape[2]
    else: k, groups = k.permute(3, 2, 0, 1), 1
    if stride == 2: return F.conv2d(F.pad(x, (0, 1, 0, 1)), k, stride=2, groups=groups)
    return F.conv2d(x, k, padding=k.shape[-1] // 2, groups=groups)
def norm(x, name):
    return F.batch_norm(x, t[name + "/moving_mean"], t[name + "/moving_variance"].clamp(min=1e-5), t[name + "/gamma"], t[name + "/beta"], eps=1e-3)
def block(x, name, expand, stride):
    y = x
    if expand: y = F.relu6(norm(conv(y, name + "_expand"), name + "_expand_BN"))
    y = F.relu6(norm(conv(y, name + "_depthwise", stride, True), name + "_depthwise_BN"))
    y = norm(conv(y, name + "_project"), name + "_project_BN")
    return x + y if stride == 1 and x.shape == y.shape else y
def folded(x, name, kind, stride=1):
    k, b = t[root + name + "/" + kind + "_weights"], t[root + name + "/" + kind + "_bn_offset"]
    if kind == "depthwise": k, groups = k.permute(2, 3, 0, 1), k.shape[2]
    else: k, groups = k.permute(3, 2, 0, 1), 1
    if stride == 2: return F.conv2d(F.pad(x, (0, 1, 0, 1)), k, b, stride=2, groups=groups)
    return F.conv2d(x, k, b, padding=k.shape[-1] // 2, groups=groups)
def folded_block(x, name, expand, stride):
    y = F.relu6(folded(x, name + "/expand", "Conv2D")) if expand else x
    y = F.relu6(folded(y, name + "/depthwise", "depthwise", stride))
    y = folded(y, name + "/project", "Conv2D")
    return x + y if stride == 1 and x.shape == y.shape else y
def say(x):
    print(json.dumps(x.mean((2, 3)).flatten().tolist()))
    sys.exit()
torch.set_grad_enabled(False)
if root:
    x = F.relu6(folded(x, "Conv", "Conv2D", 2))
    x = folded_block(x, "expanded_conv", False, 1)
    for i in range(1, 17): x = folded_block(x, "expanded_conv_%d" % i, True, 2 if i in (1, 3, 6, 13) else 1)
    say(F.relu6(folded(x, "Conv_1", "Conv2D")))
with torch.no_grad():
    x = F.relu6(norm(conv(x, "Conv1", 2), "bn_Conv1"))
    x = block(x, "expanded_conv", False, 1)
    for i in range(1, 17): x = block(x, "block_%d" % i, True, 2 if i in (1, 3, 6, 13) else 1)
    say(F.relu6(norm(conv(x, "Conv_1"), "Conv_1_bn")))
`;

const missing = missingOracles("torch", "safetensors");

it.skipIf(missing.length > 0).each(packaged.filter(({ takes }) => takes === "pictures"))("$title says of a picture what Keras' own layers say, to 1e-5", async (network) => {
  const tensors = readPackage(network.weights);
  const weights = network.weights.convert(tensors);
  const plan = planFineTune(network, manifestOf({ rows: 1, side: 96 }));
  const features: Graph = {
    ...plan.graph,
    nodes: plan.graph.nodes.filter(({ id }) => !["dropout", "head", "normalize"].includes(id)),
    edges: plan.graph.edges
      .filter(({ from, to }) => ![from.node, to.node].some((id) => ["dropout", "head", "normalize"].includes(id)))
      .concat([
        { id: "w_in", from: { node: "in_x", port: "y" }, to: { node: "features", port: "x" } },
        { id: "w_out", from: { node: "flatten", port: "y" }, to: { node: "out_y", port: "x" } },
      ]),
  };
  const counted = [...weights].flatMap(([name]): [string, Tensor][] =>
    name.endsWith("running_mean") ? [[name.replace("running_mean", "num_batches_tracked"), { dtype: "int64", shape: [], data: new BigInt64Array(1) }]] : [],
  );
  const whole = join(folder.path, "whole.safetensors");
  writeFileSync(whole, writeSafetensors(new Map([...weights, ...counted])));
  const raw = join(folder.path, "keras.safetensors");
  writeFileSync(raw, writeSafetensors(tensors));
  const random = randomNumbers(5);
  const data = Float32Array.from({ length: 3 * 96 * 96 }, () => 2 * random() - 1);
  const { y } = await run({ program: lowerModel(features), weights: { file: whole }, inputs: { x: { dtype: "float32", shape: [1, 3, 96, 96], data } } });
  const theirs = z.array(z.number()).parse(await runPython(keras, { tensors: raw, x: [...data], shape: [1, 3, 96, 96] }));
  expect(theirs).toHaveLength(network.features);
  expect(Math.max(...theirs.map((value, i) => Math.abs(value - Number(y?.data[i]))))).toBeLessThanOrEqual(1e-5);
});

function manifestOf({ rows, side }: { rows: number; side: number }): Manifest {
  const split = {
    rows,
    input: { file: "", sha256: "", dtype: "uint8" as const, shape: [3, side, side] },
    target: { file: "", sha256: "", dtype: "int64" as const, shape: [] },
    classCounts: [],
  };
  return {
    task: "image-classification",
    preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.3, 0.3, 0.3] },
    classes: Array.from({ length: 9 }, (_, i) => String(i)),
    columns: [],
    targetName: "class",
    splits: { train: split, validation: split },
    source: "",
    licence: "",
  };
}

describe("on 200 emoji", () => {
  let learn: Awaited<ReturnType<typeof prepareEmoji>>["learn"];
  beforeAll(async () => {
    ({ learn } = await prepareEmoji(folder.path));
  }, 300_000);

  it("the pretrained backbone beats the same network from drawn weights by 20 points, and sees each picture once", { timeout: 400_000 }, async () => {
    const asked = { depth: "head", rows: { train: 200, validation: 120 }, epochs: 3, lr: 5e-3 } as const;
    const tuned = await learn({ ...asked, from: "pretrained" });
    expect(tuned.hasFeatures).toBe(true);
    expect(tuned.epochs).toHaveLength(asked.epochs);
    // The first epoch holds the pass through the backbone; the later ones only the head.
    const [first = 0, ...later] = tuned.epochs.map(({ ms }) => ms);
    expect(first / (later.reduce((sum, ms) => sum + ms, 0) / later.length)).toBeGreaterThanOrEqual(10);
    expect(bestOf(tuned) - bestOf(await learn({ ...asked, from: "scratch" }))).toBeGreaterThanOrEqual(0.2);
  });

  it.runIf(process.env.TENSORLOOM_TEST === "full")(
    "the recipe as the product chooses it stays under 90 seconds, and beats its own from scratch by 20 points",
    { timeout: 900_000 },
    async () => {
      const asked = { depth: depthFor(200), rows: { train: 200, validation: 376 } };
      const tuned = await learn({ ...asked, from: "pretrained" });
      expect(tuned.totalMs).toBeLessThanOrEqual(90_000);
      expect(bestOf(tuned) - bestOf(await learn({ ...asked, from: "scratch" }))).toBeGreaterThanOrEqual(0.2);
    },
  );
});
