import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import { type Tensor, tensorOf } from "../../core/export/tensor.ts";
import type { Body } from "../../core/graph/document.ts";
import { importOnnx } from "../../core/import/onnx.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { run } from "../../native/index.ts";
import { randomNumbers } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

/** ONNX files with control flow that others wrote: by ONNX's own helpers, and by PyTorch of a scripted module (which unrolls its loop). */

const WRITE = `
import base64, io, json, warnings
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
warnings.filterwarnings("ignore")
rng = np.random.default_rng(3)
V = lambda name, shape=None, t=T.FLOAT: h.make_tensor_value_info(name, t, shape)
N = h.make_node
def weight(name, *shape): return nh.from_array((rng.standard_normal(shape) * 0.5).astype(np.float32), name)
def const(name, value, dtype): return nh.from_array(np.array(value, dtype=dtype), name)
def model(nodes, inputs, outputs, init=()):
    made = h.make_model(h.make_graph(nodes, "g", inputs, outputs, list(init)), opset_imports=[h.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    return base64.b64encode(made.SerializeToString()).decode()
made = {}
X, Y = V("x", ["N", 4]), V("y", ["N", 4])
zero, one, yes = const("zero", 0.0, np.float32), const("one", 1, np.int64), const("yes", True, np.bool_)

# If: either branch has weights and reads x from around it.
then = h.make_graph([N("MatMul", ["x", "w1"], ["t0"]), N("Relu", ["t0"], ["t"])], "then", [], [V("t", ["N", 4])], [weight("w1", 4, 4)])
other = h.make_graph([N("Tanh", ["x"], ["o0"]), N("Add", ["o0", "w0"], ["o"])], "else", [], [V("o", ["N", 4])])
made["if"] = model([N("ReduceMean", ["x"], ["m"], keepdims=0), N("Greater", ["m", "zero"], ["c"]), N("If", ["c"], ["y"], then_branch=then, else_branch=other)], [X], [Y], [zero, weight("w0", 4)])

# Loop with a known count: h goes round, x comes in, one item of each turn is collected in front.
turn = [N("Identity", ["go"], ["go2"]), N("MatMul", ["h", "w"], ["a"]), N("Add", ["a", "x"], ["b"]), N("Tanh", ["b"], ["h2"]), N("Cast", ["i"], ["fi"], to=T.FLOAT), N("Add", ["h2", "fi"], ["s"])]
body = h.make_graph(turn, "body", [V("i", [], T.INT64), V("go", [], T.BOOL), V("h", ["N", 4])], [V("go2", [], T.BOOL), V("h2", ["N", 4]), V("s", ["N", 4])])
made["for"] = model([N("Loop", ["five", "yes", "x"], ["y", "all"], body=body)], [X], [Y, V("all", [5, "N", 4])], [const("five", 5, np.int64), yes, weight("w", 4, 4)])

# Loop as often as the data say.
body = h.make_graph([N("Identity", ["go"], ["go2"]), N("MatMul", ["h", "w"], ["h2"])], "body", [V("i", [], T.INT64), V("go", [], T.BOOL), V("h", ["N", 4])], [V("go2", [], T.BOOL), V("h2", ["N", 4])])
made["times"] = model([N("ReduceMax", ["n"], ["most"], keepdims=0), N("Loop", ["most", "", "x"], ["y"], body=body)], [X, V("n", ["N"], T.INT64)], [Y], [weight("w", 4, 4)])

# Loop that a condition ends, with a branch inside.
small = h.make_graph([N("Add", ["h", "half"], ["p"])], "small", [], [V("p", ["N", 4])])
large = h.make_graph([N("Mul", ["h", "two"], ["q"])], "large", [], [V("q", ["N", 4])])
turn = [N("ReduceMean", ["h"], ["m"], keepdims=0), N("Less", ["m", "one_f"], ["c"]), N("If", ["c"], ["h2"], then_branch=small, else_branch=large), N("ReduceMean", ["h2"], ["m2"], keepdims=0), N("Less", ["m2", "ten"], ["go2"])]
body = h.make_graph(turn, "body", [V("i", [], T.INT64), V("go", [], T.BOOL), V("h", ["N", 4])], [V("go2", [], T.BOOL), V("h2", ["N", 4])])
floats = [const("half", 0.5, np.float32), const("two", 2.0, np.float32), const("one_f", 1.0, np.float32), const("ten", 10.0, np.float32)]
made["while"] = model([N("Loop", ["", "yes", "x"], ["y"], body=body)], [X], [Y], [yes, *floats])

# Scan: a cell over time, forwards and backwards.
for name, back in [("scan", 0), ("scan back", 1)]:
    cell = h.make_graph([N("MatMul", ["s", "u"], ["a"]), N("MatMul", ["step", "w"], ["b"]), N("Add", ["a", "b"], ["c"]), N("Tanh", ["c"], ["s2"]), N("Relu", ["s2"], ["o"])], "cell", [V("s", ["N", 3]), V("step", ["N", 4])], [V("s2", ["N", 3]), V("o", ["N", 3])])
    nodes = [N("Transpose", ["x"], ["xt"], perm=[1, 0, 2]), N("Shape", ["x"], ["size"], start=0, end=1), N("Concat", ["size", "three"], ["shape"], axis=0), N("Expand", ["zero", "shape"], ["start"]),
             N("Scan", ["start", "xt"], ["last", "all"], body=cell, num_scan_inputs=1, scan_input_directions=[back])]
    made[name] = model(nodes, [V("x", ["N", "T", 4])], [V("last", ["N", 3]), V("all", ["T", "N", 3])], [zero, const("three", [3], np.int64), weight("u", 3, 3), weight("w", 4, 3)])

# What no layer says, within and beside: all of it is to be listed.
inner = h.make_graph([N("Hardmax", ["x"], ["t1"]), N("Mish", ["t1"], ["t2"]), N("BitwiseNot", ["ints"], ["n"]), N("Cast", ["n"], ["f"], to=T.FLOAT), N("Add", ["t2", "f"], ["t"])], "then", [], [V("t", ["N", 4])])
plain = h.make_graph([N("Identity", ["x"], ["e"])], "else", [], [V("e", ["N", 4])])
made["unsaid"] = model([N("Cast", ["x"], ["ints"], to=T.INT64), N("ReduceMean", ["x"], ["m"], keepdims=0), N("Greater", ["m", "zero"], ["c"]), N("If", ["c"], ["z"], then_branch=inner, else_branch=plain), N("Hardmax", ["z"], ["y"])], [X], [Y], [zero])

# TorchScript wants to read the source of what it compiles.
import pathlib, sys, tempfile
home = tempfile.TemporaryDirectory()
pathlib.Path(home.name, "scripted.py").write_text("""
import torch
class Scripted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.a = torch.nn.Linear(4, 4)
        self.b = torch.nn.Linear(4, 4)
    def forward(self, x):
        for _ in range(3):
            if bool(x.mean() > 0):
                x = torch.tanh(self.a(x))
            else:
                x = self.b(x)
        return x
""")
sys.path.insert(0, home.name)
import torch
from scripted import Scripted
buffer = io.BytesIO()
torch.onnx.export(torch.jit.script(Scripted()), (torch.zeros(2, 4),), buffer, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "N"}}, opset_version=18, dynamo=False)
made["scripted"] = base64.b64encode(buffer.getvalue()).decode()
print(json.dumps(made))
`;

