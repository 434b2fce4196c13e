import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { checkGraph } from "../../core/graph/check.ts";
import type { Json } from "../../core/graph/document.ts";
import { layers } from "../../core/layers/index.ts";
import type { Layer } from "../../core/layers/kit.ts";
import type { Param } from "../../core/layers/params.ts";
import { temporaryFolder } from "../native/specs.ts";
import { missingOracles } from "../oracle.ts";
import { type Candidate, candidates, drawTrial } from "./candidate.ts";
import { CHECKS, type Check, failuresOf, requireRefusal, tryAll } from "./checks.ts";
import { type Coverage, coverageProblems, writeCoverage } from "./coverage.ts";
import { startPeer } from "./peer.ts";

/**
 * Every layer, over random parameters, sizes and dtypes: what `checkGraph` accepts runs in the engine, in Python's PyTorch and in
 * ONNX Runtime, with the inferred sizes, the same numbers and the same gradients; what it refuses runs nowhere.
 *
 *     PROPERTY_CASES=300 PROPERTY_SEED=7 npx vitest run test/property/layers.test.ts -t "Conv2d"
 */
const CASES = Number(process.env.PROPERTY_CASES ?? (process.env.TENSORLOOM_TEST === "full" ? 200 : 12));
const SEED = Number(process.env.PROPERTY_SEED ?? 1);
/** How many candidates are drawn for each case that is wanted: many are refused. */
const TRIES = 12;
/** So many cases go to Python at once. */
const CHUNK = 50;

const folder = temporaryFolder();
const missing = missingOracles("torch", "numpy", "safetensors");
const peer = missing.length === 0 ? startPeer() : null;
const coverage: Coverage = new Map();
afterAll(() => {
  peer?.stop();
  folder.remove();
});

describe(`every layer on ${CASES} random cases, seed ${SEED}${missing.length > 0 ? ` (without Python: not installed: ${missing.join(", ")})` : ""}`, () => {
  it.each(layers.map((layer) => [layer.title, layer] as const))(
    "%s",
    async (_, layer) => {
      const drawn = fc.sample(candidates(layer), { seed: SEED, numRuns: CASES * TRIES });
      const row = { type: layer.type, drawn: 0, accepted: 0, refused: 0, counts: new Map<Check, number>(), invalid: 0 };
      coverage.set(layer.title, row);
      const failures: { at: number; words: string[] }[] = [];
      const problems = new Map<string, number>();
      // What is there while training only has no program of its own.
      while (layer.boundary?.kind !== "target" && row.accepted < CASES && row.drawn < drawn.length) {
        // As many as are likely to be needed.
        const rate = row.drawn === 0 ? 0.7 : Math.max(0.05, row.accepted / row.drawn);
        const first = row.drawn;
        const chunk = drawn.slice(first, first + Math.min(CHUNK, Math.ceil((CASES - row.accepted) / rate)));
        for (const [i, report] of (await tryCandidates(layer, chunk)).entries()) {
          // More of the last chunk than were needed may be accepted.
          if (row.accepted === CASES) break;
          row.drawn++;
          if (!report.accepted) {
            row.refused++;
            problems.set(report.problem, 1 + (problems.get(report.problem) ?? 0));
            continue;
          }
          row.accepted++;
          for (const check of CHECKS) {
            const outcome = report.outcomes[check];
            if (outcome === "held") row.counts.set(check, 1 + (row.counts.get(check) ?? 0));
          }
          const words = failuresOf(report);
          if (words.length > 0) failures.push({ at: first + i, words });
        }
      }
      row.invalid = refuseInvalid(layer);
      const held = CHECKS.map((check) => `${check} ${row.counts.get(check) ?? 0}`).join(", ");
      console.log(`${layer.title}: ${row.accepted} accepted of ${row.drawn} drawn (${Math.round((100 * row.accepted) / Math.max(1, row.drawn))} %); ${held}`);
      if (process.env.PROPERTY_VERBOSE) for (const [problem, count] of [...problems].sort((a, b) => b[1] - a[1]).slice(0, 8)) console.log(`  ${count} × ${problem}`);
      const [worst] = failures;
      if (worst) throw new Error(`${failures.length} of ${row.accepted} cases fail, seed ${SEED}.\n${await shrink(layer, worst.at)}`);
    },
    20 * 60_000,
  );
});

