import { availableParallelism, loadavg } from "node:os";

/**
 * A promised time, in ms, as the machine under the tests can keep it: where more wants to run than there are cores for, it is longer by as much, and by
 * half of that again, since the load is a mean of the minute before.
 */
export function allowed(promisedMs: number): number {
  return promisedMs * Math.max(1, (1.5 * (loadavg()[0] ?? 0)) / availableParallelism());
}
