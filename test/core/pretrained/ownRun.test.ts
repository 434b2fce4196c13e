import { expect, it } from "vitest";
import { checkGraph } from "../../../core/graph/check.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { tuningAt } from "../../../core/graph/tuning.ts";
import { planOwnRun } from "../../../core/pretrained/ownRun.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { mnistManifest } from "../../server/world.ts";

const graph = findTemplate("lenet5")?.graph ?? emptyGraph;
const settings = { ...defaultSettings("image-classification", 60_000), datasetId: "digits" };
const digits = { graph, settings, data: mnistManifest };
const letters = { ...mnistManifest, classes: ["a", "b", "c"] };
const headOf = (plan: ReturnType<typeof planOwnRun>) => (plan.why === null ? plan.graph.nodes.find(({ name }) => name === "New head") : undefined);

it("a run goes on with a new last layer for other classes, which learns first, and the rest more slowly after it", () => {
  const plan = planOwnRun(digits, letters, "all");
  if (plan.why !== null) throw new Error(plan.why);
  const head = headOf(plan);
  expect(head?.params.out_features).toBe(3);
  // No layer of the run is called so: what it learned for ten digits is not put into three letters.
  expect(graph.nodes.some(({ id }) => id === head?.id)).toBe(false);
  const tunings = [...checkGraph(plan.graph).weights.keys()].map((path) => tuningAt(plan.graph, path));
  expect(tunings.filter(({ lrScale, fromEpoch }) => lrScale === 1 && fromEpoch === 0)).toHaveLength(1);
  expect(tunings.filter(({ lrScale, fromEpoch }) => lrScale === 0.1 && fromEpoch === 1)).toHaveLength(tunings.length - 1);
  expect(planOwnRun(digits, letters, "head")).toMatchObject({ why: null, isNewHead: true });
});

it("on the same classes the whole network goes on, more slowly", () => {
  const plan = planOwnRun(digits, { ...mnistManifest, source: "others" }, "all");
  expect(plan).toMatchObject({ why: null, isNewHead: false, settings: { lr: settings.lr * 0.3 } });
  expect(headOf(plan)).toBeUndefined();
});

it.each([
  ["pictures of another size", { splits: { ...letters.splits, train: { ...letters.splits.train, input: { ...letters.splits.train.input, shape: [3, 64, 64] } } } }],
  ["another task", { task: "tabular-classification" as const }],
  ["other columns", { columns: ["age"] }],
  ["texts", { text: { unit: "words" as const, lowercase: true, tokens: ["<pad>", "<unk>", "a"] } }],
])("a run that does not fit %s says why", (_, change) => {
  expect(planOwnRun(digits, { ...letters, ...change }, "all").why).toMatch(/\w{3}.*[.:]/);
});
