import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guessKind, guessPlan, type TablePlan } from "../../../core/data/table.ts";
import { prepareOwnTable } from "../../../server/ingest/ownTable.ts";
import { inspectTable } from "../../../server/ingest/tableFacts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-table-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function inspect(text: string, name = "table.csv") {
  const file = join(folder, name);
  await writeFile(file, text);
  return { file, facts: await inspectTable(file, name, {}) };
}

const colours = ["red", "red", "red", "red", "red", "green", "green", "green", "blue", "violet"];
/** 500 rows: numbers with gaps, colours of which two are rare, a number that counts the rows, dates, remarks, and a class. */
const table = `id,size,colour,day,remark,class\n${Array.from({ length: 500 }, (_, row) => {
  const size = row % 25 === 3 ? "NA" : ((row * 37) % 101) / 4;
  const colour = row % 50 === 7 ? "" : colours[row % 10];
  return `${row + 1},${size},${colour},2024-0${(row % 9) + 1}-10,remark ${row} of many,${row % 4 === 0 ? "no" : "yes"}`;
}).join("\n")}\n`;

function withRules(plan: TablePlan, rules: { [name: string]: Partial<TablePlan["columns"][number]> }): TablePlan {
  return { ...plan, columns: plan.columns.map((column) => ({ ...column, ...rules[column.name] })) };
}

describe("what a table is taken for", () => {
  it("each column's kind, the target, the task and the split", async () => {
    const { facts } = await inspect(table);
    expect(Object.fromEntries(facts.columns.map((column) => [column.name, guessKind(column).kind]))).toEqual({
      id: "ignore",
      size: "number",
      colour: "category",
      day: "ignore",
      remark: "ignore",
      class: "category",
    });
    expect(facts.columns.map(({ missing }) => missing)).toEqual([0, 20, 10, 0, 0, 0]);
    expect(guessPlan(facts.form, facts.columns)).toMatchObject({ target: 5, task: "tabular-classification", split: { how: "stratified", validationShare: 0.2, seed: 1 } });
  });

  it.each([
    ["semicolons", "a;b;c\n1;2,5;x\n2;3,5;y\n", { delimiter: ";", header: true }],
    ["tabs", "a\tb\n1\t2\n", { delimiter: "\t", header: true }],
    ["no names", "1,2\n3,4\n", { delimiter: ",", header: false }],
    ["commas within quotes", '"a;1";"b,c,d,e"\n1;2\n', { delimiter: ";", header: true }],
    ["JSON lines", '{"a":1}\n{"a":2,"b":"x"}\n', { format: "json-lines" }],
  ])("%s", async (_, text, form) => {
    expect((await inspect(text)).facts.form).toMatchObject(form);
  });

  it("a measured last column is predicted as a number", async () => {
    const { facts } = await inspect(`x,y\n${Array.from({ length: 60 }, (_, row) => `${(row * 7) % 13},${row / 7}`).join("\n")}\n`);
    expect(guessPlan(facts.form, facts.columns)).toMatchObject({ target: 1, task: "tabular-regression", split: { how: "random" } });
  });
});

