import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../../core/export/safetensors.ts";
import { type Tensor, tensorOf } from "../../../core/export/tensor.ts";
import { writeZip } from "../../../core/export/zip.ts";
import { chain } from "../../../core/templates/sketch.ts";
import { loadWeights, readOnnxModel } from "../../../server/ingest/model.ts";
import { type FileStore, openFileStore } from "../../../server/storage/files.ts";
import { onnxFile, onnxNode } from "../../onnxFile.ts";

/** Files of weights and ONNX models that harm, lie or do not fit: rows 31 to 47 of the list of bad inputs. What the reading process does with them, without the process. */
let folder: string;
let files: FileStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-models-"));
  files = openFileStore(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const graph = chain([
  ["x", "input", { shape: [3] }],
  ["linear", "linear", { out_features: 2 }],
  ["y", "output"],
]);
const right = new Map<string, Tensor>([
  ["linear.weight", tensorOf("float32", [2, 3], [1, 2, 3, 4, 5, 6])],
  ["linear.bias", tensorOf("float32", [2], [7, 8])],
]);
const MiB = 2 ** 20;

async function weights(content: Uint8Array, { evenNonFinite = false } = {}) {
  await files.put("uploads/o/file", content);
  const [before, started] = [process.memoryUsage().rss, performance.now()];
  const answer = await loadWeights(files, "uploads/o/file", "weights/o.safetensors", JSON.stringify({ graph, evenNonFinite }));
  if (!answer.ok) {
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * MiB);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await files.inspect("weights/o.safetensors")).toBeNull();
    expect(answer.failure.message).toMatch(/[.!]$|model\.safetensors$/);
  }
  return answer;
}
const codeOf = async (content: Uint8Array) => {
  const answer = await weights(content);
  return answer.ok ? "read" : answer.failure.code;
};
const messageOf = async (content: Uint8Array) => {
  const answer = await weights(content);
  return answer.ok ? "read" : answer.failure.message;
};

function safetensors(header: string, dataBytes = 0, length = BigInt(Buffer.byteLength(header))): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(length);
  return new Uint8Array(Buffer.concat([head, Buffer.from(header), Buffer.alloc(dataBytes)]));
}
const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => `{"dtype":"F32","shape":[${shape}],"data_offsets":[${begin},${end}]}`;

