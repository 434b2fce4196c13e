import type { Lease } from "../agent/lease.ts";
import type { Log } from "../log.ts";

/** Exit codes of a trainer, as the agent logs them. */
export const exitCodes = { done: 0, broken: 1, leaseLost: 3, engineGivenUp: 4 } as const;

/** Another process owns the run now. Whatever this one still holds must not reach anything: end here. */
export function loseLease(log: Log, { runId, token }: Lease): never {
  log.warn({ runId, token }, "lease lost");
  process.exit(exitCodes.leaseLost);
}
