import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { evaluateExpression, readExpression } from "../../../core/expression/evaluate.ts";
import { parseSlice, planSlice } from "../../../core/expression/slice.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { run } from "../../../native/index.ts";
import { temporaryFolder } from "../../native/specs.ts";
import { missingOracles } from "../../oracle.ts";
import { failuresOf, tryAll } from "../../property/checks.ts";
import { startPeer } from "../../property/peer.ts";
import { askOracle, greatestDifference, trialOf, typeOf } from "./world.ts";

const bound = fc.option(fc.integer({ min: -6, max: 6 }), { nil: null });
const entry = fc.oneof(
  { arbitrary: fc.tuple(bound, bound, fc.option(fc.constantFrom(1, 2, 3, -1, -2, -3), { nil: null })), weight: 5 },
  { arbitrary: fc.integer({ min: -5, max: 5 }), weight: 2 },
  { arbitrary: fc.constantFrom("...", "None", ":"), weight: 2 },
);
/** Sizes that only run time knows are taken to be as large as a slice wants them. */
const BINDINGS = [
  { B: 7, T: 8 },
  { B: 9, T: 7 },
];
const slices = fc
  .array(entry, { minLength: 1, maxLength: 4 })
  .map((entries) => entries.map((one) => (typeof one !== "object" ? String(one) : `${one[0] ?? ""}:${one[1] ?? ""}${one[2] === null ? "" : `:${one[2]}`}`)).join(", "));

describe("the text of a slice", () => {
  it.each([
    [
      "[:, -1]",
      [
        { kind: "range", start: null, stop: null, step: 1 },
        { kind: "at", index: -1 },
      ],
    ],
    ["..., None, 1:-1:2", [{ kind: "rest" }, { kind: "new" }, { kind: "range", start: 1, stop: -1, step: 2 }]],
    [" [ 0 , ] ", [{ kind: "at", index: 0 }]],
    ["np.newaxis, ::-1", [{ kind: "new" }, { kind: "range", start: null, stop: null, step: -1 }]],
  ])("%s", (text, items) => {
    expect(parseSlice(text)).toEqual({ items });
  });

  it.each([
    ["[:, x]", 5, "“x” is no whole number"],
    ["[1, , 2]", 5, "Something must stand"],
    ["[1", 1, "is not closed"],
    ["1]", 2, "without its ["],
    ["::0", 1, "cannot be 0"],
    ["1:2:3:4", 1, "two colons"],
    ["..., ...", 6, "one … only"],
    ["", 1, "Something must stand"],
    ["1.5", 1, "no whole number"],
    ["99999999999", 1, "too large"],
  ])("%s is refused", (text, column, problem) => {
    expect(parseSlice(text)).toMatchObject({ column, problem: expect.stringContaining(problem) });
  });

  it("means the same alone and behind a name", () => {
    fc.assert(
      fc.property(slices, (text) => {
        const parsed = parseSlice(`[${text}]`);
        const read = readExpression(`s[${text}]`);
        if ("problem" in read) throw new Error(text);
        const behind = evaluateExpression(read.expression, { s: typeOf("s") });
        if ("problem" in parsed) {
          expect(behind).toMatchObject({ problem: { message: parsed.problem } });
          return;
        }
        const alone = planSlice(parsed.items, typeOf("s").shape);
        if ("problem" in alone) expect(behind).toMatchObject({ problem: { message: alone.problem } });
        else expect("problem" in behind ? behind : behind.outputs.y?.type.shape).toEqual(alone.shape);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

const missing = missingOracles("torch", "numpy", "safetensors");
describe.skipIf(missing.length > 0)(`random slices${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const folder = temporaryFolder();
  const peer = startPeer();
  afterAll(() => {
    peer.stop();
    folder.remove();
  });

  it("pick what NumPy picks, and are refused where NumPy picks nothing", async () => {
    const drawn = fc.sample(slices, { seed: 2, numRuns: 500 }).map((text, i) => `${["x", "s"][i % 2]}[${text}]`);
    const trials = drawn.map((text) => ({ ...trialOf(text), bindings: BINDINGS }));
    const reports = await tryAll(trials, peer, folder.path);
    const oracles = await askOracle(drawn.map((text, i) => ({ oracle: ["numpy", text], batches: BINDINGS.map((binding) => trials[i]?.draw(binding) ?? {}) })));
    let accepted = 0;
    for (const [i, report] of reports.entries()) {
      const text = drawn[i] ?? "";
      const [oracle, trial] = [oracles[i], trials[i]];
      if (!oracle || !trial) throw new Error("Every slice has its answers.");
      const isEmpty = "error" in oracle || oracle.some((batch) => batch.some(({ data }) => data.length === 0));
      if (!report.accepted) {
        expect(isEmpty, `${text}: ${report.problem}`).toBe(true);
        continue;
      }
      if (isEmpty) continue;
      const program = lowerModel(trial.graph);
      expect(failuresOf(report), text).toEqual([]);
      for (const [at, binding] of BINDINGS.entries()) {
        const ours = Object.values(await run({ program, weights: { seed: 1 }, inputs: trial.draw(binding) }))[0];
        expect([text, ours?.shape]).toEqual([text, oracle[at]?.[0]?.shape]);
        expect(greatestDifference(ours?.data ?? [], oracle[at]?.[0]?.data ?? []), text).toBe(0);
      }
      accepted++;
    }
    expect(accepted).toBeGreaterThan(100);
  }, 300_000);
});
