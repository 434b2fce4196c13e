import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readNpyHeader } from "../../core/data/npy.ts";
import { emptyGraph, type Graph } from "../../core/graph/document.ts";
import { lowerTypedTraining } from "../../core/program/lower.ts";
import { describeBreak } from "../../core/training/breakpoints.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { type Network, networks } from "./networks.ts";
import { pointsOf, specOf, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const [mlp] = networks as [Network];
const BATCH = 16;
const train = writeRows(folder.path, "train", mlp, 64, 1);
const width = mlp.input.shape.reduce((product, size) => product * size, 1);

/** x goes through a Breakpoint, and its logarithm, NaN for half of all numbers, through another that a Where hides from the loss. */
function graphWith(first: { [name: string]: string | number }): Graph {
  const nodes: [string, string, Graph["nodes"][number]["params"]][] = [
    ["x", "input", { shape: mlp.input.shape }],
    ["first", "breakpoint", first],
    ["log", "log", {}],
    ["hidden", "breakpoint", {}],
    ["masked", "expression", { expression: "where(x > 0, l, 0)" }],
    ["flat", "flatten", {}],
    ["fc", "linear", { out_features: mlp.classes }],
    ["y", "output", {}],
  ];
  const wires: [string, string, string][] = [
    ["x", "first", "x"],
    ["first", "log", "x"],
    ["log", "hidden", "x"],
    ["first", "masked", "x"],
    ["hidden", "masked", "l"],
    ["masked", "flat", "x"],
    ["flat", "fc", "x"],
    ["fc", "y", "x"],
  ];
  return {
    ...emptyGraph,
    nodes: nodes.map(([id, type, params]) => ({ id, type, params, at: { x: 0, y: 0 } })),
    edges: wires.map(([from, to, port]) => ({ id: `${from}-${to}`, from: { node: from, port: "y" }, to: { node: to, port } })),
  };
}

function specWith(graph: Graph, name: string, settings: Partial<TrainSpec> = {}): TrainSpec {
  const inside = join(folder.path, name);
  mkdirSync(inside, { recursive: true });
  const { program, metrics, breakpoints } = lowerTypedTraining(graph, { loss: findLoss("CrossEntropyLoss"), metrics: [] });
  return specOf({ graph }, { train }, { program, metrics, breakpoints, batchSize: BATCH, shuffle: false, epochs: 2, checkpoint: { folder: inside, everyMs: 0 }, ...settings });
}

const brokeIn = (events: RunEvent[]) => events.flatMap((event) => (event.type === "broke" ? [event] : []));
const lossesOf = (events: RunEvent[]) => pointsOf(events, "train/loss");

it("a breakpoint pauses after the step in which its condition begins to hold, says the batch's figures, and the rest is bit for bit as without it", async () => {
  const graph = graphWith({ figure: "max_abs", side: "above", limit: 0 });
  const paused = await trainAll(specWith(graph, "paused"));
  expect(paused.result).toMatchObject({ status: "cancelled", steps: 1 });

  const file = readFileSync(train.arrays.x?.file ?? "");
  const { offset } = readNpyHeader(file);
  const numbers = Array.from({ length: BATCH * width }, (_, i) => file.readFloatLE(offset + 4 * i));
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const [first, hidden, ...more] = brokeIn(paused.events);
  expect(more).toEqual([]);
  expect(first).toMatchObject({ step: 1, node: "first", figure: "max_abs", side: "above", limit: 0, notFinite: 0, min: Math.min(...numbers), max: Math.max(...numbers) });
  expect(first?.mean).toBeCloseTo(mean, 5);
  expect(first?.std).toBeCloseTo(Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length), 5);
  expect(hidden).toMatchObject({ step: 1, node: "hidden", figure: "not_finite", notFinite: numbers.filter((x) => x < 0).length, mean: null });
  expect(hidden && describeBreak(hidden, () => "Log")).toMatch(/^Breakpoint “Log”: numbers are no longer finite\. .* of them not finite\.$/);

  // Both still hold, so the rest is not interrupted.
  const rest = await trainAll(specWith(graph, "rest", { resumeFrom: paused.result.file }));
  expect([rest.result.status, brokeIn(rest.events)]).toEqual(["finished", []]);
  const { breakpoints: _, ...plain } = specWith(graph, "plain");
  const undisturbed = await trainAll(plain);
  expect([...lossesOf(paused.events), ...lossesOf(rest.events)]).toEqual(lossesOf(undisturbed.events));
});

it("a condition that never holds pauses nothing, and one that ceases and comes back pauses again", async () => {
  const never = await trainAll({
    ...specWith(graphWith({ figure: "max_abs", side: "above", limit: 1 }), "never"),
    breakpoints: specWith(graphWith({ figure: "max_abs", side: "above", limit: 1 }), "never").breakpoints?.slice(0, 1),
  });
  expect([never.result.status, brokeIn(never.events)]).toEqual(["finished", []]);

  // Some batches lie above the middle of all their means, some below.
  const means = pointsOf((await trainAll({ ...specWith(probed(), "probed"), breakpoints: [] })).events, "train/probe/x mean").map(([, value]) => value ?? 0);
  const limit =
    means
      .toSorted((a, b) => a - b)
      .slice(1, 3)
      .reduce((a, b) => a + b, 0) / 2;
  const begins = means.flatMap((mean, at) => (mean > limit && !((means[at - 1] ?? -Infinity) > limit) ? [at + 1] : []));
  const graph = graphWith({ figure: "mean", side: "above", limit });
  const steps: number[] = [];
  let resumeFrom: string | null = null;
  for (;;) {
    const spec = specWith(graph, `again-${steps.length}`, { resumeFrom });
    const { result, events } = await trainAll({ ...spec, breakpoints: spec.breakpoints?.filter(({ node }) => node === "first") ?? [] });
    steps.push(...brokeIn(events).map(({ step }) => step));
    if (result.status === "finished") break;
    resumeFrom = result.file;
  }
  expect(begins.length).toBeGreaterThan(1);
  expect(steps).toEqual(begins);
});

/** The same network with a Probe in the Breakpoint's place. */
function probed(): Graph {
  const graph = graphWith({});
  return { ...graph, nodes: graph.nodes.map((node) => (node.id === "first" ? { ...node, type: "probe", name: "x", params: { statistic: "mean" } } : node)) };
}
