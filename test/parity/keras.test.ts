import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { exportKeras, KERAS_LAYERS, KerasUnsupported } from "../../core/export/keras.ts";
import { writeNpz } from "../../core/export/npz.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import { type Tensor, tensorBytes, tensorFromBytes } from "../../core/export/tensor.ts";
import { findLayer } from "../../core/layers/index.ts";
import { run } from "../../native/index.ts";
import { missingOracles, runPython } from "../oracle.ts";
import { type Case, layerCases, templateCases, tokenCases } from "./cases.ts";

const cases = [...layerCases(), ...templateCases(), ...tokenCases()];

/** Each script is run as a person would, but for its end, whose batch it replaces. */
const program = `
import base64, json, os, sys
os.environ["KERAS_BACKEND"] = "torch"
import numpy as np, keras

def decode(t):
    return np.frombuffer(base64.b64decode(t["data"]), dtype=t["dtype"]).reshape(t["shape"])

def encode(y):
    y = np.asarray(keras.ops.convert_to_numpy(y))
    kind = {"b": "bool", "f": "float32"}.get(y.dtype.kind, "int64")
    return {"dtype": kind, "shape": list(y.shape), "data": base64.b64encode(np.ascontiguousarray(y.astype(kind)).tobytes()).decode()}

answers = []
for case in json.load(sys.stdin):
    try:
        scope = {"__name__": "model"}
        exec(compile(case["code"], "model.py", "exec"), scope)
        model = scope["build"]()
        scope["load"](model, case["weights"])
        outputs = []
        for inputs in case["inputs"]:
            given = [decode(t) for t in inputs]
            y = model(given[0] if len(given) == 1 else given, training=False)
            outputs.append([encode(one) for one in (y if isinstance(y, (list, tuple)) else (y,))])
        answers.append({"outputs": outputs})
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"[:600]})
print(json.dumps(answers))
`;
const Encoded = z.object({ dtype: z.enum(["float32", "int64", "bool"]), shape: z.array(z.int()), data: z.string() });
const Answers = z.array(z.union([z.object({ error: z.string() }), z.object({ outputs: z.array(z.array(Encoded)) })]));

describe("what Keras cannot say", () => {
  it("is refused with every layer and its reason", () => {
    for (const [name, make] of cases) {
      const { graph, preprocess } = make();
      try {
        expect(exportKeras(graph, { preprocess })).toContain("import keras");
      } catch (error) {
        if (!(error instanceof KerasUnsupported)) throw error;
        for (const { node, title, why } of error.layers) {
          expect(node.length * title.length, name).toBeGreaterThan(0);
          expect(why).toMatch(/\.$/);
        }
      }
    }
  });
  it("is no layer that the table names", () => {
    expect(KERAS_LAYERS.filter((type) => !findLayer(type))).toEqual([]);
    expect(KERAS_LAYERS.length).toBeGreaterThan(60);
  });
});

const missing = missingOracles("keras", "torch", "numpy");
describe.skipIf(missing.length > 0)(
  `Keras computes the exported script as the engine computes the graph${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`,
  () => {
    let folder: string;
    const made = new Map<string, { one: Case; answer: z.infer<typeof Answers>[number] }>();
    const written = cases.flatMap(([name, make]) => {
      const one = make();
      try {
        return [{ name, one, code: exportKeras(one.graph, { name: "Net", preprocess: one.preprocess }) }];
      } catch (error) {
        if (error instanceof KerasUnsupported) return [];
        throw error;
      }
    });

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "keras-"));
      const asked = [];
      for (const [i, { one, code }] of written.entries()) {
        const weights = join(folder, `${i}.npz`);
        await writeFile(weights, writeNpz(one.weights));
        asked.push({ code, weights, inputs: one.inputs.map((inputs) => one.program.inputs.map(({ name }) => encode(inputs[name]))) });
      }
      const answers = Answers.parse(await runPython(program, asked));
      for (const [i, { name, one }] of written.entries()) made.set(name, { one, answer: answers[i] ?? { error: "no answer" } });
    }, 300_000);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it.each(written.map(({ name }) => name))("%s", async (name) => {
      const { one, answer } = made.get(name) ?? {};
      if (!one || !answer) throw new Error(`${name} was not made.`);
      if ("error" in answer) throw new Error(answer.error);
      const file = join(folder, "weights.safetensors");
      await writeFile(file, writeSafetensors(one.weights));
      for (const [i, inputs] of one.inputs.entries()) {
        const ours = await run({ program: one.program, weights: { file }, inputs });
        const names = one.program.outputs.map(({ name }) => name).sort();
        expect(answer.outputs[i]).toHaveLength(names.length);
        for (const [at, output] of names.entries()) {
          const their = answer.outputs[i]?.[at];
          if (!their) throw new Error(`Output ${output} is missing.`);
          expect([output, their.shape]).toEqual([output, ours[output]?.shape]);
          expect(greatestDifference(ours[output], tensorFromBytes(their.dtype, their.shape, Buffer.from(their.data, "base64"))), output).toBeLessThanOrEqual(1e-4);
        }
      }
    });
  },
);

function encode(tensor: Tensor | undefined): { dtype: string; shape: number[]; data: string } {
  if (!tensor) throw new Error("The case has no such input.");
  return { dtype: tensor.dtype, shape: tensor.shape, data: Buffer.from(tensorBytes(tensor)).toString("base64") };
}

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
