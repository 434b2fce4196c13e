import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { readSafetensors, writeSafetensors } from "../../core/export/safetensors.ts";
import { type Tensor, tensorOf, type Weights } from "../../core/export/tensor.ts";
import type { Graph } from "../../core/graph/document.ts";
import { importPyTorch } from "../../core/import/pytorch.ts";
import { matchWeights } from "../../core/import/weights.ts";
import { bodyInputs } from "../../core/layers/input.ts";
import { bodyOutputs } from "../../core/layers/output.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { run } from "../../native/index.ts";
import { missingOracles, runPython } from "../oracle.ts";
import { layerCases, templateCases, tokenCases } from "./cases.ts";
import { controlCases } from "./controlCases.ts";
import { modules } from "./pytorchModules.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pytorch-import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Outputs of a graph in the order of its output nodes, with weights matched by name; all of them must match. */
async function compute(graph: Graph, weights: Weights, inputs: Tensor[]): Promise<Tensor[]> {
  const program = lowerModel(graph);
  const matching = matchWeights(program, weights);
  expect(matching.rows.filter(({ status }) => status !== "matched")).toEqual([]);
  const file = join(folder, "weights.safetensors");
  const constants = program.weights.flatMap(({ name, dtype, shape, init }): [string, Tensor][] => (init.kind === "values" ? [[name, tensorOf(dtype, shape, init.values)]] : []));
  await writeFile(file, writeSafetensors(new Map([...matching.weights, ...constants])));
  const named = Object.fromEntries(bodyInputs(graph).map(({ name }, i) => [name, inputs[i] as Tensor]));
  const results = await run({ program, weights: { file }, inputs: named });
  return bodyOutputs(graph).map(({ name }) => results[name] as Tensor);
}

const cases = [...layerCases(), ...templateCases(), ...tokenCases(), ...controlCases()];
/** Their numbers are drawn anew at each run. */
const isRandom = (name: string) => /^Random|^Adversarial/.test(name);