describe("a file of weights", () => {
  it("31: whose header says it has 2^63 bytes", async () => expect(await codeOf(safetensors("{}", 0, 2n ** 63n))).toBe("ST_HEADER"));

  it("32: whose tensors overlap, leave a hole, or lie outside names the tensor", async () => {
    for (const header of [`{"a":${f32(0, 8)},"b":${f32(4, 12)}}`, `{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, `{"a":${f32(0, 4)},"b":${f32(4, 400)}}`]) {
      expect(await codeOf(safetensors(header, 12))).toBe("ST_OFFSETS");
      expect(await messageOf(safetensors(header, 12))).toContain('"b"');
    }
  });

  it("33: whose shape and bytes differ, or whose product overflows", async () => {
    expect(await codeOf(safetensors(`{"a":${f32(0, 4, [2])}}`, 4))).toBe("ST_SHAPE");
    expect(await codeOf(safetensors(`{"a":${f32(0, 0, [2 ** 32, 2 ** 32])}}`))).toBe("ST_SHAPE");
  });

  it("34: with a name twice, metadata that is no text, or a header that does not begin with {", async () => {
    for (const file of [
      safetensors(`{"a":${f32(0, 4)},"a":${f32(0, 4)}}`, 4),
      safetensors(`{"__metadata__":{"epoch":3}}`),
      safetensors(` {"a":${f32(0, 4)}}`, 4),
      safetensors("[1,2,3]"),
    ])
      expect(await codeOf(file)).toBe("ST_HEADER");
  });

  it("35: that belongs to another model gets the table of what is missing, left over and of another shape, and nothing is kept", async () => {
    const answer = await weights(
      writeSafetensors(
        new Map([
          ["linear.weight", tensorOf("float32", [2, 4], Array<number>(8).fill(1))],
          ["head.bias", tensorOf("float32", [1], [1])],
        ]),
      ),
    );
    expect(answer).toMatchObject({
      ok: true,
      rows: [
        { name: "linear.weight", status: "shape differs", found: { shape: [2, 4] } },
        { name: "linear.bias", status: "missing", found: null },
      ],
      unused: [{ name: "head.bias", shape: [1] }],
      weights: null,
    });
  });

  it("36: with NaN or infinite numbers is taken only once that was agreed to", async () => {
    const broken = writeSafetensors(new Map([...right, ["linear.bias", tensorOf("float32", [2], [Number.NaN, Number.POSITIVE_INFINITY])]]));
    const answer = await weights(broken);
    expect(answer).toMatchObject({ ok: false, failure: { code: "WEIGHTS_NONFINITE", message: expect.stringContaining("linear.bias holds 2 numbers that are NaN or infinite") } });
    expect(await weights(broken, { evenNonFinite: true })).toMatchObject({ ok: true, weights: { total: 2 } });
    await files.remove("weights/o.safetensors");
    expect(await weights(writeSafetensors(right))).toMatchObject({ ok: true });
    await files.remove("weights/o.safetensors");
  });

  it("37: that is pickled, whatever it is called, is never opened, and the refusal says how to convert it", async () => {
    const zipped = writeZip([["archive/data.pkl", new Uint8Array([0x80, 2, 0x2e])]]);
    const torchScript = writeZip([
      ["code/constants.pkl", new Uint8Array([0x80, 2, 0x2e])],
      ["version", new Uint8Array([0x33])],
    ]);
    for (const file of [zipped, torchScript, ...[2, 3, 4, 5].map((protocol) => new Uint8Array([0x80, protocol, 0x8a, 10, 0, 0, 0, 0, 0, 0]))]) {
      expect(await codeOf(file)).toBe("WEIGHTS_PICKLE");
      expect(await messageOf(file)).toMatch(/can run code.*never opened.*Convert it on your machine: python/);
    }
  });
});

async function read(content: Uint8Array) {
  await files.put("uploads/o/model", content);
  const [before, started] = [process.memoryUsage().rss, performance.now()];
  const answer = await readOnnxModel(files, "uploads/o/model", "weights/m.safetensors");
  if (!answer.ok) {
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MiB);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await files.inspect("weights/m.safetensors")).toBeNull();
  }
  return answer;
}
const onnxCode = async (content: Uint8Array) => {
  const answer = await read(content);
  return answer.ok ? "read" : answer.failure.code;
};

/** Protocol buffers by hand, for what our writer never writes. */
const field = (number: number, content: Uint8Array) => Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}
/** A file of one node that takes `x` and `w` and gives `y`. */
function byHand(op: string, domain = "", initializer = Buffer.alloc(0)): Uint8Array {
  const value = (name: string) =>
    Buffer.concat([field(1, Buffer.from(name)), field(2, field(1, Buffer.concat([Buffer.from([1 << 3, 1]), field(2, field(1, Buffer.from([1 << 3, 4])))])))]);
  const inputs = initializer.length > 0 ? ["x", "w"] : ["x"];
  const node = Buffer.concat([...inputs.map((name) => field(1, Buffer.from(name))), field(2, Buffer.from("y")), field(4, Buffer.from(op)), field(7, Buffer.from(domain))]);
  const inner = Buffer.concat([
    field(1, node),
    field(2, Buffer.from("g")),
    ...(initializer.length > 0 ? [field(5, initializer)] : []),
    field(11, value("x")),
    field(12, value("y")),
  ]);
  return new Uint8Array(Buffer.concat([Buffer.from([1 << 3, 10]), field(7, inner), field(8, Buffer.from([2 << 3, 21]))]));
}

/** One whose weights' bytes are told to lie in the file `location`. */
function withExternal(location: string): Uint8Array {
  const entry = (key: string, value: string) => field(13, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))]));
  return byHand(
    "Add",
    "",
    Buffer.concat([Buffer.from([1 << 3, 4, 2 << 3, 1]), field(8, Buffer.from("w")), entry("location", location), entry("offset", "0"), Buffer.from([14 << 3, 1])]),
  );
}

describe("an ONNX file", () => {
  it.each(["../../etc/passwd", "/etc/passwd", "weights.bin", "C:\\secrets.bin", ""])("39: whose weights lie in another file (%s), which is never looked for", async (location) => {
    expect(await onnxCode(withExternal(location))).toBe("ONNX_EXTERNAL_DATA");
  });

  it("40: with fewer bytes than its sizes say", async () =>
    expect(await onnxCode(onnxFile({ initializers: [{ name: "w", dtype: "float32", shape: [4], bytes: new Uint8Array(12) }], nodes: [onnxNode("Add", ["x", "w"], ["y"])] }))).toBe(
      "ONNX_TENSOR_SIZE",
    ));

  it("41: with operators, versions or domains that are not known lists all of them, by their nodes", async () => {
    const answer = await read(onnxFile({ nodes: [onnxNode("NonMaxSuppression", ["x"], ["a"]), onnxNode("Relu", ["a"], ["b"]), onnxNode("StringNormalizer", ["b"], ["y"])] }));
    expect(answer).toMatchObject({
      ok: false,
      failure: { code: "ONNX_UNSUPPORTED_OP" },
      unsupported: [
        { op: "NonMaxSuppression", node: "NonMaxSuppression_a" },
        { op: "StringNormalizer", node: "StringNormalizer_y" },
      ],
    });
    expect(await onnxCode(onnxFile({ nodes: [onnxNode("Relu", ["x"], ["y"])] }, { opset: 99 }))).toBe("ONNX_UNSUPPORTED_OP");
    expect(await read(byHand("Gelu", "com.example"))).toMatchObject({
      ok: false,
      failure: { code: "ONNX_UNSUPPORTED_OP", message: expect.stringContaining("com.example") },
      unsupported: [{ op: "com.example.Gelu" }],
    });
  });

  it("42: with graphs in graphs in graphs, 10,000 deep", async () => {
    // From the inside out: NodeProto { op_type, attribute { name, type GRAPH, g } } in a GraphProto.
    const before: Buffer[] = [];
    const after: Buffer[] = [];
    let length = 0;
    const wrap = (head: Buffer, tail = Buffer.alloc(0)) => {
      before.push(head);
      after.push(tail);
      length += head.length + tail.length;
    };
    const kind = field(4, Buffer.from("If"));
    const [name, type] = [field(1, Buffer.from("then_branch")), Buffer.from([160, 1, 5])];
    const open = (number: number) => Buffer.concat([Buffer.from([(number << 3) | 2]), varint(length)]);
    for (let depth = 0; depth < 10_000; depth++) {
      wrap(open(6), type);
      wrap(name);
      wrap(open(5));
      wrap(kind);
      wrap(open(1));
    }
    wrap(open(7), field(8, Buffer.from([2 << 3, 21])));
    const file = Buffer.concat([Buffer.from([1 << 3, 10]), ...before.reverse(), ...after]);
    const answer = await read(new Uint8Array(file));
    expect(answer).toMatchObject({ ok: false, failure: { code: "ONNX_DEPTH", message: expect.stringContaining("32") } });
  });

  it("43: with a shape of 10^9 sizes", async () => {
    const initializers = [{ name: "s", dtype: "int64" as const, shape: [1], bytes: new Uint8Array(BigInt64Array.of(10n ** 9n).buffer) }];
    const ones = {
      ...onnxNode("ConstantOfShape", ["s"], ["c"]),
      attributes: [{ name: "value", value: { tensor: { name: "", dtype: "int64" as const, shape: [1], bytes: new Uint8Array(8).fill(1, 0, 1) } } }],
    };
    for (const use of [onnxNode("Reshape", ["x", "c"], ["y"]), onnxNode("Expand", ["x", "c"], ["y"])])
      expect(await onnxCode(onnxFile({ initializers, nodes: [ones, use] }))).toBe("ONNX_RANK");
    // Numbers rather than sizes.
    expect(await onnxCode(onnxFile({ initializers, nodes: [onnxNode("ConstantOfShape", ["s"], ["c"]), onnxNode("Add", ["x", "c"], ["y"])] }))).toBe("ONNX_TENSOR_SIZE");
    expect(
      await onnxCode(
        onnxFile({ initializers: [{ name: "w", dtype: "float32", shape: Array<number>(1_000).fill(1), bytes: new Uint8Array(4) }], nodes: [onnxNode("Add", ["x", "w"], ["y"])] }),
      ),
    ).toBe("ONNX_RANK");
  });

  it("44: with a convolution whose dilations do not go with its kernel", async () => {
    const initializers = [{ name: "w", dtype: "float32" as const, shape: [2, 3, 3, 3], bytes: new Uint8Array(4 * 54) }];
    const inputs = [{ name: "x", dtype: "float32" as const, shape: ["N", 3, 8, 8] }];
    expect(await onnxCode(onnxFile({ inputs, initializers, nodes: [onnxNode("Conv", ["x", "w"], ["y"], [{ name: "dilations", value: { ints: [1] } }])] }))).toBe("ONNX_ATTRIBUTE");
  });

  it("45: with a circle, a value from nowhere, or a value of two sources", async () => {
    for (const nodes of [
      [onnxNode("Add", ["x", "b"], ["a"]), onnxNode("Relu", ["a"], ["b"]), onnxNode("Relu", ["b"], ["y"])],
      [onnxNode("Relu", ["nowhere"], ["y"])],
      [onnxNode("Relu", ["x"], ["y"]), onnxNode("Tanh", ["x"], ["y"])],
    ])
      expect(await onnxCode(onnxFile({ nodes }))).toBe("ONNX_GRAPH");
  });

  it("46: that is none (one of 600 MiB is refused unread: import.test.ts)", async () => {
    for (const bytes of [Buffer.from("PK\u0003\u0004 a zip"), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), Buffer.from("{}"), readFileSync("package.json")])
      expect(await onnxCode(new Uint8Array(bytes))).toBe("ONNX_PARSE");
  });

  it("47: that speaks HTML is text: what is taken of it is kept as it is, and nothing of ours writes text as HTML", async () => {
    const html = "<img src=x onerror=alert(1)>";
    const answer = await read(onnxFile({ name: html, nodes: [{ ...onnxNode("Relu", ["x"], ["y"]), name: html, doc: html }] }, { doc: html, producer: html }));
    if (!answer.ok) throw new Error(answer.failure.message);
    // Only names that our own rules allow come along, or the text unchanged: never a part of it that was read as markup.
    for (const found of JSON.stringify(answer.graph).match(/[^"]*onerror[^"]*/g) ?? []) expect(found).toContain(html);
  });
});
