import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { drawBert } from "../../../core/architectures/bert.ts";
import { drawConvnext } from "../../../core/architectures/convnext.ts";
import { drawDinov2 } from "../../../core/architectures/dinov2.ts";
import { drawGpt2 } from "../../../core/architectures/gpt2.ts";
import { findArchitecture } from "../../../core/architectures/index.ts";
import { drawVit } from "../../../core/architectures/vit.ts";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { writeSafetensors } from "../../../core/export/safetensors.ts";
import { countElements, type Tensor, tensorOf } from "../../../core/export/tensor.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import type { Program } from "../../../core/program/program.ts";
import { run } from "../../../native/index.ts";
import { randomNumbers, temporaryFolder } from "../../native/specs.ts";
import { missingOracles, runPython } from "../../oracle.ts";

/** Whole networks on a small batch: the engine, ONNX Runtime and the exported PyTorch code agree. The larger ones in `npm run test:full`. */

type Entry = { title: string; build: () => Graph /** Height and width, or steps. */; size: number };

const published = (id: string, size = 224): Entry => ({
  title: id,
  size,
  build: () => {
    const architecture = findArchitecture(id);
    if (!architecture) throw new Error(`There is no architecture ${id}.`);
    return architecture.build({ classes: 10 });
  },
});
const small: Entry[] = [
  published("resnet18"),
  published("mobilenet_v2"),
  published("mobilenet_v3_small"),
  { title: "a small ViT", size: 32, build: () => drawVit({ classes: 10 }, { image: 32, patch: 8, layers: 2, heads: 4, width: 32, inner: 64 }) },
  { title: "a small ConvNeXt", size: 64, build: () => drawConvnext({ classes: 10 }, { image: 64, depths: [1, 2], widths: [8, 16] }) },
  { title: "a small DINOv2", size: 28, build: () => drawDinov2({ classes: 10 }, { image: 28, patch: 7, grid: 6, layers: 2, heads: 4, width: 32 }) },
  { title: "a small GPT-2", size: 9, build: () => drawGpt2({ vocabulary: 50, positions: 16, layers: 2, heads: 4, width: 32 }) },
  { title: "a small BERT", size: 9, build: () => drawBert({ vocabulary: 50, positions: 16, layers: 2, heads: 4, width: 32, inner: 64 }) },
];
const large = [
  ...["resnet50", "mobilenet_v3_large", "efficientnet_b0", "densenet121", "vit_b_16", "convnext_tiny", "dinov2_small"].map((id) => published(id)),
  published("unet", 256),
];
const entries = process.env.TENSORLOOM_TEST === "full" ? [...small, ...large] : small;

const program = `
import json, sys, torch
torch.set_num_threads(1)
given = json.load(sys.stdin)
scope = {"__name__": "model"}
exec(compile(given["code"], "model.py", "exec"), scope)
model = scope["load"](given["weights"])
inputs = [torch.tensor(t["data"], dtype=getattr(torch, t["dtype"])).reshape(t["shape"]) for t in given["inputs"]]
with torch.no_grad():
    y = model(*inputs)
print(json.dumps([t.flatten().tolist() for t in (y if isinstance(y, tuple) else (y,))]))
`;

const folder = temporaryFolder();
afterAll(() => folder.remove());
const missing = missingOracles("torch", "safetensors");

it.each(entries.map((entry) => [entry.title, entry] as const))(
  `%s computes the same in the engine, in ONNX Runtime and as PyTorch code${missing.length > 0 ? ` (without Python: not installed: ${missing.join(", ")})` : ""}`,
  async (title, { build, size }) => {
    const graph = build();
    const lowered = lowerModel(graph);
    const random = randomNumbers(11);
    const weights = drawWeights(lowered, random);
    const inputs = drawInputs(lowered, size, random);
    const file = join(folder.path, `${title.replaceAll(" ", "-")}.safetensors`);
    await writeFile(file, writeSafetensors(weights));
    const ours = await run({ program: lowered, weights: { file }, inputs });
    const names = Object.keys(ours).sort();

    const session = await InferenceSession.create(exportOnnx(graph, weights), { intraOpNumThreads: 1, logSeverityLevel: 3 });
    const onnx = await session.run(Object.fromEntries(Object.entries(inputs).map(([name, { dtype, data, shape }]) => [name, new OrtTensor(dtype, data, shape)])));
    await session.release();
    for (const name of names) expect(greatestDifference(ours[name]?.data, onnx[name]?.data), `${name} in ONNX Runtime`).toBeLessThanOrEqual(1e-4);

    if (missing.length > 0) return;
    const given = Object.keys(inputs)
      .sort()
      .map((name) => ({ dtype: inputs[name]?.dtype, shape: inputs[name]?.shape, data: Array.from<bigint | number, number>(inputs[name]?.data ?? [], Number) }));
    const theirs = z.array(z.array(z.number())).parse(await runPython(program, { code: exportPyTorch(graph), weights: file, inputs: given }));
    for (const [i, name] of names.entries()) expect(greatestDifference(ours[name]?.data, theirs[i]), `${name} in PyTorch`).toBeLessThanOrEqual(1e-5);
  },
  180_000,
);

/** As the layers draw them, but with norms away from 0 and 1, so that a forgotten one shows. */
function drawWeights({ weights }: Program, random: () => number): Map<string, Tensor> {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return new Map(
    weights.map(({ name, dtype, shape, init }) => {
      const one = (): number => {
        if (dtype === "int64") return 3;
        if (name.endsWith("running_var")) return 0.6 + 0.8 * random();
        if (init.kind === "uniform") return init.low + (init.high - init.low) * random();
        if (init.kind === "normal") return init.mean + init.std * normal();
        return (init.kind === "constant" ? init.value : 0) + 0.2 * (random() - 0.5);
      };
      return [name, tensorOf(dtype, shape, Array.from({ length: countElements(shape) }, one))];
    }),
  );
}

/** Two samples; of whole numbers 0 or 1, so that a mask hides some steps, but never all. */
function drawInputs({ inputs }: Program, size: number, random: () => number): { [name: string]: Tensor } {
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => {
      const sizes = shape.map((dim, axis) => (axis === 0 ? 2 : axis === 1 && typeof dim === "number" ? dim : size));
      const count = countElements(sizes);
      const draw = dtype === "int64" ? (_: unknown, i: number) => (i % size === 0 ? 1 : Math.round(random())) : () => random() * 4 - 2;
      return [name, tensorOf(dtype, sizes, Array.from({ length: count }, draw))];
    }),
  );
}

/** The largest |a − b|, as a share of the largest |a| where that is above 1. */
function greatestDifference(a: Tensor["data"] | undefined, b: ArrayLike<unknown> | undefined): number {
  if (!a || !b || a.length !== b.length) return Infinity;
  let [difference, scale] = [0, 1];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    difference = Math.max(difference, Number.isFinite(x - y) ? Math.abs(x - y) : Infinity);
    scale = Math.max(scale, Math.abs(x));
  }
  return difference / scale;
}
