import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Drawing } from "../../core/architectures/draw.ts";
import { decodeText, encodeBeginning, encodeText } from "../../core/data/text.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import { checkGraph } from "../../core/graph/check.ts";
import { matchWeights } from "../../core/import/weights.ts";
import { type Depth, planFineTune } from "../../core/pretrained/fineTune.ts";
import { sentenceEncoder } from "../../core/pretrained/sentenceEncoder.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { run, train } from "../../native/index.ts";
import { mails } from "../../server/ingest/mails.ts";
import { readPackage, readSentencePieces } from "../../server/ingest/pretrained.ts";
import { rereadTexts } from "../../server/ingest/reread.ts";
import { writeDataset } from "../../server/ingest/write.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { missingOracles, runPython } from "../oracle.ts";
import { temporaryFolder } from "./specs.ts";

/** The packaged sentence encoder: its real weights, against the original's arithmetic and on real mails. */

const folder = temporaryFolder();
afterAll(folder.remove);
const { backbone, weights } = sentenceEncoder;
const theirs = readPackage(weights);
const ours = weights.convert(theirs);
const pieces = readSentencePieces();

const drawing = new Drawing();
drawing.input("x", { shape: ["T"], dtype: "int64" });
drawing.put(backbone.id, backbone.part());
drawing.output();
const graph = drawing.graph();

it("gives every weight a tensor of its shape, has none left over, and as many parameters as it says", () => {
  const { rows, unused } = matchWeights(lowerModel(graph), ours);
  expect(rows.filter(({ status }) => status !== "matched")).toEqual([]);
  expect(unused).toEqual([]);
  expect(checkGraph(graph).totals.parameters).toBe(sentenceEncoder.parameters);
});

// The numbers of the original's own documentation (tensorflow/tfjs-models, universal-sentence-encoder); ours stand four lower, without its marks.
it("cuts texts as the original does", () => {
  expect(encodeText("Hello, how are you?", pieces).map((number) => number + 4)).toEqual([341, 4125, 8, 140, 31, 19, 54]);
  const strange = encodeText("one ☃☃☃ two", pieces);
  expect(decodeText(strange, pieces)).toBe("one � two");
  expect(strange.filter((number) => number === 1)).toHaveLength(1);
  expect(encodeText(" \n ", pieces)).toEqual([]);
  expect(encodeText("a".repeat(10_000), pieces).length).toBeGreaterThan(1_000);
});

it("the beginning of a text is cut as in the whole of it", () => {
  const text = "Hello, how are you? ☃ ☃☃ one\u00a0two  ½ and the rest of it, endlessly. ".repeat(20);
  const whole = encodeText(text, pieces);
  for (const most of [1, 2, 7, 40, 5_000]) expect(encodeBeginning(text, pieces, most)).toEqual(whole.slice(0, most + 1));
});

/** What TensorFlow's graph computes, node by node, from its own names and layouts: nothing of ours but the bytes. */
const tensorflow = `
import json, sys, torch
from safetensors.torch import load_file
torch.set_num_threads(1)
torch.set_grad_enabled(False)
given = json.load(sys.stdin)
t = load_file(given["tensors"])
P = "module_apply_default/Encoder_en/KonaTransformer/Encode/"
Q = "module/Encoder_en/KonaTransformer/Encode/"
def norm(x, name):
    d = x - x.mean(-1, keepdim=True)
    s = "/layer_prepostprocess/layer_norm/layer_norm_%s/ConcatPartitions/concat"
    return t[name + s % "scale"] * torch.rsqrt((d * d).mean(-1, keepdim=True) + t[P + "TransformerStack/Layer_1/TransformerLayer/FFN/layer_prepostprocess/layer_norm/Cast/x"]) * d + t[name + s % "bias"]
def heads(x, width): return x.reshape(x.shape[0], 4, width // 4).permute(1, 0, 2)
def layer(x, n, width):
    L = "Layer_%d/TransformerLayer" % n
    y = norm(x, P + L)
    y = y @ t[Q + L + "/MultiheadAttention/qkv_transform_single/kernel/part_0"][0, 0] + t[P + L + "/MultiheadAttention/qkv_transform_single/bias/ConcatPartitions/concat"]
    q, k, v = (heads(part, width) for part in y.split(width, -1))
    q = q * t[P + "TransformerStack/" + L + "/MultiheadAttention/mul/y"]
    y = ((q @ k.transpose(1, 2)).softmax(-1) @ v).permute(1, 0, 2).reshape(-1, width)
    y = y @ t[Q + L + "/MultiheadAttention/output_transform_single/kernel/part_0"][0, 0] + t[P + L + "/MultiheadAttention/output_transform_single/bias/ConcatPartitions/concat"]
    past = x @ t[P + L + "/dense/kernel/ConcatPartitions/concat"] + t[P + L + "/dense/bias/ConcatPartitions/concat"] if n == 0 else x
    x = y + past
    y = norm(x, P + L + "/FFN")
    for name in ("conv1", "conv2"):
        y = y @ t[P + "TransformerStack/" + L + "/FFN/" + name + "/Tensordot/Reshape_1"] + t[P + L + "/FFN/" + name + "/bias/ConcatPartitions/concat"]
        if name == "conv1": y = y.relu()
    return y + x
said = []
for ids in given["texts"]:
    e = t["module/Embeddings_en"][torch.tensor(ids)]
    a = torch.arange(len(ids)).float()[:, None] * t[P + "TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1"]
    x = e + (e + torch.cat((a.sin(), a.cos()), 1))
    x = layer(layer(x, 0, 256), 1, 512).sum(0) / max(1, len(ids))
    x = (x @ t["module/Encoder_en/hidden_layers/tanh_layer_0/weights"] + t["module/Encoder_en/hidden_layers/tanh_layer_0/bias"]).tanh()
    said.append((x * torch.rsqrt((x * x).sum().clamp(min=1e-12))).tolist())
print(json.dumps(said))
`;

