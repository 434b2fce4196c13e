import { describe, expect, it } from "vitest";
import type { Manifest } from "../../../core/data/manifest.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import type { Graph, Json } from "../../../core/graph/document.ts";
import { applyFix } from "../../../core/graph/edit.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { sketch } from "../../../core/templates/sketch.ts";

const array = (dtype: "int64" | "float32", shape: number[]) => ({ file: "", dtype, shape, sha256: "" });
const names: Manifest = {
  task: "text-classification",
  preprocess: { dtype: "int64", scale: 1, mean: [0], std: [1] },
  classes: ["female", "male"],
  columns: [],
  targetName: "list",
  text: { unit: "characters", lowercase: true, tokens: ["<pad>", "<unk>", "a", "b"] },
  splits: {
    train: { rows: 8, input: array("int64", [15]), lengths: array("int64", []), target: array("int64", []), classCounts: [4, 4] },
    validation: { rows: 2, input: array("int64", [15]), lengths: array("int64", []), target: array("int64", []), classCounts: [1, 1] },
  },
  source: "",
  licence: "",
};
const { text, ...plain } = names;
const { lengths, ...train } = names.splits.train;
const table: Manifest = { ...plain, task: "tabular-classification", splits: { train: { ...train, input: array("float32", [15]) }, validation: names.splits.validation } };

type Input = [id: string, params: { [name: string]: Json }, name?: string];

/** Inputs side by side, the first of which the output gives back. */
function withInputs(...inputs: Input[]): Graph {
  const s = sketch();
  for (const [column, [id, params, name]] of inputs.entries()) s.put(name === undefined ? [id, "input", params] : [id, "input", params, name], { column, row: 0 });
  s.put(["y", "output"], { column: 0, row: 1 }, { x: inputs[0]?.[0] ?? "x" });
  return s.graph();
}

const problemsOf = (graph: Graph, data: Manifest) => checkGraph(graph, { data }).problems.filter(({ code }) => code === "GRAPH_DATA");
const letters: Input = ["x", { shape: ["T"], dtype: "int64" }];

describe("the arrays of a data set", () => {
  it.each([
    ["of sequences go into an Input of any length", names, [letters]],
    ["of sequences go into an Input of their greatest length", names, [["x", { shape: [15], dtype: "int64" }]]],
    ["of sequences are fed with their lengths", names, [letters, ["n", { shape: [], dtype: "int64" }, "lengths"]]],
    ["of a table go in as they are", table, [["x", { shape: [15] }]]],
  ] satisfies [string, Manifest, Input[]][])("%s", (_, data, inputs) => {
    expect(problemsOf(withInputs(...inputs), data)).toEqual([]);
  });

  it.each([
    ["x", names, [["x", { shape: [1, 28, 28] }]], "The data set's samples are sequences of up to 15 steps, [T], but Input takes [1, 28, 28]."],
    ["x", names, [["x", { shape: ["T"] }]], "The data set's samples are token numbers, int64, but Input takes float32."],
    ["n", names, [letters, ["n", { shape: ["T"], dtype: "int64" }, "lengths"]], "Input “lengths” is fed one number for each sample, [B], but takes [B, T]."],
    ["n", names, [letters, ["n", { shape: [] }, "lengths"]], "Input “lengths” is fed whole numbers, int64, but takes float32."],
    [
      "n",
      table,
      [
        ["x", { shape: [15] }],
        ["n", { shape: [], dtype: "int64" }, "lengths"],
      ],
      "The data set's samples are all of one size, so it gives nothing to the Input “lengths”.",
    ],
    [
      "c",
      { ...table, splits: { ...table.splits, train: { ...table.splits.train, more: { categories: array("int64", [2]) } } } },
      [
        ["x", { shape: [15] }],
        ["c", { shape: [3] }, "categories"],
      ],
      "Input “categories” is fed int64 [2] but takes float32 [3].",
    ],
    ["x", table, [["x", { shape: [4] }]], "The data set's samples are [15] but Input takes [4]."],
  ] satisfies [string, Manifest, Input[], string][])("say what does not fit, and mend it (%s)", (node, data, inputs, message) => {
    let graph = withInputs(...inputs);
    expect(problemsOf(graph, data)).toMatchObject([{ node, message }]);
    for (let round = 0; round < 3; round++) {
      const [problem] = problemsOf(graph, data);
      const fix = problem?.fixes[0];
      if (problem && fix) graph = applyFix(graph, problem, fix);
    }
    expect(problemsOf(graph, data)).toEqual([]);
  });

  it("say that a second input is fed nothing, and how it could be", () => {
    expect(problemsOf(withInputs(letters, ["n", { shape: [], dtype: "int64" }, "count"]), names)).toMatchObject([
      {
        node: "n",
        message: "The data set gives one input without a name of its own, and the model has 2: nothing is fed to “count”.",
        hint: "Remove it, or name it lengths to be fed the length of each sample.",
      },
    ]);
  });

  it("fit the canvas that is begun on them", () => {
    for (const data of [names, table]) expect(problemsOf(taskNamed(data.task).starter(data), data)).toEqual([]);
  });
});
