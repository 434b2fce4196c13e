import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ArraysFound } from "../../../core/data/arrays.ts";
import { type LanguagePlan, usualLanguagePlan } from "../../../core/data/language.ts";
import { guessPlan, type TablePlan } from "../../../core/data/table.ts";
import { TEXT_LIMITS } from "../../../core/data/text.ts";
import { writeZip } from "../../../core/export/zip.ts";
import { DatasetAnswer, runChild } from "../../../server/ingest/child.ts";
import { TableFacts } from "../../../server/ingest/tableFacts.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tensorloom-bad-"));
  mkdirSync(join(root, "uploads", "o"), { recursive: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const Refused = z.strictObject({ ok: z.literal(false), failure: z.strictObject({ code: z.string(), message: z.string() }) });
type Content = string | Uint8Array | ((file: string) => Promise<void>);

/** The answer of the limited process about a file: what is in it, then what becomes of it with the plan as guessed, but for `change`. */
async function read(content: Content, change: (plan: TablePlan) => void = () => {}, fileName = "table.csv") {
  const [key, datasetId] = [`uploads/o/${randomUUID()}`, randomUUID()];
  const file = join(root, key);
  if (typeof content === "function") await content(file);
  else await writeFile(file, content);
  const facts = await runChild(["table-facts", root, key, fileName], z.discriminatedUnion("ok", [TableFacts, Refused]), { input: "{}" });
  if (!facts.ok) return { code: facts.failure.code, message: facts.failure.message };
  const plan = guessPlan(facts.form, facts.columns);
  change(plan);
  const answer = await runChild(["table", root, key, fileName, datasetId], DatasetAnswer, { input: JSON.stringify(plan) });
  if (!answer.ok) {
    // Nothing half written stays.
    expect(existsSync(join(root, "datasets", datasetId))).toBe(false);
    return { code: answer.failure.code, message: answer.failure.message };
  }
  return { code: "ok", message: "", facts, manifest: answer.manifest };
}

const rows = (count: number, make: (row: number) => string) => Array.from({ length: count }, (_, row) => make(row)).join("\n");
/** A table that is right, to which each case does its harm. */
const good = `size,kind\n${rows(40, (row) => `${(row * 7) % 11}.5,${row % 2 ? "a" : "b"}`)}\n`;

/** The number is the one of the list of bad inputs. */
const refused: [number, string, Content, string, RegExp, ((plan: TablePlan) => void)?][] = [
  [15, "an image named .csv", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0), "TEXT_ENCODING", /^Byte 0 is not UTF-8/],
  [8, "an Excel file named .csv", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), "TABLE_TYPE", /Excel file.*Save the sheet as CSV/],
  [
    13,
    "one class only",
    `size,kind\n${rows(40, (row) => `${row % 7}.5,a`)}`,
    "DATASET_ONE_CLASS",
    /Every row has the same kind, "a"/,
    (plan) => Object.assign(plan, { target: 1, task: "tabular-classification" }),
  ],
  [13, "a header and nothing below", "size,kind\n", "DATASET_EMPTY", /no rows/],
  [13, "no byte at all", "", "DATASET_EMPTY", /no rows/],
  [21, "a row too long", `${good.split("\n").slice(0, 16).join("\n")}\n1,a,3,4,5\n2,b\n`, "CSV_RAGGED", /^Line 17 has 5 cells, the header 2/],
  [21, "a row too short", "a,b,c,d\n1,2,3,4\n1,2\n", "CSV_RAGGED", /^Line 3 has 2 cells, the header 4/],
  [22, "an unclosed quote", 'size,kind\n1,a\n2,"b\n3,a\n', "CSV_QUOTE", /^Line 3, column 2: the quote that opens here is never closed/],
  [
    22,
    "an unclosed quote before 300 MB",
    async (file) => {
      const handle = await open(file, "w");
      await handle.write('size,kind\n1,a\n2,"b\n');
      const block = Buffer.alloc(1 << 20, "x");
      for (let at = 0; at < 300; at++) await handle.write(block);
      await handle.close();
    },
    "CSV_FIELD_TOO_LONG",
    /^Line 3, column 2: the cell is longer than 1 MiB.*quote opens on line 3/,
  ],
  [22, "text behind a closing quote", 'size,kind\n1,"a"b\n', "CSV_QUOTE", /^Line 2, column 2/],
  [23, "Latin-1", Buffer.from("size,kind\n1,caf\u00e9\n2,b\n", "latin1"), "TEXT_ENCODING", /^Byte 15 is not UTF-8 text\. Save/],
  [23, "UTF-16 without a mark", Buffer.from("size,kind\n1,a\n", "utf16le"), "TEXT_ENCODING", /^Byte 1 is not UTF-8/],
  [23, "UTF-8 that ends within a character", Buffer.from("size,kind\n1,a\u20ac").subarray(0, 15), "TEXT_ENCODING", /^Byte 13 /],
  [
    25,
    "cells that are no numbers, without a rule",
    good.replace("7.5,a", "NaN,a").replace("3.5,b", '"1,5",b'),
    "MISSING_RULE",
    /^Column "size" has 2 cells without a usable value, the first on line 3\. Choose/,
  ],
  [
    26,
    "50,000 classes",
    `size,kind\n${rows(50_000, (row) => `${row % 9}.5,c${row}`)}`,
    "DATASET_TOO_MANY_CLASSES",
    /"kind" has more than 1,000 classes/,
    (plan) => Object.assign(plan, { target: 1, task: "tabular-classification" }),
  ],
  [22, "5,000 columns", `${rows(5_000, (at) => `c${at}`).replaceAll("\n", ",")}\n`, "CSV_COLUMNS", /more than 4,096 columns/],
  [21, "JSON that is nested", '{"a":1,"b":2}\n{"a":[1],"b":2}\n', "JSONL_NESTED", /^Line 2: "a" holds a list/],
  [21, "JSON that is broken", '{"a":1,"b":2}\n{"a":1,\n', "JSONL_LINE", /^Line 2 is not JSON/],
  [21, "JSON 100,000 deep", `{"a":1}\n{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}\n`, "JSONL_(NESTED|LINE)", /^Line 2/],
];

