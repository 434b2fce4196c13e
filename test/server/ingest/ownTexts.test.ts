import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guessPlan, looksDelimited, type TablePlan } from "../../../core/data/table.ts";
import { decodeText } from "../../../core/data/text.ts";
import { prepareOwnTable } from "../../../server/ingest/ownTable.ts";
import { inspectTable } from "../../../server/ingest/tableFacts.ts";
import { inspectText } from "../../../server/ingest/textFacts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-texts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function inspect(text: string, name = "table.csv") {
  const file = join(folder, name);
  await writeFile(file, text);
  const facts = await inspectTable(file, name, {});
  return { file, facts, plan: guessPlan(facts.form, facts.columns) };
}

const lines = (count: number, make: (row: number) => string) => Array.from({ length: count }, (_, row) => make(row)).join("\n");
const reviews = `stars,review\n${lines(60, (row) => `${1 + (row % 5)},"the ${row % 2 ? "food" : "room"} number ${row} was, all in all, ${row % 5 > 2 ? "good" : "bad"}"`)}\n`;

describe("a table with a column of texts", () => {
  it.each([
    ["CSV", reviews, "table.csv"],
    ["TSV", reviews.replaceAll('"', "").replace(/^(\w+),/gm, "$1\t"), "table.tsv"],
    ["JSON lines", lines(60, (row) => JSON.stringify({ stars: row % 2, review: `one of ${row} texts with words` })), "table.jsonl"],
  ])("is taken for texts of classes, in %s", async (_, text, name) => {
    const { plan, facts } = await inspect(text, name);
    const at = facts.columns.findIndex((column) => column.name === "review");
    expect(plan).toMatchObject({ task: "text-classification", target: 1 - at, text: { column: at, tokenizer: { unit: "words" } } });
  });

  it("becomes rows of tokens with their lengths and classes; rows without a text or a class are left out and counted", async () => {
    const { file, plan } = await inspect(`${reviews}3,\nNA,"nobody knows what this text is about"\n`);
    const { text, classes, table, splits, task } = await prepareOwnTable(file, "table.csv", plan);
    expect([task, classes, table?.rowsLeftOut]).toEqual(["text-classification", ["1", "2", "3", "4", "5"], 2]);
    expect((splits.train.input.shape[0] ?? 0) + (splits.validation.input.shape[0] ?? 0)).toBe(60);
    const width = splits.train.input.shape[1] ?? 0;
    expect(text && decodeText(Array.from(splits.train.input.data.slice(0, width), Number), text)).toMatch(/^the (food|room) number .* was, all in all, (good|bad)$/);
    expect(splits.train.lengths?.shape).toEqual([splits.train.input.shape[0]]);
  });

  it("can be asked for a number, and read by letters and cut short", async () => {
    const { file, plan } = await inspect(reviews);
    const change: Partial<TablePlan> = {
      task: "text-regression",
      text: { column: 1, tokenizer: { unit: "characters", lowercase: true, vocabulary: 64 }, length: 20 },
      split: { how: "random", validationShare: 0.2, seed: 2, column: null },
    };
    const { text, classes, splits, task } = await prepareOwnTable(file, "table.csv", { ...plan, ...change });
    expect([task, classes, splits.train.target.dtype]).toEqual(["text-regression", [], "float32"]);
    expect(splits.train.input.shape[1]).toBe(20);
    // All that begin alike stand in one part.
    expect(text?.cut?.rows).toBe(60);
  });

  it("shows what a tokenizer makes of it before it is kept", async () => {
    const { file, facts, plan } = await inspect(reviews);
    if (!plan.text) throw new Error("There is a text.");
    const found = await inspectText(file, { of: "column", form: facts.form, text: { ...plan.text, length: 12 } });
    expect(found).toMatchObject({ texts: 60, unknownShare: 0, lengths: { middle: 11, most: 11, cut: 0 } });
    expect(found.first.slice(0, 4)).toEqual(["the", "room", "number", "0"]);
    expect(found.vocabulary.slice(0, 2)).toEqual([
      { token: ",", count: 120 },
      { token: "all", count: 120 },
    ]);
  });

  it("is split as a column says", async () => {
    const { file, plan } = await inspect(
      `part,stars,review\n${lines(60, (row) => `${row < 40 ? "train" : "val"},${row % 2},"review ${row} says that it was ${row % 2 ? "good" : "bad"}"`)}\n`,
    );
    const change: Partial<TablePlan> = { task: "text-classification", target: 1, split: { ...plan.split, how: "column", column: 0 } };
    const { splits } = await prepareOwnTable(file, "table.csv", { ...plan, ...change, text: plan.text && { ...plan.text, column: 2 } });
    expect([splits.train.input.shape[0], splits.validation.input.shape[0]]).toEqual([40, 20]);
  });

  it.each<[string, Partial<TablePlan>, RegExp]>([
    ["its text is what is predicted", { target: 1 }, /both the text and what is predicted/],
    ["no column is its text", { text: null }, /Choose the column that holds the texts/],
  ])("is refused where %s", async (_, change, message) => {
    const { file, plan } = await inspect(reviews);
    await expect(prepareOwnTable(file, "table.csv", { ...plan, ...change })).rejects.toMatchObject({ code: "TABLE_PLAN", message: expect.stringMatching(message) });
  });
});

describe("a text file", () => {
  it("is told from a table by its first lines", () => {
    expect(looksDelimited("a,b\n1,2\n3,4\n")).toBe(true);
    expect(looksDelimited("a\tb\n1\t2\n")).toBe(true);
    expect(looksDelimited('{"a":1}\n{"a":2}\n')).toBe(true);
    expect(looksDelimited("Call me Ishmael.\nSome years ago, never mind\n")).toBe(false);
    expect(looksDelimited("only one line")).toBe(false);
  });

  it("shows its vocabulary, learned from what is not held back", async () => {
    const file = join(folder, "book.txt");
    await writeFile(file, `${"the sea the sea\r\n".repeat(50)}${"a whale!\n".repeat(10)}`);
    const found = await inspectText(file, { of: "file", tokenizer: { unit: "words", lowercase: false, vocabulary: 64 }, validationShare: 0.1011 });
    expect(found.vocabulary).toEqual([
      { token: "sea", count: 100 },
      { token: "the", count: 100 },
    ]);
    expect(found.unknownShare).toBe(1);
    expect(found.texts).toBe(1);
  });
});