it.skipIf(missingOracles("torch", "safetensors").length > 0)("says of texts what TensorFlow's graph says, to 1e-5, padded or not", async () => {
  const texts = ["Hello, how are you?", "The meeting is moved to Thursday at noon; please bring the figures of the last quarter ☃ and tell the others."].map((text) =>
    encodeText(text, pieces),
  );
  const longest = Math.max(...texts.map(({ length }) => length)) + 3;
  const file = join(folder.path, "encoder.safetensors");
  writeFileSync(file, writeSafetensors(ours));
  const raw = join(folder.path, "tensorflow.safetensors");
  writeFileSync(raw, writeSafetensors(theirs));
  const data = BigInt64Array.from(
    texts.flatMap((text) => [...text, ...Array<number>(longest - text.length).fill(0)]),
    BigInt,
  );
  const { y } = await run({ program: lowerModel(graph), weights: { file }, inputs: { x: { dtype: "int64", shape: [texts.length, longest], data } } });
  const wanted = z.array(z.array(z.number()).length(sentenceEncoder.features)).parse(
    // The original's number of the unknown piece is 0; the others stand four higher than ours.
    await runPython(tensorflow, { tensors: raw, texts: texts.map((text) => text.map((number) => (number === 1 ? 0 : number + 4))) }),
  );
  expect(Math.max(...wanted.flat().map((value, i) => Math.abs(value - Number(y?.data[i]))))).toBeLessThanOrEqual(1e-5);
});

describe("on mails", () => {
  const DATASETS = ["018f0000-0000-7000-8000-000000000011", "018f0000-0000-7000-8000-000000000012"] as const;
  // The first words of a mail say most of what it is, and take a third of the time.
  const brief = { ...sentenceEncoder, reads: { ...sentenceEncoder.reads, tokens: 40 } };
  let learn: (depth: Depth, epochs: number) => Promise<{ accuracies: number[]; epochMs: number[]; hasFeatures: boolean }>;

  beforeAll(async () => {
    const files = openFileStore(folder.path);
    const { manifest: words } = await writeDataset(files, DATASETS[0], await mails.prepare());
    const { manifest } = await writeDataset(files, DATASETS[1], await rereadTexts(files, DATASETS[0], words, brief));
    expect(manifest.text?.tokens).toHaveLength(sentenceEncoder.reads.vocabulary);
    expect(manifest.splits.train.rows + manifest.splits.validation.rows).toBe(words.splits.train.rows + words.splits.validation.rows);
    const startFrom = join(folder.path, "start.safetensors");
    writeFileSync(startFrom, writeSafetensors(ours));
    mkdirSync(join(folder.path, "run"), { recursive: true });
    learn = async (depth, epochs) => {
      const some = { ...manifest, splits: { train: { ...manifest.splits.train, rows: 240 }, validation: { ...manifest.splits.validation, rows: 240 } } };
      const plan = planFineTune(sentenceEncoder, some, { depth });
      const spec = buildTrainSpec(plan.graph, { ...plan.settings, datasetId: DATASETS[1], epochs }, some);
      const place = (split: typeof spec.data.train) => ({
        ...split,
        arrays: Object.fromEntries(Object.entries(split.arrays).map(([name, array]) => [name, { ...array, file: join(folder.path, "datasets", DATASETS[1], array.file) }])),
      });
      const accuracies: number[] = [];
      const epochMs: number[] = [];
      let last = performance.now();
      const onEvents = (events: RunEvent[]) => {
        for (const event of events) {
          if (event.type !== "evaluated") continue;
          accuracies.push(event.values.accuracy ?? Number.NaN);
          epochMs.push(performance.now() - last);
          last = performance.now();
        }
      };
      await train({ ...spec, data: { train: place(spec.data.train), validation: place(spec.data.validation) }, checkpoint: null, sampleRows: [], startFrom }, onEvents).done;
      return { accuracies, epochMs, hasFeatures: spec.features !== undefined };
    };
  }, 120_000);

  it("fine-tuned it beats its own frozen probe, whose texts are read once", { timeout: 300_000 }, async () => {
    const probe = await learn("head", 10);
    expect(probe.hasFeatures).toBe(true);
    const tuned = await learn("last", 7);
    // Where each has come to, and not a lucky epoch.
    const settled = (accuracies: number[]) => accuracies.slice(-3).reduce((sum, one) => sum + one, 0) / 3;
    expect(settled(tuned.accuracies)).toBeGreaterThan(settled(probe.accuracies) + 0.01);
  });
});
