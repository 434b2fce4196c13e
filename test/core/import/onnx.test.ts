import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { architectures } from "../../../core/architectures/index.ts";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { type OnnxGraph, setOnnxMetadata } from "../../../core/export/onnx-proto.ts";
import { countElements, type Tensor, tensorBytes, tensorFromBytes, tensorOf } from "../../../core/export/tensor.ts";
import type { Dtype } from "../../../core/graph/shape.ts";
import { importOnnx, type OnnxImport } from "../../../core/import/onnx.ts";
import { GRAPH_KEY } from "../../../core/import/onnx-hash.ts";
import { ONNX_LIMITS } from "../../../core/import/onnx-proto.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { chain } from "../../../core/templates/sketch.ts";
import { onnxFile, onnxNode } from "../../onnxFile.ts";
import { blockCases } from "../../parity/blockCases.ts";
import { layerCases, makeCase, templateCases, tokenCases } from "../../parity/cases.ts";
import { controlCases } from "../../parity/controlCases.ts";

const cases = [...layerCases(), ...templateCases(), ...tokenCases(), ...blockCases(), ...controlCases()];

describe("a model that goes out as ONNX comes back as the very same graph and weights", () => {
  it.each(cases)("%s", (_, make) => {
    const { graph, weights, program, preprocess } = make();
    const back = importOnnx(exportOnnx(graph, weights, { preprocess, classes: ["cat", "dog"] }));
    if (!back.ok) throw new Error(back.message);
    expect(back.from).toBe("document");
    expect(back.graph).toEqual(graph);
    expect([back.classes, back.preprocess]).toEqual([["cat", "dog"], preprocess ?? null]);
    const inputs = new Set(program.inputs.map(({ node }) => node));
    for (const { name, node, init } of program.weights) {
      // Mean and deviation belong to the data; a count that inference does not read is not in the file.
      if (inputs.has(node)) expect(back.weights.has(name)).toBe(false);
      else if (!name.endsWith("num_batches_tracked")) expect([name, back.weights.get(name)]).toEqual([name, weights.get(name)]);
      else expect(init.kind).toBe("constant");
    }
  });
});

/** The heaviest take gigabytes for their weights: they are for `npm run test:full`. */
const HEAVY = 30e6;

describe("a published network comes back as the very same graph, its weights byte for byte", () => {
  const tried = architectures.filter(({ parameters }) => parameters <= HEAVY || process.env.TENSORLOOM_TEST === "full");
  it.each(tried.map((architecture) => [architecture.title, architecture] as const))("%s", (_, { build }) => {
    const graph = build();
    const { weights: planned } = lowerModel(graph);
    const weights = new Map(planned.map(({ name, dtype, shape, init }) => [name, init.kind === "values" ? tensorOf(dtype, shape, init.values) : countUp(dtype, shape)]));
    const back = importOnnx(exportOnnx(graph, weights));
    if (!back.ok) throw new Error(back.message);
    expect(back.from).toBe("document");
    expect(back.graph).toEqual(graph);
    // A count that inference does not read is not in the file.
    const differing = [...back.weights].filter(([name, tensor]) => {
      if (name.endsWith("num_batches_tracked")) return false;
      const own = weights.get(name);
      return !own || own.shape.join() !== tensor.shape.join() || Buffer.compare(tensorBytes(own), tensorBytes(tensor)) !== 0;
    });
    expect(differing.map(([name]) => name)).toEqual([]);
    expect([...weights.keys()].filter((name) => !name.endsWith("num_batches_tracked") && !back.weights.has(name))).toEqual([]);
  });
});

/** A tensor whose bytes count up: sound numbers of any dtype but bool, drawn in no time. */
function countUp(dtype: Dtype, shape: number[]): Tensor {
  const bytes = new Uint8Array(countElements(shape) * { float32: 4, int64: 8, bool: 1, uint8: 1 }[dtype]);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i % 61;
  return tensorFromBytes(dtype, shape, bytes);
}

const graph = findTemplate("lenet5")?.graph ?? chain([]);
const { weights } = makeCase("onnx", graph, []);
const file = exportOnnx(graph, weights);

describe("an export that was changed since", () => {
  it("is still itself with other weights and other metadata", () => {
    const other = makeCase("other weights", graph, []).weights;
    const back = importOnnx(setOnnxMetadata(exportOnnx(graph, other), { licence: "MIT" }));
    expect(back.ok && [back.from, back.weights.get("conv2d_1.weight")]).toEqual(["document", other.get("conv2d_1.weight")]);
  });
  it("is read operator by operator where its own graph no longer tells the truth", () => {
    const wider = exportOnnx(
      chain([
        ["input", "input", { shape: [3] }],
        ["linear", "linear", { out_features: 2 }],
        ["relu", "relu"],
        ["output", "output"],
      ]),
      new Map([
        ["linear.weight", tensorOf("float32", [2, 3], [1, 2, 3, 4, 5, 6])],
        ["linear.bias", tensorOf("float32", [2], [7, 8])],
      ]),
    );
    const lied = importOnnx(setOnnxMetadata(wider, { [GRAPH_KEY]: JSON.stringify(graph) }));
    expect(lied.ok && [lied.from, lied.graph.nodes.map(({ type }) => type)]).toEqual(["operators", ["input", "linear", "relu", "output"]]);
    expect(lied.ok && lied.weights).toEqual(
      new Map([
        ["linear_1.weight", tensorOf("float32", [2, 3], [1, 2, 3, 4, 5, 6])],
        ["linear_1.bias", tensorOf("float32", [2], [7, 8])],
      ]),
    );
  });
});

