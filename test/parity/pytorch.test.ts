import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { whyIncomparable } from "../../core/export/parity.ts";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import { type Tensor, tensorBytes, tensorFromBytes } from "../../core/export/tensor.ts";
import { checkGraph } from "../../core/graph/check.ts";
import { run } from "../../native/index.ts";
import { missingOracles, runPython } from "../oracle.ts";
import { blockCases } from "./blockCases.ts";
import { type Case, layerCases, templateCases, tokenCases } from "./cases.ts";
import { controlCases } from "./controlCases.ts";

/**
 * Runs each exported file as a person would, but for the example at its end, whose weights and batch it replaces: `trained` are
 * the outputs with the given weights, `fresh` those of a model just made after `torch.manual_seed(seed)`.
 */
const program = `
import base64, contextlib, io, json, sys
import numpy, torch
from safetensors.torch import load_file
torch.set_num_threads(1)

def decode(t):
    data = numpy.frombuffer(base64.b64decode(t["data"]), dtype=t["dtype"])
    return torch.from_numpy(data.copy().reshape(t["shape"]))

def encode(t):
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "data": base64.b64encode(t.detach().contiguous().numpy().tobytes()).decode()}

def compute(model, inputs):
    model.eval()
    with torch.no_grad():
        y = model(*[decode(t) for t in inputs])
    return [encode(t) for t in (y if isinstance(y, tuple) else (y,))]

def check(case):
    scope = {"__name__": "model"}
    exec(compile(case["code"], "model.py", "exec"), scope)
    torch.manual_seed(case["seed"])
    fresh = scope["Net"]()
    first = [compute(fresh, inputs) for inputs in case["inputs"]]

    # The end of the file loads the weights by name, strictly, and computes a batch of its own making.
    main = {"__name__": "__main__"}
    sys.argv = ["model.py", case["weights"]]
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(case["code"], "model.py", "exec"), main)
    return {"fresh": first, "trained": [compute(main["model"], inputs) for inputs in case["inputs"]]}

answers = []
for case in json.load(sys.stdin):
    try:
        answers.append(check(case))
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
print(json.dumps(answers))
`;
const Encoded = z.array(z.array(z.object({ dtype: z.enum(["float32", "int64", "bool", "uint8"]), shape: z.array(z.int()), data: z.string() })));
const Answers = z.array(z.union([z.object({ error: z.string() }), z.object({ fresh: Encoded, trained: Encoded })]));

const SEED = 7;
const cases = [...layerCases(), ...templateCases(), ...tokenCases(), ...blockCases(), ...controlCases()];
const missing = missingOracles("torch", "numpy", "safetensors");

describe.skipIf(missing.length > 0)(
  `Python's PyTorch computes the exported code as the engine computes the graph${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`,
  () => {
    let folder: string;
    const failures = new Map<string, unknown>();
    const made = new Map<string, { one: Case; file: string; answer: z.infer<typeof Answers>[number] }>();

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "pytorch-parity-"));
      // What keeps one case from being made fails that one alone.
      const asked: { name: string; one: Case; file: string; code: string }[] = [];
      for (const [i, [name, make]] of cases.entries()) {
        try {
          const one = make();
          const file = join(folder, `${i}.safetensors`);
          await writeFile(file, writeSafetensors(one.weights));
          asked.push({ name, one, file, code: exportPyTorch(one.graph, { className: "Net", preprocess: one.preprocess }) });
        } catch (cause) {
          failures.set(name, cause);
        }
      }
      const answers = Answers.parse(
        await runPython(
          program,
          asked.map(({ one, file, code }) => ({ code, weights: file, seed: SEED, inputs: one.inputs.map((inputs) => one.program.inputs.map(({ name }) => encode(inputs[name]))) })),
        ),
      );
      for (const [i, { name, one, file }] of asked.entries()) made.set(name, { one, file, answer: answers[i] ?? { error: "no answer" } });
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it.each(cases.map(([name]) => name))("%s", async (name) => {
      if (failures.has(name)) throw failures.get(name);
      const { one, file, answer } = made.get(name) ?? {};
      if (!one || !file || !answer) throw new Error(`${name} was not made.`);
      if ("error" in answer) throw new Error(answer.error);
      for (const [i, inputs] of one.inputs.entries()) {
        await compare(one, { file }, inputs, answer.trained[i] ?? [], "with the same weights");
        // PyTorch also draws first weights that a tied layer then drops, and so draws others for those after it.
        if (checkGraph(one.graph).shared.size === 0) await compare(one, { seed: SEED }, inputs, answer.fresh[i] ?? [], "with first weights of the same seed");
      }
    });
  },
);

async function compare(
  one: Case,
  weights: { file: string } | { seed: number },
  inputs: Case["inputs"][number],
  theirs: z.infer<typeof Encoded>[number],
  how: string,
): Promise<void> {
  const ours = await run({ program: one.program, weights, inputs });
  expect(theirs).toHaveLength(one.program.outputs.length);
  // Results come in the order of their names.
  const names = one.program.outputs.map(({ name }) => name).sort();
  for (const [i, name] of names.entries()) {
    const encoded = theirs[i];
    const output = ours[name];
    if (!encoded || !output) throw new Error(`Output ${name} is missing.`);
    expect([name, encoded.shape]).toEqual([name, output.shape]);
    if (whyIncomparable(one.graph)) continue;
    const their = tensorFromBytes(encoded.dtype, encoded.shape, Buffer.from(encoded.data, "base64"));
    const values = Array.from<bigint | number, number>(output.data, Number);
    const scale = Math.max(1, ...values.map(Math.abs));
    const difference = Math.max(0, ...values.map((value, at) => Math.abs(value - Number(their.data[at]))));
    // Both run ATen's kernels; sums may be taken in another order.
    expect(difference / scale, `${name} ${how}`).toBeLessThanOrEqual(1e-5);
  }
}

function encode(tensor: Tensor | undefined): { dtype: string; shape: number[]; data: string } {
  if (!tensor) throw new Error("The case has no such input.");
  return { dtype: tensor.dtype, shape: tensor.shape, data: Buffer.from(tensorBytes(tensor)).toString("base64") };
}