describe("a table that cannot be read is refused with what, where, the limit and what to do", () => {
  it.each(refused)("%i: %s", async (_, __, content, code, message, change) => {
    const answer = await read(content, change);
    expect(answer.code).toMatch(new RegExp(`^${code}$`));
    expect(answer.message).toMatch(message);
  });
});

const usual = { ...usualLanguagePlan, context: 16 };
const refusedTexts: [number, string, Content, string, RegExp, LanguagePlan?][] = [
  [23, "Latin-1", Buffer.from("caf\u00e9 ".repeat(200), "latin1"), "TEXT_ENCODING", /^Byte 3 is not UTF-8 text\. Save/],
  [23, "UTF-16 without a mark", Buffer.from("a long text ".repeat(50), "utf16le"), "TEXT_ENCODING", /^Byte 1 is not UTF-8/],
  [23, "bytes of 0 in it", Buffer.from(`${"good text ".repeat(50)}\0 and more`), "TEXT_ENCODING", /^Byte 500 is not UTF-8/],
  [15, "an image named .txt", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0), "TEXT_ENCODING", /^Byte 0 is not UTF-8/],
  [8, "an archive named .txt", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0), "TABLE_TYPE", /a zip archive/],
  [13, "no byte at all", "", "DATASET_EMPTY", /holds no text/],
  [13, "nothing but spaces", " \n\t ".repeat(500), "DATASET_EMPTY", /holds no text/],
  [13, "a text shorter than a window", "too short", "DATASET_EMPTY", /part of the text is \d tokens long, but a window takes 17/],
  [13, "a window longer than what is held back", "word ".repeat(40), "DATASET_EMPTY", /The validation part of the text is 16 tokens long/],
  [22, "a text beyond the limit", (file) => writeFile(file, Buffer.alloc(TEXT_LIMITS.characters + 10, "a ")), "TEXT_TOO_LARGE", /more than 32,000,000 characters, the limit/],
];

