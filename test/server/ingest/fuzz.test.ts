import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { encodeNpy } from "../../../core/data/npy.ts";
import { writeNpz } from "../../../core/export/npz.ts";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { writeSafetensors } from "../../../core/export/safetensors.ts";
import { type Tensor, tensorOf } from "../../../core/export/tensor.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { importOnnx } from "../../../core/import/onnx.ts";
import { importPyTorch } from "../../../core/import/pytorch.ts";
import { readWeightsFile, WeightsFileError } from "../../../core/import/weights.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { inspectArrays } from "../../../server/ingest/arrayFacts.ts";
import { decodePicture } from "../../../server/ingest/decode.ts";
import { readImageHeader } from "../../../server/ingest/imageHeader.ts";
import { inspectPictures } from "../../../server/ingest/pictureFacts.ts";
import { IngestError } from "../../../server/ingest/source.ts";
import { inspectTable } from "../../../server/ingest/tableFacts.ts";
import { inspectText } from "../../../server/ingest/textFacts.ts";
import { makeCase } from "../../parity/cases.ts";
import { writeZip } from "./zip.ts";

/**
 * A corpus for each parser of people's files, replayed: sound files, and those with bits turned, pieces cut out, doubled, exchanged, and numbers put
 * where sizes stand. Each is read, or refused in our own words: no other error, and none takes its time. The corpus is drawn from the seed in its name, so a
 * failure is found again; `FUZZ_MS` (ten minutes in the nightly run) goes on from seed to seed for so long for each parser.
 */
const folder = mkdtempSync(join(tmpdir(), "tensorloom-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const LONGEST_MS = 5_000;
const goOnMs = Number(process.env.FUZZ_MS ?? 0);

const inflate = (packed: Uint8Array, sizeBytes: number) => inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytes) });
const tensors = new Map<string, Tensor>([
  ["conv.weight", tensorOf("float32", [2, 1, 3], [1, -2, 3.5, 0, 5, 6])],
  ["bn.count", tensorOf("int64", [], [7])],
]);
const small = findTemplate("mlp")?.graph ?? emptyGraph;
const onFile = (read: (file: string) => Promise<unknown>) => async (bytes: Uint8Array) => {
  const file = join(folder, "file");
  writeFileSync(file, bytes);
  await read(file);
};
const pixels = Buffer.from(Array.from({ length: 16 * 12 * 3 }, (_, at) => (at * 7) % 256));
const picture = () => sharp(pixels, { raw: { width: 16, height: 12, channels: 3 } });
const text = (content: string) => new Uint8Array(Buffer.from(content));

type Parser = { seeds: () => Promise<Uint8Array[]> | Uint8Array[]; read: (bytes: Uint8Array) => unknown; count: number };
const parsers: Record<string, Parser> = {
  "safetensors and .npz": { seeds: () => [writeSafetensors(tensors), writeNpz(tensors)], read: (bytes) => readWeightsFile(bytes, inflate), count: 1000 },
  ONNX: { seeds: () => [exportOnnx(small, makeCase("fuzz", small, []).weights).slice(0, 4000)], read: (bytes) => void importOnnx(bytes), count: 250 },
  ".npy and archives of arrays": {
    seeds: () => [encodeNpy("float32", [3, 2], new Float32Array(6)), new Uint8Array(writeNpz(tensors))],
    read: onFile((file) => inspectArrays(file)),
    count: 150,
  },
  "tables (CSV, JSON lines)": {
    seeds: () => [text(`size,kind\n${'1.5,a\n2,"b""c"\n'.repeat(8)}`), text('{"a":1,"b":"x"}\n{"a":2,"b":null}\n'.repeat(4)), text("a;b\r\n1;2\r\n3;4\r\n")],
    read: onFile((file) => inspectTable(file, "table.csv", {})),
    count: 90,
  },
  texts: {
    seeds: () => [text("It was a dark and stormy night; the rain fell in torrents. ".repeat(20)), text("\ufeffnä\u200b ".repeat(50))],
    read: onFile((file) => inspectText(file, { of: "file", tokenizer: { unit: "characters", lowercase: false, vocabulary: 64 }, validationShare: 0.1 })),
    count: 60,
  },
  "zip archives of pictures": {
    seeds: async () => {
      const png = await picture().png().toBuffer();
      return [new Uint8Array(writeZip([0, 1, 2, 3].map((at) => ({ name: `set/${at % 2 ? "cat" : "dog"}/${at}.png`, data: png, deflate: at > 1 }))))];
    },
    read: onFile((file) => inspectPictures(file)),
    count: 100,
  },
  "PNG and JPEG": {
    seeds: async () => [new Uint8Array(await picture().png().toBuffer()), new Uint8Array(await picture().jpeg().toBuffer())],
    async read(bytes) {
      const buffer = Buffer.from(bytes);
      const header = readImageHeader(buffer, "picture.png");
      if (header !== null) await decodePicture(buffer, "picture.png", { size: 8, fit: "pad", colour: "rgb" });
    },
    count: 250,
  },
  "PyTorch code": { seeds: () => [text(exportPyTorch(small))], read: (bytes) => void importPyTorch(Buffer.from(bytes).toString("utf8")), count: 120 },
};

/** Numbers that repeat (mulberry32): equal seeds are equal files on every machine. */
function draw(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const edges = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x27, 0x2c, 0x0a, 0x0d, 0x5b, 0x7b];

function harm(sound: Uint8Array, seed: number): Uint8Array {
  const next = draw(seed);
  let bytes = Buffer.from(sound);
  for (let left = 1 + next(4); left > 0 && bytes.length > 0; left--) {
    const at = next(bytes.length);
    const length = 1 + next(Math.min(64, bytes.length - at));
    switch (next(7)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << next(8));
        break;
      case 1:
        bytes[at] = edges[next(edges.length)] ?? 0;
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at, at + length), bytes.subarray(at + length)]);
        break;
      case 5:
        // A size that is far too large, or negative where it is read so.
        for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = next(2) ? 0xff : 0x7f;
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(Array.from({ length }, () => next(256))), bytes.subarray(at)]);
    }
    bytes = Buffer.from(bytes);
  }
  return new Uint8Array(bytes);
}

describe("whatever a file holds, its parser reads it or refuses it in words", () => {
  test.each(Object.entries(parsers))("%s", { timeout: 60_000 + 20 * goOnMs }, async (name, { seeds, read, count }) => {
    const sound = await seeds();
    // The sound ones are read: a parser that refuses everything would pass the rest.
    for (const bytes of sound.slice(0, 1)) await read(bytes);
    const until = performance.now() + goOnMs;
    let refused = 0;
    for (let seed = 0; seed < count || performance.now() < until; seed++) {
      const bytes = harm(sound[seed % sound.length] as Uint8Array, seed);
      const started = performance.now();
      try {
        await read(bytes);
      } catch (error) {
        if (!(error instanceof IngestError || error instanceof WeightsFileError)) throw new Error(`Seed ${seed}: ${error}`, { cause: error });
        expect([seed, error.code, error.message]).toEqual([seed, expect.stringMatching(/^[A-Z_]+$/), expect.stringMatching(/\S.*[.?!]|python/)]);
        refused++;
      }
      expect([seed, performance.now() - started < LONGEST_MS]).toEqual([seed, true]);
    }
    if (!/ONNX|PyTorch|text/.test(name)) expect(refused).toBeGreaterThan(count / 20);
  });
});