function codeOf(answer: OnnxImport): string {
  return answer.ok ? "read" : answer.code;
}

describe("what is refused", () => {
  it("operators that no layer says, all of them with their nodes, and nothing is imported", () => {
    const answer = importOnnx(
      onnxFile({
        nodes: [
          onnxNode("Relu", ["x"], ["a"]),
          onnxNode("NonMaxSuppression", ["a"], ["b"]),
          onnxNode("Relu", ["b"], ["c"]),
          onnxNode("StringNormalizer", ["c"], ["d"]),
          onnxNode("Relu", ["d"], ["y"]),
        ],
      }),
    );
    expect(answer).toMatchObject({ ok: false, code: "ONNX_UNSUPPORTED_OP" });
    expect(!answer.ok && answer.unsupported.map(({ op, node }) => [op, node])).toEqual([
      ["NonMaxSuppression", "NonMaxSuppression_b"],
      ["StringNormalizer", "StringNormalizer_d"],
    ]);
    for (const { why } of answer.ok ? [] : answer.unsupported) expect(why).toMatch(/\.$/);
  });
  it("a custom domain, by its full name", () => {
    const bytes = onnxFile({ nodes: [{ ...onnxNode("Relu", ["x"], ["y"]) }] });
    // Field 7 of the node's message is its domain: put in by hand, since the writer never sets it.
    const withDomain = onnxFile({ nodes: [{ ...onnxNode("Relu", ["x"], ["y"]), name: "custom" }] });
    expect(codeOf(importOnnx(bytes))).toBe("read");
    const at = indexOf(withDomain, new TextEncoder().encode("custom"));
    // The name's own tag (field 3, text) becomes that of the domain (field 7, text).
    const changed = withDomain.slice();
    changed[at - 2] = (7 << 3) | 2;
    const answer = importOnnx(changed);
    expect(!answer.ok && answer.unsupported.map(({ op }) => op)).toEqual(["custom.Relu"]);
  });
  it("operator sets and file versions beyond those known", () => {
    const nodes = [onnxNode("Relu", ["x"], ["y"])];
    expect(codeOf(importOnnx(onnxFile({ nodes }, { opset: 99 })))).toBe("ONNX_UNSUPPORTED_OP");
    expect(codeOf(importOnnx(onnxFile({ nodes }, { opset: 3 })))).toBe("ONNX_UNSUPPORTED_OP");
    expect(codeOf(importOnnx(onnxFile({ nodes }, { irVersion: 99 })))).toBe("ONNX_VERSION");
  });
  it("circles, values from nowhere, values with two sources", () => {
    expect(codeOf(importOnnx(onnxFile({ nodes: [onnxNode("Add", ["x", "b"], ["a"]), onnxNode("Relu", ["a"], ["b"]), onnxNode("Relu", ["b"], ["y"])] })))).toBe("ONNX_GRAPH");
    expect(codeOf(importOnnx(onnxFile({ nodes: [onnxNode("Relu", ["nowhere"], ["y"])] })))).toBe("ONNX_GRAPH");
    expect(codeOf(importOnnx(onnxFile({ nodes: [onnxNode("Relu", ["x"], ["y"]), onnxNode("Tanh", ["x"], ["y"])] })))).toBe("ONNX_GRAPH");
    expect(codeOf(importOnnx(onnxFile({ nodes: [] })))).toBe("ONNX_GRAPH");
  });
  it("tensors that do not match their bytes, claim too much, or have too many axes", () => {
    const weight = (shape: number[], bytes: number) => [{ name: "w", dtype: "float32" as Dtype, shape, bytes: new Uint8Array(bytes) }];
    const nodes = [onnxNode("Add", ["x", "w"], ["y"])];
    expect(codeOf(importOnnx(onnxFile({ nodes, initializers: weight([4], 12) })))).toBe("ONNX_TENSOR_SIZE");
    expect(codeOf(importOnnx(onnxFile({ nodes, initializers: weight([2 ** 31 - 1, 2 ** 31 - 1], 4) })))).toBe("ONNX_TENSOR_SIZE");
    expect(codeOf(importOnnx(onnxFile({ nodes, initializers: weight([-4], 16) })))).toBe("ONNX_TENSOR_SIZE");
    expect(codeOf(importOnnx(onnxFile({ nodes, initializers: weight(Array<number>(ONNX_LIMITS.rank + 1).fill(1), 4) })))).toBe("ONNX_RANK");
  });
  it("a shape of a thousand million sizes, without taking the memory for it", () => {
    const initializers = [{ name: "s", dtype: "int64" as Dtype, shape: [1], bytes: new Uint8Array(BigInt64Array.of(10n ** 9n).buffer) }];
    const before = process.memoryUsage().heapUsed;
    const answer = importOnnx(onnxFile({ initializers, nodes: [onnxNode("ConstantOfShape", ["s"], ["c"]), onnxNode("Add", ["x", "c"], ["y"])] }));
    expect(codeOf(answer)).toBe("ONNX_TENSOR_SIZE");
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 2 ** 20);
  });
  it("a convolution whose dilations do not go with its kernel", () => {
    const initializers = [{ name: "w", dtype: "float32" as Dtype, shape: [2, 3, 3, 3], bytes: new Uint8Array(4 * 54) }];
    const image = { name: "x", dtype: "float32" as Dtype, shape: ["N", 3, 8, 8] };
    const attributes = [{ name: "dilations", value: { ints: [1] } }];
    expect(codeOf(importOnnx(onnxFile({ inputs: [image], initializers, nodes: [onnxNode("Conv", ["x", "w"], ["y"], attributes)] })))).toBe("ONNX_ATTRIBUTE");
  });
  it("graphs within graphs beyond the limit", () => {
    let inner: OnnxGraph = { name: "", nodes: [], initializers: [], inputs: [], outputs: [] };
    for (let i = 0; i < 10_000; i++) {
      inner = {
        name: "",
        initializers: [],
        inputs: [],
        outputs: [],
        nodes: [{ name: "", op: "If", inputs: [], outputs: [], attributes: [{ name: "then_branch", value: { graph: inner } }] }],
      };
      if (i === 40) break;
    }
    expect(codeOf(importOnnx(onnxFile({ nodes: inner.nodes })))).toBe("ONNX_DEPTH");
  });
  it("weights in another file", () => {
    // TensorProto.data_location = EXTERNAL (field 14), appended to the one initializer.
    const initializers = [{ name: "w", dtype: "float32" as Dtype, shape: [], bytes: new Uint8Array([0, 0, 0, 0]) }];
    const bytes = onnxFile({ initializers, nodes: [onnxNode("Add", ["x", "w"], ["y"])] });
    const raw = indexOf(bytes, new Uint8Array([(9 << 3) | 2, 4, 0, 0, 0, 0]));
    const changed = bytes.slice();
    // In place of the numbers, of the same length: location (14, varint) = 1, then an empty description (12).
    changed.set([(14 << 3) | 0, 1, (12 << 3) | 2, 0, (12 << 3) | 2, 0], raw);
    expect(codeOf(importOnnx(changed))).toBe("ONNX_EXTERNAL_DATA");
  });
  it("anything else that is not ONNX", () => {
    for (const bytes of [new Uint8Array(), new TextEncoder().encode("PK\u0003\u0004 a zip"), new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0]), new TextEncoder().encode("{}")])
      expect(codeOf(importOnnx(bytes))).toBe("ONNX_PARSE");
  });
});