describe("a text that cannot be read is refused with what, where, the limit and what to do", () => {
  it.each(refusedTexts)("%i: %s", async (_, __, content, code, message, plan = usual) => {
    const [key, datasetId] = [`uploads/o/${randomUUID()}`, randomUUID()];
    if (typeof content === "function") await content(join(root, key));
    else await writeFile(join(root, key), content);
    const answer = await runChild(["text", root, key, "book.txt", datasetId], DatasetAnswer, { input: JSON.stringify(plan) });
    expect(answer).toMatchObject({ ok: false, failure: { code, message: expect.stringMatching(message) } });
    expect(existsSync(join(root, "datasets", datasetId))).toBe(false);
    await rm(join(root, key));
  });

  it("23: with a mark it is read, CRLF as one line end, and signs beyond the first plane stay whole", async () => {
    const [key, datasetId] = [`uploads/o/${randomUUID()}`, randomUUID()];
    await writeFile(join(root, key), Buffer.from(`\uFEFF${"\u{1F600} gr\u00f6\u00dfer\r\n".repeat(60)}`, "utf16le"));
    const answer = await runChild(["text", root, key, "book.txt", datasetId], DatasetAnswer, { input: JSON.stringify(usual) });
    if (!answer.ok) throw new Error(answer.failure.message);
    expect(answer.manifest.text?.tokens.slice(2)).toEqual(["\n", " ", "e", "g", "r", "\u00df", "\u00f6", "\u{1F600}"]);
  });
});

/** The bytes of a .npy whose header says this, with as many bytes of numbers behind. */
function npy(header: string, dataBytes = 0, claimedBytes?: number): Buffer {
  const text = `${header.padEnd(117)}\n`;
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, claimedBytes === undefined ? 1 : 2, 0]);
  const length = Buffer.alloc(claimedBytes === undefined ? 2 : 4);
  if (claimedBytes === undefined) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(claimedBytes);
  return Buffer.concat([head, length, Buffer.from(text, "latin1"), Buffer.alloc(dataBytes)]);
}
const header = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': (${shape}), }`;

const refusedArrays: [number, string, Uint8Array, string, RegExp][] = [
  [27, "128 bytes that claim 32 GiB", npy(header("'<f8'", "65536, 65536")), "NPY_SIZE", /needs 34,359,738,368 bytes, file holds 0\. Save/],
  [27, "an array that is cut off", npy(header("'<f4'", "10, 3"), 119), "NPY_SIZE", /needs 120 bytes, file holds 119/],
  [27, "an array with more behind it", npy(header("'<f4'", "10, 3"), 121), "NPY_SIZE", /needs 120 bytes, file holds 121/],
  [27, "the same in an .npz", Buffer.from(writeZip([["x.npy", npy(header("'<f8'", "65536, 65536"))]])), "NPY_SIZE", /^"x": .*needs 34,359,738,368 bytes, file holds 0/],
  [28, "a header of 4 GB", npy(header("'<f8'", "1, 1"), 8, 0xffff_ffff), "NPY_HEADER", /claims 4294967295 bytes; the limit is 10000/],
  [28, "an axis of 2^64", npy(header("'<f8'", "18446744073709551616, 1"), 8), "NPY_HEADER", /claims an axis of 18446744073709552000/],
  [28, "axes whose product is 2^80", npy(header("'<f8'", "1099511627776, 1099511627776"), 8), "NPY_HEADER", /more numbers than can be counted/],
  [28, "a negative axis", npy(header("'<f8'", "-1, 8"), 8), "NPY_HEADER", /claims an axis of -1/],
  [28, "40 axes", npy(header("'<f8'", `${"1, ".repeat(39)}1`), 8), "NPY_HEADER", /has 40 axes; the limit is 32/],
  [29, "objects", npy(header("'|O'", "2, 2"), 32), "NPY_DTYPE", /contains pickled Python objects; refused/],
  [29, "a structure", npy(header("[('a', '<f8'), ('b', '|O')]", "2,"), 32), "NPY_DTYPE", /is structured/],
  [29, "big-endian numbers", npy(header("'>f8'", "2, 2"), 32), "NPY_DTYPE", /is big-endian \('>f8'\); save it with \.astype\('<f8'\)/],
  [29, "complex numbers", npy(header("'<c16'", "2, 1"), 32), "NPY_DTYPE", /type is '<c16'/],
  [30, "code in the header", npy("__import__('os').system('touch /tmp/npy-was-evaluated')"), "NPY_HEADER", /not the dictionary/],
  [30, "code as a value", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (open('/tmp/npy-was-evaluated', 'w'),), }"), "NPY_HEADER", /not the dictionary/],
  [30, "a header that is cut off", npy(header("'<f8'", "1, 1")).subarray(0, 40), "NPY_HEADER", /cut off/],
  [15, "an image named .npy", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0), "ARRAY_TYPE", /neither a \.npy nor a \.npz/],
  [37, "a pickle among the arrays", Buffer.from(writeZip([["model.pkl", Buffer.from([0x80, 4, 0x95])]])), "NPY_HEADER", /"model\.pkl"; an \.npz holds \.npy arrays alone/],
];

