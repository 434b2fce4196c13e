import { inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { writeNpz } from "../../../core/export/npz.ts";
import { type Tensor, tensorOf } from "../../../core/export/tensor.ts";
import { writeZip } from "../../../core/export/zip.ts";
import { matchWeights, readWeightsFile, WeightsFileError } from "../../../core/import/weights.ts";
import type { Program } from "../../../core/program/program.ts";
import { missingOracles, runPython } from "../../oracle.ts";

const inflate = (packed: Uint8Array, sizeBytes: number) => inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytes) });
const tensors = new Map<string, Tensor>([
  ["conv.weight", tensorOf("float32", [2, 1, 3], [1, -2, 3.5, 0, 5, 6])],
  ["bn.num_batches_tracked", tensorOf("int64", [], [7])],
  ["mask", tensorOf("bool", [3], [1, 0, 1])],
  ["empty", tensorOf("float32", [0, 4], [])],
]);

const program = (weights: [name: string, shape: number[]][]): Pick<Program, "weights"> => ({
  weights: weights.map(([name, shape], value) => ({ value, name, shape, dtype: "float32", init: { kind: "constant", value: 0 }, trainable: true, node: "n" })),
});

function codeOf(file: Uint8Array): string {
  try {
    readWeightsFile(file, inflate);
    return "read";
  } catch (error) {
    return error instanceof WeightsFileError ? error.code : String(error);
  }
}

const missing = missingOracles("numpy");
describe(".npz", () => {
  it("comes back as it went out, the same bytes each time", () => {
    const file = writeNpz(tensors);
    expect(writeNpz(tensors)).toEqual(file);
    expect(readWeightsFile(file, inflate)).toEqual(tensors);
  });
  it.skipIf(missing.length > 0)(
    `is read by NumPy, and NumPy's own is read, stored and deflated, other types and Fortran order included${missing.length > 0 ? " (not installed: numpy)" : ""}`,
    async () => {
      const script = `
import base64, io, json, sys
import numpy as np
ours = np.load(io.BytesIO(base64.b64decode(json.load(sys.stdin))), allow_pickle=False)
said = {name: [str(ours[name].dtype), list(ours[name].shape), ours[name].astype(float).ravel().tolist()] for name in ours.files}
arrays = {"half": np.array([[1.5, -2], [3, 4]], dtype=np.float16), "double": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)), "small": np.array([-3, 4], dtype=np.int8), "w.long": np.random.default_rng(0).integers(0, 2**30, 300000).astype(np.float32)}
stored, packed, pickled = io.BytesIO(), io.BytesIO(), io.BytesIO()
np.savez(stored, **arrays); np.savez_compressed(packed, **arrays); np.savez(pickled, a=np.array([{"a": 1}], dtype=object))
print(json.dumps({"said": said, "stored": base64.b64encode(stored.getvalue()).decode(), "packed": base64.b64encode(packed.getvalue()).decode(), "pickled": base64.b64encode(pickled.getvalue()).decode()}))
`;
      const answer = (await runPython(script, Buffer.from(writeNpz(tensors)).toString("base64"))) as { said: unknown; stored: string; packed: string; pickled: string };
      expect(answer.said).toEqual({
        "conv.weight": ["float32", [2, 1, 3], [1, -2, 3.5, 0, 5, 6]],
        "bn.num_batches_tracked": ["int64", [], [7]],
        mask: ["bool", [3], [1, 0, 1]],
        empty: ["float32", [0, 4], []],
      });
      for (const text of [answer.stored, answer.packed]) {
        const read = readWeightsFile(new Uint8Array(Buffer.from(text, "base64")), inflate);
        expect(read.get("half")).toEqual(tensorOf("float32", [2, 2], [1.5, -2, 3, 4]));
        expect(read.get("double")).toEqual(tensorOf("float32", [2, 3], [0, 1, 2, 3, 4, 5]));
        expect(read.get("small")).toEqual(tensorOf("int64", [2], [-3, 4]));
        expect(read.get("w.long")?.data).toHaveLength(300_000);
      }
      expect(codeOf(new Uint8Array(Buffer.from(answer.pickled, "base64")))).toBe("NPY_DTYPE");
    },
  );
  it("is refused where it is cut off, changed, encrypted, too tightly packed, or holds something else", () => {
    const file = writeNpz(tensors);
    expect(codeOf(file.subarray(0, file.length - 30))).toBe("ARCHIVE_TRUNCATED");
    const changed = file.slice();
    const numbers = changed.findIndex((_, i) => changed[i] === 0x60 && changed[i + 1] === 0x40);
    changed[numbers] = 0x61;
    expect(codeOf(changed)).toBe("ARCHIVE_FORMAT");
    const directory = new DataView(file.buffer).getUint32(file.length - 6, true);
    const encrypted = file.slice();
    encrypted[directory + 8] = 1;
    expect(codeOf(encrypted)).toBe("ARCHIVE_ENCRYPTED");
    const bomb = file.slice();
    new DataView(bomb.buffer).setUint32(directory + 24, 2 ** 31, true);
    expect(codeOf(bomb)).toBe("ARCHIVE_RATIO");
    expect(codeOf(writeZip([["readme.txt", new Uint8Array(3)]]))).toBe("NPY_HEADER");
  });
});

describe("weights are matched by name", () => {
  const asked = program([
    ["features.0.weight", [2]],
    ["head.weight", [3]],
  ]);
  const named = (...names: [string, number[]][]) =>
    new Map(names.map(([name, shape]) => [name, tensorOf("float32", shape, Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1))]));
  const statuses = (file: ReadonlyMap<string, Tensor>) => matchWeights(asked, file).rows.map(({ status }) => status);

  it("as they are, behind a prefix, or without the prefix that the graph has", () => {
    expect(statuses(named(["features.0.weight", [2]], ["head.weight", [3]]))).toEqual(["matched", "matched"]);
    const behind = matchWeights(asked, named(["module.model.features.0.weight", [2]], ["module.model.head.weight", [3]], ["optimizer.step", []]));
    expect([behind.prefix, behind.rows.map(({ status }) => status), behind.unused]).toEqual([
      { remove: "module.model." },
      ["matched", "matched"],
      [{ name: "optimizer.step", shape: [] }],
    ]);
    const inBlock = program([["net.features.0.weight", [2]]]);
    expect(matchWeights(inBlock, named(["features.0.weight", [2]]))).toMatchObject({
      prefix: { add: "net." },
      rows: [{ status: "matched", found: { name: "features.0.weight" } }],
    });
  });
  it("where parts of lists are written another way", () => {
    expect(statuses(named(["features_0.weight", [2]], ["head.weight", [3]]))).toEqual(["matched", "matched"]);
  });
  it("and say what differs and what is missing", () => {
    expect(statuses(named(["features.0.weight", [4]]))).toEqual(["shape differs", "missing"]);
  });
});
