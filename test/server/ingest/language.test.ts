import { describe, expect, it } from "vitest";
import { type LanguagePlan, pickToken, usualLanguagePlan } from "../../../core/data/language.ts";
import { decodeText, UNKNOWN } from "../../../core/data/text.ts";
import { readWindows } from "../../../server/datasets/rows.ts";
import { examineDataset } from "../../../server/ingest/health.ts";
import { cutText, piecesOf, prepareLanguage } from "../../../server/ingest/language.ts";
import { mobyDick } from "../../../server/ingest/mobyDick.ts";
import type { Column } from "../../../server/ingest/source.ts";
import { writeDataset } from "../../../server/ingest/write.ts";
import { readRows } from "../../../server/trainer/evaluation.ts";
import { temporaryFiles } from "../world.ts";

const plan = (part: Partial<LanguagePlan> = {}): LanguagePlan => ({ ...usualLanguagePlan, context: 8, validationShare: 0.25, ...part });
const lines = Array.from({ length: 40 }, (_, at) => `line ${at} of the text`).join("\n");

/** The tokens of one window. */
function windowOf({ data, window }: Column, row: number): number[] {
  if (!window) throw new Error("These rows are windows.");
  const first = window.first + row * window.stride;
  return Array.from(data.slice(first, first + window.length), Number);
}

describe("a text to be gone on with", () => {
  it("is windows of tokens and, one further on, what comes next; the end is held back and no window reaches into it", () => {
    const { text, splits } = prepareLanguage(lines, plan());
    if (!text) throw new Error("A text has a vocabulary.");
    const held = cutText(lines, 0.25).validation;
    const first = windowOf(splits.train.input, 0);
    expect(decodeText(first, text)).toBe(lines.slice(0, 8));
    expect(decodeText(windowOf(splits.train.target, 0), text)).toBe(lines.slice(1, 9));
    const known = lines.length - held.length;
    for (const column of [splits.train.input, splits.train.target]) {
      const { first: begin = 0, stride = 0, length = 0, rows = 0 } = column.window ?? {};
      expect(begin + (rows - 1) * stride + length).toBeLessThanOrEqual(known);
    }
    expect(splits.validation.input.window?.first).toBe(known);
    expect(decodeText(windowOf(splits.validation.input, 0), text)).toBe(held.slice(0, 8));
    // Cut at a line end, so that no word stands in both parts.
    expect(lines.slice(0, known).endsWith("\n")).toBe(true);
  });

  it("has the vocabulary of its training part alone", () => {
    const { text, splits } = prepareLanguage(`${"ab ".repeat(200)}${"xyz ".repeat(40)}`, plan());
    expect(text?.tokens).not.toContain("x");
    expect(windowOf(splits.validation.input, 8)).toContain(UNKNOWN);
  });

  it.each(["words", "bpe"] as const)("can be read by %s, and reads the same in pieces as whole", (unit) => {
    const { text, splits } = prepareLanguage(lines, plan({ tokenizer: { unit, lowercase: false, vocabulary: 64 } }));
    const { window, data } = splits.train.input;
    if (!text || !window) throw new Error("A text has a vocabulary and windows.");
    const read = decodeText(Array.from(data.slice(0, window.rows * window.stride), Number), text);
    if (unit === "bpe") expect(lines.startsWith(read)).toBe(true);
    else expect(read).toMatch(/^line 0 of the text line 1 of the text/);
    expect(text.charactersPerToken).toBeGreaterThan(1);
    expect([...piecesOf(lines.repeat(300))].join("")).toBe(lines.repeat(300));
  });

  it("is refused where a part is shorter than a window, with both lengths", () => {
    expect(() => prepareLanguage("short", plan())).toThrow(/part of the text is \d tokens long, but a window takes 9/);
  });

  it("keeps its tokens once, however many windows look at them, and rows are read and looked through where they lie", async () => {
    const files = temporaryFiles();
    const id = "00000000-0000-7000-8000-000000000021";
    const { manifest, sizeBytes } = await writeDataset(files, id, { ...prepareLanguage("abcdefghijklmnop".repeat(8), plan({ context: 16 })), source: "test", licence: "" });
    const { train, validation } = manifest.splits;
    expect(new Set([train.input, train.target, validation.input, validation.target].map(({ file }) => file)).size).toBe(1);
    expect(sizeBytes).toBe(128 * 8 + 128);
    const [row] = await readRows(files, id, train.target, train.rows, [1]);
    expect(manifest.text && decodeText(Array.from(new BigInt64Array(row?.buffer ?? new ArrayBuffer(0)), Number), manifest.text)).toBe("bcdefghijklmnopa");
    // Taken along, rows are written out.
    const parts: Uint8Array[] = [];
    for await (const part of readWindows(files.path(`datasets/${id}/${train.target.file}`), train.target, train.rows)) parts.push(part);
    const written = new Uint8Array(Buffer.concat(parts));
    expect(manifest.text && decodeText(Array.from(new BigInt64Array(written.buffer), Number), manifest.text)).toBe("bcdefghijklmnopa".repeat(train.rows));
    // The same sixteen letters again and again.
    const health = await examineDataset(files, id, manifest);
    expect(health.duplicates.map(({ where, count, contradictions }) => [where, count, contradictions])).toEqual([
      ["train", train.rows - 1, 0],
      ["across", validation.rows, 0],
    ]);
  });

  it("Moby Dick: 1.2 million letters, of which the last tenth is held back, 83 different ones with the reserved two", async () => {
    const { text, splits } = await mobyDick.prepare();
    expect(text?.tokens).toHaveLength(83);
    expect([splits.train.input.window?.rows, splits.validation.input.window?.rows]).toEqual([8_378, 927]);
    expect(text && decodeText(windowOf(splits.train.input, 0), text)).toMatch(/^CHAPTER 1\. Loomings\.\n\nCall me Ishmael\./);
  });
});

describe("what comes next", () => {
  it("is the likeliest at temperature 0, in proportion otherwise, and never padding or an unknown one", () => {
    expect(pickToken([9, 9, 1, 3, 2], 0, Math.random)).toBe(3);
    let state = 0;
    const evenly = () => (state = (state + 0.001) % 1);
    const drawn = Array.from({ length: 1_000 }, () => pickToken([99, 99, Math.log(1), Math.log(3)], 1, evenly));
    expect([...new Set(drawn)].sort()).toEqual([2, 3]);
    expect(drawn.filter((token) => token === 3).length / 1_000).toBeCloseTo(0.75, 2);
  });
});