describe("a table as planned", () => {
  async function prepare(change: (plan: TablePlan) => TablePlan = (plan) => plan) {
    const { file, facts } = await inspect(table);
    const plan = withRules(guessPlan(facts.form, facts.columns), { size: { missing: "median" }, colour: { missing: "own-category" } });
    return prepareOwnTable(file, "table.csv", change(plan));
  }

  it("has numbers, then one-hot columns of the frequent categories, the rest joined", async () => {
    const { columns, splits, classes } = await prepare((plan) => ({ ...plan, categories: 2 }));
    expect(columns).toEqual(["size", "colour=green", "colour=red", "colour=(other)", "colour=(missing)"]);
    expect(classes).toEqual(["no", "yes"]);
    const { input, more } = splits.train;
    for (let row = 0; row < 400; row++) {
      const oneHot = Array.from(input.data.slice(row * 5 + 1, row * 5 + 5), Number);
      expect(oneHot.reduce((sum, one) => sum + one, 0)).toBe(1);
      expect(Number(more?.categories?.data[row])).toBe(oneHot.indexOf(1));
    }
  });

  it("is standardised, and its gaps filled, by the training rows alone", async () => {
    const { preprocess, splits } = await prepare();
    const width = splits.train.input.shape[1] ?? 0;
    const sizes = Array.from({ length: splits.train.input.shape[0] ?? 0 }, (_, row) => Number(splits.train.input.data[row * width]));
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(preprocess.mean[0]).toBeCloseTo(mean, 6);
    expect(preprocess.std[0]).toBeCloseTo(Math.sqrt(sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length), 6);
    expect(preprocess.mean.slice(1).every((value) => value === 0) && preprocess.std.slice(1).every((value) => value === 1)).toBe(true);

    // Validation rows that are all the same and far away leave what was learned from the training rows as it was.
    const validationSizes = Array.from({ length: splits.validation.input.shape[0] ?? 0 }, (_, row) => Number(splits.validation.input.data[row * width]));
    expect([...sizes, ...validationSizes].every(Number.isFinite)).toBe(true);
    const fill = [...new Set(sizes)].find((size) => sizes.filter((one) => one === size).length > 12);
    const own = sizes.filter((size) => size !== fill).sort((a, b) => a - b);
    expect(Math.abs((fill ?? Number.NaN) - (own[own.length >> 1] ?? 0))).toBeLessThan(0.6);
  });

  it("keeps the share of each class, and is the same for the same seed only", async () => {
    const first = await prepare();
    const counts = (data: ArrayLike<number | bigint>) => [0, 1].map((one) => Array.from(data, Number).filter((value) => value === one).length);
    expect(counts(first.splits.validation.target.data)).toEqual([25, 75]);
    expect((await prepare()).splits.train.input.data).toEqual(first.splits.train.input.data);
    const other = await prepare((plan) => ({ ...plan, split: { ...plan.split, seed: 2 } }));
    expect(other.splits.train.input.data).not.toEqual(first.splits.train.input.data);
    const half = await prepare((plan) => ({ ...plan, split: { ...plan.split, how: "random", validationShare: 0.5 } }));
    expect(half.splits.validation.input.shape[0]).toBe(250);
  });

  it("leaves rows out where that is the rule, and says how many", async () => {
    const { splits, table: said, source } = await prepare((plan) => withRules(plan, { size: { missing: "leave-out" }, colour: { missing: "most-frequent" } }));
    expect((splits.train.input.shape[0] ?? 0) + (splits.validation.input.shape[0] ?? 0)).toBe(480);
    expect(said).toMatchObject({
      rowsLeftOut: 20,
      missing: [
        { column: "size", cells: 20 },
        { column: "colour", cells: 10 },
      ],
    });
    expect(source).toContain("of which 20");
  });

  it("holds the latest rows back where it is split by time, all of one time in one part", async () => {
    const { splits, preprocess } = await prepare((plan) => ({
      ...withRules(plan, { day: { kind: "date" }, size: { kind: "ignore" }, colour: { kind: "ignore" } }),
      split: { ...plan.split, how: "time", column: 3 },
    }));
    const [known, held] = [splits.train, splits.validation].map(({ input }) => Array.from(input.data, Number));
    expect(Math.max(...(known ?? []))).toBeLessThan(Math.min(...(held ?? [])));
    // Nine days, of which the last two make a fifth.
    expect(held?.length).toBe(110);
    expect(preprocess.mean[0]).toBeLessThan(Math.min(...(held ?? [])));
  });

  it("is split as a column says, which is not learned from", async () => {
    const rows = Array.from({ length: 100 }, (_, row) => `${row},${(row * 7) % 10 < 3 ? "test" : "train"},${row % 2 ? "a" : "b"}`);
    const { file, facts } = await inspect(`x,part,kind\n${rows.join("\n")}\n`);
    const plan = guessPlan(facts.form, facts.columns);
    const by = (part: Partial<TablePlan["split"]>) =>
      prepareOwnTable(file, "table.csv", {
        ...plan,
        columns: plan.columns.map((column, at) => (at === 0 ? { ...column, kind: "number" } : column)),
        split: { ...plan.split, ...part },
      });
    const { splits, columns } = await by({ how: "column", column: 1 });
    expect([splits.train.input.shape[0], splits.validation.input.shape[0], columns]).toEqual([70, 30, ["x"]]);
    await expect(by({ how: "column", column: 0 })).rejects.toMatchObject({ code: "SPLIT_COLUMN", message: expect.stringMatching(/puts every row into the training part/) });
    await expect(by({ how: "column", column: null })).rejects.toMatchObject({ code: "TABLE_PLAN" });
    await expect(by({ how: "time", column: 1 })).rejects.toMatchObject({ code: "SPLIT_COLUMN", message: expect.stringMatching(/^Line 2: "(test|train)" in column "part"/) });
  });

  it("reads dates as days", async () => {
    const { columns, splits } = await prepare((plan) => withRules(plan, { day: { kind: "date" }, size: { kind: "ignore" }, colour: { kind: "ignore" } }));
    expect(columns).toEqual(["day"]);
    const days = [...new Set(Array.from(splits.train.input.data, Number))].sort((a, b) => a - b);
    expect(days).toHaveLength(9);
    expect(days[0]).toBe(Date.UTC(2024, 0, 10) / 86_400_000);
  });

  it("predicts a measured value as it is", async () => {
    const { task, classes, splits } = await prepare((plan) => ({ ...plan, target: 1, task: "tabular-regression", split: { ...plan.split, how: "random" } }));
    expect([task, classes]).toEqual(["tabular-regression", []]);
    expect(splits.train.target.shape).toEqual([384, 1]);
    expect(Math.max(...Array.from(splits.train.target.data, Number))).toBeLessThanOrEqual(25);
  });
});