describe("code that was exported is read back to a graph that computes the same", () => {
  const read: string[] = [];
  const refused = new Map<string, string>();
  it.each(cases)("%s", async (name, make) => {
    const one = make();
    const code = exportPyTorch(one.graph, { className: "Net" });
    const answer = importPyTorch(code, { className: "Net" });
    if (!answer.ok) {
      expect(answer.message).toMatch(/[.")]$/);
      for (const { line, text, why } of answer.lines) {
        expect(line, name).toBeGreaterThan(0);
        expect(text.length, name).toBeGreaterThan(0);
        expect(why).toMatch(/[.)]$/);
      }
      refused.set(name, answer.lines[0] ? `${answer.lines[0].text} → ${answer.lines[0].why}` : answer.message);
      return;
    }
    const program = lowerModel(one.graph);
    const file = join(folder, "ours.safetensors");
    const own = new Map(program.weights.flatMap(({ name }) => (one.weights.has(name) ? [[name, one.weights.get(name) as Tensor]] : [])));
    await writeFile(file, writeSafetensors(own));
    for (const batch of one.inputs) {
      // Raw bytes are for the data set's preprocessing, which stays outside here.
      const inputs = Object.fromEntries(Object.entries(batch).map(([input, tensor]) => [input, fitted(tensor, program.inputs.find(({ name }) => name === input)?.dtype)]));
      const ours = await run({ program, weights: { file }, inputs });
      const order = program.outputs.map(({ name }) => name).sort();
      // Names that Python cannot take are listed at the end of the file.
      const renamed = new Map([...code.matchAll(/^ {8}"(.+)": "(.+)",$/gm)].map(([, ours = "", theirs = ""]) => [ours, theirs]));
      const theirs = await compute(
        answer.graph,
        new Map([...own].map(([name, tensor]) => [renamed.get(name) ?? name, tensor])),
        program.inputs.map(({ name }) => inputs[name] as Tensor),
      );
      expect(theirs).toHaveLength(order.length);
      for (const [i, output] of order.entries()) {
        expect(theirs[i]?.shape, name).toEqual(ours[output]?.shape);
        if (!isRandom(name)) expect(greatestDifference(ours[output], theirs[i]), name).toBeLessThanOrEqual(1e-4);
      }
    }
    read.push(name);
  });

  it("and nearly all are read", () => {
    console.log(`Read ${read.length} of ${cases.length}. Refused:\n${[...refused].map(([name, why]) => `  ${name}: ${why}`).join("\n")}`);
    expect(read.length / cases.length).toBeGreaterThan(0.85);
  });
});

function fitted(tensor: Tensor, dtype: Tensor["dtype"] | undefined): Tensor {
  return dtype === undefined || tensor.dtype === dtype ? tensor : tensorOf(dtype, tensor.shape, Array.from<number | bigint, number>(tensor.data, Number));
}

const program = `
import json, sys
import torch
from safetensors.torch import save_file
torch.set_num_threads(1)
answers = []
for case in json.load(sys.stdin):
    scope = {"__name__": "model"}
    exec(compile(case["code"], case["name"], "exec"), scope)
    torch.manual_seed(1)
    model = scope[case["class"]]().eval()
    # Away from 0 and 1, so that a forgotten scale or shift shows.
    with torch.no_grad():
        for value in list(model.parameters()) + list(model.buffers()):
            if value.is_floating_point():
                value.add_(torch.rand_like(value) * 0.2)
        inputs = [torch.randint(0, i["high"], i["shape"]) if i["dtype"] == "int64" else torch.randn(i["shape"]) for i in case["inputs"]]
        y = model(*inputs)
    flat = []
    def walk(v):
        if isinstance(v, torch.Tensor): flat.append(v)
        elif isinstance(v, (tuple, list)): [walk(one) for one in v]
        elif isinstance(v, dict): [walk(one) for one in v.values()]
    walk(y)
    save_file({k: v.clone().contiguous() for k, v in model.state_dict().items()}, case["file"] + ".weights")
    save_file({**{f"in{i}": v.contiguous() for i, v in enumerate(inputs)}, **{f"out{i}": v.clone().contiguous() for i, v in enumerate(flat)}}, case["file"] + ".values")
    answers.append(len(flat))
print(json.dumps(answers))
`;

const missing = missingOracles("torch", "safetensors");
describe.skipIf(missing.length > 0)(`modules as people write them compute what Python computes${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  let counts: number[] = [];
  beforeAll(async () => {
    counts = z.array(z.int()).parse(
      await runPython(
        program,
        modules.map(({ name, code, inputs }, i) => ({
          name,
          code,
          class: name,
          file: join(folder, String(i)),
          inputs: inputs.map((shape) => (Array.isArray(shape) ? { shape, dtype: "float32" } : { shape: shape.shape, dtype: "int64", high: shape.below })),
        })),
      ),
    );
  });
  it.each(modules.map((module, i) => [module.name, module, i] as const))("%s", async (name, { code, nodes }, i) => {
    const answer = importPyTorch(code);
    if (!answer.ok) throw new Error(JSON.stringify(answer, null, 2));
    expect(answer.className).toBe(name);
    const { tensors: weights } = readSafetensors(await readFile(join(folder, `${i}.weights`)));
    const { tensors: values } = readSafetensors(await readFile(join(folder, `${i}.values`)));
    const inputs = bodyInputs(answer.graph).map((_, at) => values.get(`in${at}`) as Tensor);
    const ours = await compute(answer.graph, weights, inputs);
    expect(ours).toHaveLength(counts[i] ?? -1);
    for (const [at, output] of ours.entries()) {
      expect(output.shape).toEqual(values.get(`out${at}`)?.shape);
      expect(greatestDifference(values.get(`out${at}`), output)).toBeLessThanOrEqual(1e-4);
    }
    const types = answer.graph.nodes.map(({ type }) => type);
    for (const type of nodes) expect(types).toContain(type);
  });
});

/** The largest |a − b|, as a share of the largest |a| where that is above 1. */
function greatestDifference(a: Tensor | undefined, b: Tensor | undefined): number {
  if (!a || !b || b.data.length !== a.data.length) return Infinity;
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < a.data.length; i++) {
    const [ours, theirs] = [Number(a.data[i]), Number(b.data[i])];
    if (!Object.is(ours, theirs)) difference = Math.max(difference, Number.isNaN(ours - theirs) ? Infinity : Math.abs(ours - theirs));
    scale = Math.max(scale, Math.abs(ours));
  }
  return difference / scale;
}
