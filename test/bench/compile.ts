/**
 * What it costs to understand a graph: checking it, which infers every shape, and lowering it to a program; and what an edit costs
 * where the rest is remembered.
 *
 *     node test/bench/compile.ts [--repeats 41]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { checkGraph, hasErrors } from "../../core/graph/check.ts";
import type { Graph } from "../../core/graph/document.ts";
import { insertOnEdge, setParams } from "../../core/graph/edit.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { drawDeep } from "../core/graph/sketches.ts";

/** Milliseconds that are promised: for checking and lowering with nothing remembered, and for an edit. */
const PROMISED = { 200: { whole: 16 }, 2000: { whole: 100, edit: 8 } };

const { values: options } = parseArgs({ options: { repeats: { type: "string", default: "41" } }, strict: false });
const repeats = Number(options.repeats);

type Figure = { what: string; nodes: number; medianMs: number; bestMs: number; promisedMs: number };

function measure(what: string, graph: Graph, promisedMs: number, work: (turn: number) => () => void): Figure {
  const times = Array.from({ length: repeats }, (_, turn) => {
    const run = work(turn);
    const [start, used] = [performance.now(), process.cpuUsage()];
    run();
    const { user, system } = process.cpuUsage(used);
    // Where others work on the machine too, the clock counts them; where Node's own threads help, processor time counts twice.
    return Math.min(performance.now() - start, (user + system) / 1000);
  }).sort((a, b) => a - b);
  return { what, nodes: graph.nodes.length, medianMs: times[times.length >> 1] ?? Number.NaN, bestMs: times[0] ?? Number.NaN, promisedMs };
}

/** A residual network; its first check warms the code up and says that it is sound. */
function soundGraph(nodeCount: number): Graph {
  const graph = drawDeep(nodeCount);
  if (hasErrors(checkGraph(structuredClone(graph)))) throw new Error("The graph to measure has problems.");
  return graph;
}

const small = soundGraph(200);
// The limit of a graph is 2,000 nodes, and the network ends with a whole block.
const large = soundGraph(1990);
const figures: Figure[] = [];
for (const [graph, promised] of [
  [small, PROMISED[200].whole],
  [large, PROMISED[2000].whole],
] as const) {
  figures.push(
    measure("check, nothing remembered", graph, promised, () => {
      const fresh = structuredClone(graph);
      return () => checkGraph(fresh);
    }),
    measure("check and lower, nothing remembered", graph, promised, () => {
      const fresh = structuredClone(graph);
      return () => lowerModel(fresh);
    }),
  );
}

const convolutions = large.nodes.filter(({ type }) => type === "conv2d").map(({ id }) => id);
let edited = structuredClone(large);
checkGraph(edited);
const edit = (what: string, change: (graph: Graph, turn: number) => Graph) =>
  figures.push(
    measure(what, large, PROMISED[2000].edit, (turn) => {
      if (edited.nodes.length >= 2000) edited = structuredClone(large);
      checkGraph(edited);
      return () => {
        edited = change(edited, turn);
        if (checkGraph(edited).order.length !== edited.nodes.length) throw new Error("An edit left nodes unchecked.");
      };
    }),
  );
const some = (turn: number) => convolutions[(turn * 197) % convolutions.length] ?? "";
edit("edit of a parameter, and the check", (graph, turn) => setParams(graph, some(turn), { bias: turn % 2 === 0 }));
edit("a node put on a wire, and the check", (graph, turn) => {
  const wire = graph.edges.find(({ to }) => to.node === some(turn));
  return wire ? insertOnEdge(graph, wire.id, { type: "relu", params: {} }) : graph;
});

console.log(`Understanding a graph, Node ${process.version}, ${availableParallelism()} cores; median of ${repeats}\n`);
console.log("what                                    nodes    median      best   promised");
for (const { what, nodes, medianMs, bestMs, promisedMs } of figures) {
  const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(10);
  console.log(`${what.padEnd(38)}${String(nodes).padStart(7)}${ms(medianMs)}${ms(bestMs)}${ms(promisedMs)}${medianMs <= promisedMs ? "" : "  missed"}`);
}
console.log("");
for (const figure of figures) console.log(JSON.stringify(figure));