describe("NumPy arrays that cannot be read are refused before a number of theirs is", () => {
  it.each(refusedArrays)("%i: %s", async (_, __, content, code, message) => {
    const key = `uploads/o/${randomUUID()}`;
    await writeFile(join(root, key), content);
    const found = await runChild(["array-facts", root, key], z.discriminatedUnion("ok", [ArraysFound, Refused]));
    expect(found).toMatchObject({ ok: false, failure: { code, message: expect.stringMatching(message) } });
    expect(existsSync("/tmp/npy-was-evaluated")).toBe(false);
  });
});

describe("a table that only looks bad is read as it is", () => {
  it("20: formulas are texts", async () => {
    const answer = await read(`size,kind\n${rows(40, (row) => `${row % 7}.5,${row % 2 ? '"=HYPERLINK(""http://x"",""y"")"' : "@b"}`)}`);
    expect(answer.manifest?.classes).toEqual(['=HYPERLINK("http://x","y")', "@b"]);
  });

  it.each([
    ["UTF-8 with a mark", "\uFEFF", "utf8"],
    ["UTF-16 with a mark", "\uFEFF", "utf16le"],
  ] as const)("23: %s", async (_, mark, encoding) => {
    const answer = await read(
      Buffer.from(`${mark}gr\u00f6\u00dfe,kind\r\n${rows(400, (row) => `${row % 7}.5,${row % 2 ? "\u{1F600}" : "\u4e2d"}`).replaceAll("\n", "\r\n")}`, encoding),
    );
    expect(answer.manifest?.columns).toEqual(["gr\u00f6\u00dfe"]);
    expect(answer.manifest?.classes).toEqual(["\u4e2d", "\u{1F600}"]);
  });

  it.each([
    ["CSV", `__proto__,constructor,,x,x,toString\n${rows(40, (row) => `${row % 7}.5,${row % 5}.5,${row % 3}.5,${row % 4}.5,${row % 6}.5,${row % 2 ? "a" : "b"}`)}`],
    [
      "JSON lines",
      rows(40, (row) => `{"__proto__":${row % 7}.5,"constructor":${row % 5}.5,"column 3":${row % 3}.5,"x":${row % 4}.5,"x (2)":${row % 6}.5,"toString":"${row % 2 ? "a" : "b"}"}`),
    ],
  ])("24: names that JavaScript has a meaning for, empty and equal ones: %s", async (_, text) => {
    const answer = await read(text);
    expect(answer.manifest?.columns).toEqual(["__proto__", "constructor", "column 3", "x", "x (2)"]);
    expect(answer.manifest?.targetName).toBe("toString");
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("25: NaN, inf, 1e999, 1,5 and nothing are counted, and stand for the median where that was chosen", async () => {
    const odd = ["NaN", "inf", "1e999", '"1,5"', ""];
    const text = `size,kind\n${rows(200, (row) => `${odd[row] ?? `${row % 7}.5`},${row % 2 ? "a" : "b"}`)}`;
    const answer = await read(text, (plan) => Object.assign(plan.columns[0] ?? {}, { missing: "median" }));
    expect(answer.facts?.columns[0]).toMatchObject({ missing: 2, filled: 198, numbers: 195, odd: { line: 3, text: "inf" } });
    expect(answer.manifest?.table?.missing).toEqual([{ column: "size", cells: 5, rule: "median" }]);
    expect(answer.manifest?.preprocess.mean[0]).toBeGreaterThan(3);
  });

  it("leaves no other file behind", async () => {
    for (const id of await readdir(join(root, "datasets"))) expect((await readdir(join(root, "datasets", id))).every((name) => name.endsWith(".npy"))).toBe(true);
  });
});