describe("whatever the bytes, there is an answer", () => {
  it("cut off anywhere", () => {
    for (let length = 0; length < file.length; length += 97) {
      const answer = importOnnx(file.subarray(0, length));
      // A cut between two fields leaves a sound message without its end.
      if (answer.ok) expect(answer.from).toBe("operators");
      else expect(answer.message).toMatch(/\.$/);
    }
  });
  it("changed anywhere", () => {
    const small = onnxFile({
      initializers: [
        { name: "w", dtype: "float32", shape: [4, 4], bytes: new Uint8Array(64) },
        { name: "s", dtype: "int64", shape: [2], bytes: new Uint8Array(BigInt64Array.of(0n, -1n).buffer) },
      ],
      nodes: [
        onnxNode("MatMul", ["x", "w"], ["a"]),
        onnxNode("Shape", ["a"], ["t"]),
        onnxNode("Reshape", ["a", "s"], ["b"]),
        onnxNode("Softmax", ["b"], ["y"], [{ name: "axis", value: { int: 1 } }]),
      ],
    });
    expect(codeOf(importOnnx(small))).toBe("read");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const changed = small.slice();
        for (const [at, value] of changes) changed[at] = value;
        const answer = importOnnx(changed);
        return answer.ok || answer.message.length > 0;
      }),
      { numRuns: 3000, seed: 1 },
    );
  });
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let i = 0; i + part.length <= bytes.length; i++) if (part.every((byte, j) => bytes[i + j] === byte)) return i;
  throw new Error("The bytes are not there.");
}
