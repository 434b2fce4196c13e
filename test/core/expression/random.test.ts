import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../native/specs.ts";
import { missingOracles } from "../../oracle.ts";
import { failuresOf, tryAll } from "../../property/checks.ts";
import { startPeer } from "../../property/peer.ts";
import { expressions } from "./draw.ts";
import { trialOf } from "./world.ts";

const COUNT = Number(process.env.EXPRESSION_CASES ?? 200);
const SEED = Number(process.env.EXPRESSION_SEED ?? 1);
const missing = missingOracles("torch", "numpy", "safetensors");

describe.skipIf(missing.length > 0)(`random expressions, seed ${SEED}${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  const folder = temporaryFolder();
  const peer = startPeer();
  afterAll(() => {
    peer.stop();
    folder.remove();
  });

  it(`${COUNT} of them come to the same numbers and gradients in the engine, PyTorch and ONNX Runtime`, async () => {
    const drawn = fc.sample(expressions(["x", "y", "p[:, None]", "s[:, :3]"], ["n[:, None]", "k[:, None]"]), { seed: SEED, numRuns: 2 * COUNT });
    // Not all that the grammar makes fits together.
    const reports = (await tryAll(drawn.map(trialOf), peer, folder.path)).map((report, i) => ({ report, text: drawn[i] ?? "" }));
    const accepted = reports.filter(({ report }) => report.accepted).slice(0, COUNT);
    expect(accepted).toHaveLength(COUNT);
    const wrong = accepted.flatMap(({ report, text }) => failuresOf(report).map((words) => `${text}\n→ ${words}`));
    expect(wrong.slice(0, 3).join("\n\n")).toBe("");
    expect(accepted.filter(({ report }) => report.accepted && report.outcomes.gradients === "held").length).toBeGreaterThan(COUNT / 2);
  }, 600_000);
});
