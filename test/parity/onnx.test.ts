import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../core/export/onnx.ts";
import { whyIncomparable } from "../../core/export/parity.ts";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import type { Tensor } from "../../core/export/tensor.ts";
import { run } from "../../native/index.ts";
import { missingOracles, runPython } from "../oracle.ts";
import { blockCases } from "./blockCases.ts";
import { type Case, layerCases, templateCases, tokenCases } from "./cases.ts";
import { controlCases } from "./controlCases.ts";

const cases = [...layerCases(), ...templateCases(), ...tokenCases(), ...blockCases(), ...controlCases()];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "onnx-parity-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("ONNX Runtime computes the exported model as the engine computes the graph", () => {
  it.each(cases)("%s", async (_, make) => {
    const one = make();
    const file = join(folder, "weights.safetensors");
    await writeFile(file, writeSafetensors(one.weights));
    const session = await InferenceSession.create(exportOnnx(one.graph, one.weights, { preprocess: one.preprocess }), { intraOpNumThreads: 1, logSeverityLevel: 3 });
    for (const inputs of one.inputs) {
      const ours = await run({ program: one.program, weights: { file }, inputs });
      const theirs = await session.run(Object.fromEntries(Object.entries(inputs).map(([name, { dtype, data, shape }]) => [name, new OrtTensor(dtype, data, shape)])));
      expect(Object.keys(theirs).sort()).toEqual(Object.keys(ours).sort());
      for (const [name, output] of Object.entries(ours)) {
        expect([name, theirs[name]?.dims]).toEqual([name, output.shape]);
        if (whyIncomparable(one.graph) === null) expect(greatestDifference(output, theirs[name]?.data), `${name} of ${describeInputs(inputs)}`).toBeLessThanOrEqual(1e-4);
      }
    }
    await session.release();
  });
});

/** The largest |a − b|, as a share of the largest |a| where that is above 1. */
function greatestDifference(a: Tensor, b: OrtTensor["data"] | undefined): number {
  if (!b || b.length !== a.data.length) return Infinity;
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < a.data.length; i++) {
    const [ours, theirs] = [Number(a.data[i]), Number(b[i])];
    if (!Object.is(ours, theirs)) difference = Math.max(difference, Number.isNaN(ours - theirs) ? Infinity : Math.abs(ours - theirs));
    scale = Math.max(scale, Math.abs(ours));
  }
  return difference / scale;
}

function describeInputs(inputs: Case["inputs"][number]): string {
  return Object.entries(inputs)
    .map(([name, { shape }]) => `${name} [${shape}]`)
    .join(", ");
}

/** What zones must stay, by the names of cases. */
const OPERATORS: [name: RegExp, ops: string[]][] = [
  [/^Zones/, ["If", "Loop"]],
  [/^If |Switch|EarlyExit/, ["If"]],
  [/While|^Repeat/, ["Loop"]],
  [/^ForEachStep/, ["Scan"]],
];

const missing = missingOracles("onnx");
describe.skipIf(missing.length > 0)(
  `ONNX's own checker accepts every export, shape inference included${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`,
  () => {
    it("of layers, templates and zones", async () => {
      const models = cases.map(([name, make]) => {
        const { graph, weights, preprocess } = make();
        // Zones are kept as control flow, neither unrolled nor traced along one branch.
        const needs = OPERATORS.filter(([zone]) => zone.test(name)).flatMap(([, ops]) => ops);
        return { name, needs, bytes: Buffer.from(exportOnnx(graph, weights, { preprocess, classes: ["a"], metadata: { licence: "none" } })).toString("base64") };
      });
      const program = `
import base64, json, sys, onnx
found = []

def ops(graph):
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from ops(attribute.g)

for model in json.load(sys.stdin):
    proto = onnx.load_from_string(base64.b64decode(model["bytes"]))
    try:
        onnx.checker.check_model(proto, full_check=True)
        assert proto.ir_version == 10 and [(o.domain, o.version) for o in proto.opset_import] == [("", 21)]
        assert set(model["needs"]) <= set(ops(proto.graph)), set(ops(proto.graph))
        assert {p.key: p.value for p in proto.metadata_props if p.key in ("tensorloom.classes", "licence")} == {"tensorloom.classes": '["a"]', "licence": "none"}
    except Exception as error:
        found.append(f"{model['name']}: {error!r}")
print(json.dumps(found))
`;
      expect(await runPython(program, models)).toEqual([]);
    });
  },
);