it("every layer stands in the coverage table, with a reason wherever a check has no case", () => {
  if (process.env.UPDATE_DOCS) writeCoverage(coverage, CASES, SEED);
  expect(coverageProblems(coverage, peer !== null)).toEqual([]);
});

function tryCandidates(layer: Layer, chunk: readonly Candidate[]) {
  return tryAll(
    chunk.map((candidate) => ({ ...drawTrial(layer, candidate), bindings: candidate.batches, seed: candidate.seed })),
    peer,
    folder.path,
  );
}

/** The smallest candidate that fast-check finds from a failing one, and what is wrong with it. */
async function shrink(layer: Layer, at: number): Promise<string> {
  const result = await fc.check(
    fc.asyncProperty(candidates(layer), async (candidate) => {
      const words = failuresOf((await tryCandidates(layer, [candidate]))[0]);
      if (words.length > 0) throw new Error(words.join("\n"));
    }),
    { seed: SEED, path: String(at), numRuns: 1, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
  );
  const [candidate] = result.counterexample ?? [];
  if (!candidate) return "The case did not fail again.";
  const { graph, inputs } = drawTrial(layer, candidate);
  const { params } = graph.nodes.find(({ id }) => id === "node") ?? {};
  const error = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  return `${error}\nSmallest case: ${JSON.stringify(params)} on ${[...inputs].map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`).join(", ")}\n${JSON.stringify(candidate)}\nPath ${result.counterexamplePath}`;
}

/** Values that a parameter's schema does not take. */
function invalidValues(param: Param<unknown>): fc.Arbitrary<Json> {
  const { control } = param;
  const beyond =
    control.kind === "int" || control.kind === "float"
      ? [...(control.min === undefined ? [] : [control.min - 1, control.min - 1e-3, -1e300]), ...(control.max === undefined ? [] : [control.max + 1, control.max + 1e-3, 1e300])]
      : [];
  return fc
    .oneof(
      fc.constantFrom<Json>(
        Number.NaN,
        Infinity,
        -Infinity,
        null,
        "",
        "three",
        true,
        false,
        {},
        [],
        [[1]],
        [Number.NaN],
        ["x"],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        2 ** 31,
        2 ** 53,
        -(2 ** 53),
        0.5,
        -1,
        ...beyond,
      ),
      fc.integer(),
      fc.double(),
      fc.jsonValue({ maxDepth: 2 }).map((value) => value as Json),
      fc.string({ minLength: 201, maxLength: 210 }),
    )
    .filter((value) => !param.schema.safeParse(value).success);
}

/** Tries parameters that no schema takes: each is named by a problem, and nothing would run the graph. @return how many. */
function refuseInvalid(layer: Layer): number {
  const names = Object.keys(layer.params);
  if (names.length === 0) return 0;
  const arbitrary = fc.tuple(
    candidates(layer),
    fc.constantFrom(...names).chain((name) => fc.tuple(fc.constant(name), invalidValues(layer.params[name] as Param<unknown>))),
  );
  fc.assert(
    fc.property(arbitrary, ([candidate, [name, value]]) => {
      const trial = drawTrial(layer, { ...candidate, params: { ...candidate.params, [name]: value } });
      const problems = checkGraph(trial.graph).problems.filter(({ code, severity }) => code === "GRAPH_PARAM" && severity === "error");
      if (!problems.some(({ param }) => param === name)) throw new Error(`${name} ${JSON.stringify(value)} is not refused.`);
      requireRefusal(trial);
    }),
    { seed: SEED, numRuns: CASES },
  );
  return CASES;
}