const missing = missingOracles("onnx", "numpy", "torch");
let files: { [name: string]: string } = {};
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "onnx-zones-"));
  if (missing.length === 0) files = z.record(z.string(), z.string()).parse(await runPython(WRITE));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (name: string) => new Uint8Array(Buffer.from(files[name] ?? "", "base64"));
const typesIn = (body: Body): string[] => body.nodes.flatMap((node) => [node.type, ...Object.values(node.bodies ?? {}).flatMap(typesIn)]);

function batch(seed: number, shape: number[], shift = 0): Tensor {
  const random = randomNumbers(seed);
  return tensorOf(
    "float32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * 2 - 1 + shift),
  );
}

const cases: { [name: string]: { zones: string[]; inputs: { [name: string]: Tensor }[] } } = {
  if: { zones: ["if"], inputs: [{ x: batch(1, [3, 4], 0.5) }, { x: batch(2, [2, 4], -0.5) }] },
  for: { zones: ["repeat"], inputs: [{ x: batch(3, [2, 4]) }, { x: batch(4, [5, 4]) }] },
  times: { zones: ["repeat"], inputs: [1, 4].map((most) => ({ x: batch(most, [2, 4]), n: tensorOf("int64", [2], [most, 1]) })) },
  while: { zones: ["if", "while"], inputs: [{ x: batch(5, [2, 4]) }, { x: batch(6, [3, 4], 20) }, { x: batch(7, [1, 4], 2) }] },
  scan: { zones: ["for_each_step"], inputs: [{ x: batch(8, [2, 5, 4]) }, { x: batch(9, [3, 1, 4]) }] },
  "scan back": { zones: ["for_each_step"], inputs: [{ x: batch(10, [2, 6, 4]) }] },
  scripted: { zones: ["if"], inputs: [{ x: batch(11, [2, 4], 1) }, { x: batch(12, [3, 4], -1) }] },
};

describe.skipIf(missing.length > 0)(`control flow of files that others wrote${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  it.each(Object.entries(cases))("%s becomes zones that compute what ONNX Runtime computes", async (name, { zones, inputs }) => {
    const bytes = bytesOf(name);
    const answer = importOnnx(bytes);
    if (!answer.ok) throw new Error(JSON.stringify(answer, null, 2));
    expect(answer.from).toBe("operators");
    expect([...new Set(typesIn(answer.graph))].filter((type) => ["if", "repeat", "while", "for_each_step"].includes(type)).sort()).toEqual(zones);
    const file = join(folder, `${name}.safetensors`);
    await writeFile(file, writeSafetensors(answer.weights));
    const program = lowerModel(answer.graph);
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    for (const given of inputs) {
      const ours = await run({ program, weights: { file }, inputs: given });
      const theirs = await session.run(
        Object.fromEntries(
          Object.entries(given).map(([input, { dtype, data, shape }]) => [
            input,
            dtype === "int64"
              ? new OrtTensor("int64", BigInt64Array.from([...data].map(BigInt)), shape)
              : new OrtTensor("float32", Float32Array.from([...data].map(Number)), shape),
          ]),
        ),
      );
      expect(Object.keys(theirs).length).toBe(Object.keys(ours).length);
      for (const [output, { dims, data }] of Object.entries(theirs)) {
        expect(ours[output]?.shape).toEqual(dims);
        for (const [i, value] of [...(ours[output]?.data ?? [])].entries())
          expect(Math.abs(Number(value) - Number(data[i])) / Math.max(1, Math.abs(Number(data[i])))).toBeLessThanOrEqual(1e-4);
      }
    }
    await session.release();
  });

  it("what cannot be said is listed whole, inside of branches too", () => {
    const answer = importOnnx(bytesOf("unsaid"));
    if (answer.ok) throw new Error("It was read.");
    expect(answer.unsupported.map(({ op }) => op).sort()).toEqual(["BitwiseNot", "Hardmax", "Hardmax"]);
  });
});
