import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../native/specs.ts";
import { missingOracles } from "../oracle.ts";
import { CHECKS, failuresOf, tryAll } from "./checks.ts";
import { drawGraph, type GraphCandidate, graphCandidates, layersIn } from "./graph.ts";
import { startPeer } from "./peer.ts";

/**
 * Whole graphs of 5 to 60 nodes drawn at random from all layers: what `checkGraph` accepts runs everywhere, with the same sizes,
 * numbers and gradients.
 *
 *     PROPERTY_GRAPHS=200 PROPERTY_SEED=7 npx vitest run test/property/graphs.test.ts
 */
const GRAPHS = Number(process.env.PROPERTY_GRAPHS ?? (process.env.TENSORLOOM_TEST === "full" ? 200 : 20));
const SEED = Number(process.env.PROPERTY_SEED ?? 1);
const CHUNK = 20;
/** Of so many failing graphs the smallest form is looked for. */
const SHRUNK = 5;

const folder = temporaryFolder();
const missing = missingOracles("torch", "numpy", "safetensors");
const peer = missing.length === 0 ? startPeer() : null;
afterAll(() => {
  peer?.stop();
  folder.remove();
});

it(
  `${GRAPHS} random graphs run alike in the engine, Python and ONNX Runtime, seed ${SEED}${missing.length > 0 ? ` (without Python: not installed: ${missing.join(", ")})` : ""}`,
  async () => {
    const drawn = fc.sample(graphCandidates, { seed: SEED, numRuns: GRAPHS });
    const counts = new Map<string, number>();
    const seen = new Set<string>();
    let nodes = 0;
    const failures: { at: number; words: string[] }[] = [];
    for (let first = 0; first < drawn.length; first += CHUNK) {
      const chunk = drawn.slice(first, first + CHUNK);
      for (const [i, report] of (await tryGraphs(chunk)).entries()) {
        const words = report.accepted ? failuresOf(report) : [`it is refused: ${report.problem}`];
        if (words.length > 0) failures.push({ at: first + i, words });
        const { graph } = drawGraph(chunk[i] as GraphCandidate);
        nodes += graph.nodes.length;
        for (const title of layersIn(graph)) seen.add(title);
        for (const check of CHECKS) if (report.accepted && report.outcomes[check] === "held") counts.set(check, 1 + (counts.get(check) ?? 0));
      }
    }
    console.log(
      `${GRAPHS} graphs, ${(nodes / GRAPHS).toFixed(1)} nodes on average, ${seen.size} kinds of layers; ${CHECKS.map((check) => `${check} ${counts.get(check) ?? 0}`).join(", ")}`,
    );
    if (failures.length > 0) {
      const smallest = [];
      for (const { at } of failures.slice(0, SHRUNK)) smallest.push(`${at}: ${await shrink(at)}`);
      throw new Error(
        `${failures.length} of ${GRAPHS} graphs fail, seed ${SEED}.\n${failures.map(({ at, words }) => `${at}: ${words.join("; ")}`).join("\n")}\n${smallest.join("\n")}`,
      );
    }
    expect(counts.get("shapes")).toBe(GRAPHS);
  },
  20 * 60_000,
);

function tryGraphs(chunk: readonly GraphCandidate[]) {
  return tryAll(
    chunk.map((candidate) => ({ ...drawGraph(candidate), bindings: candidate.bindings, seed: candidate.seed })),
    peer,
    folder.path,
  );
}

/** The smallest graph that fast-check finds from a failing one, and what is wrong with it. */
async function shrink(at: number): Promise<string> {
  const result = await fc.check(
    fc.asyncProperty(graphCandidates, async (candidate) => {
      const words = failuresOf((await tryGraphs([candidate]))[0]);
      if (words.length > 0) throw new Error(words.join("\n"));
    }),
    { seed: SEED, path: String(at), numRuns: 1, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: false },
  );
  const [candidate] = result.counterexample ?? [];
  if (!candidate) return "The graph did not fail again.";
  const { graph } = drawGraph(candidate);
  const lines = graph.nodes.map(
    ({ id, type, params }) =>
      `  ${id}: ${type} ${JSON.stringify(params)} of ${graph.edges
        .filter(({ to }) => to.node === id)
        .map(({ from, to }) => `${to.port} = ${from.node}.${from.port}`)
        .join(", ")}`,
  );
  return `${result.errorInstance instanceof Error ? result.errorInstance.message : ""}\nSmallest graph: ${JSON.stringify(candidate)}\n${lines.join("\n")}`;
}
