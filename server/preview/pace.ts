import { say } from "../../core/language/say.ts";
import { findPretrained } from "../../core/pretrained/index.ts";
import { backboneAlone, type PaceAnswer, type PaceOrder } from "../../core/preview/pace.ts";
import { lowerModel } from "../../core/program/lower.ts";
import { EngineError, info, run, type TensorData } from "../../native/index.ts";

/** Rows of one pass: enough that what a pass costs besides hardly counts. */
const ROWS = 2;

/** How fast the engine is on this machine in sending rows through a pretrained network: the quicker of two passes, after one that warms up. */
export async function measurePace({ networkId }: PaceOrder): Promise<PaceAnswer> {
  const network = findPretrained(networkId);
  if (!network) throw new EngineError({ code: "PROGRAM_INVALID", message: say("There is no such pretrained network.") });
  const { graph, shape, multiplyAdds } = backboneAlone(network);
  const program = lowerModel(graph);
  const inputs = { x: rowsOf(ROWS, shape, network.takes === "texts") };
  let least = Number.POSITIVE_INFINITY;
  // How fast it goes hangs on its sizes, not on what its weights are.
  for (let pass = 0; pass < 3; pass++) {
    const began = performance.now();
    await run({ program, weights: { seed: 1 }, inputs });
    if (pass > 0) least = Math.min(least, performance.now() - began);
  }
  return { perSecond: (ROWS * multiplyAdds * 1_000) / Math.max(0.01, least), engine: info().build };
}

function rowsOf(rows: number, shape: readonly number[], isTokens: boolean): TensorData {
  const count = shape.reduce((product, size) => product * size, rows);
  if (isTokens) return { dtype: "int64", shape: [rows, ...shape], data: BigInt64Array.from({ length: count }, (_, at) => BigInt(2 + (at % 1_000))) };
  return { dtype: "float32", shape: [rows, ...shape], data: Float32Array.from({ length: count }, (_, at) => (at % 255) / 255) };
}
