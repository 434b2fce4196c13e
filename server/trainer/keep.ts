import { type Lease, readLease, renewLease } from "../agent/lease.ts";
import type { Database } from "../database/client.ts";

/** How often a trainer asks whether it is to stop, ms. */
const askEveryMs = 500;

export type Keeping = { stop(): void };

/**
 * Keeps a lease alive from the trainer itself, so that a run outlives its agent: renews it at once and three times in its length, asks twice a second
 * whether the person wants the run to stop. `onLost` is called once the database says that the lease is over; while the database does not
 * answer, nobody else can take it either.
 */
export function keepLease(db: Database, lease: Lease, leaseMs: number, on: { lost(): void; cancelRequested(): void }): Keeping {
  // It may have run out while the database was away and nobody kept it.
  let renewedAt = Number.NEGATIVE_INFINITY;
  let asking = false;
  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const due = performance.now() - renewedAt >= leaseMs / 3;
      const state = due ? await renewLease(db, lease, leaseMs) : await readLease(db, lease);
      if (state === null) on.lost();
      else if (state.cancelRequested) on.cancelRequested();
      if (due) renewedAt = performance.now();
    } catch {
      // The database is away; the next turn asks again.
    } finally {
      asking = false;
    }
  };
  void ask();
  const timer = setInterval(ask, Math.min(askEveryMs, leaseMs / 6));
  return { stop: () => clearInterval(timer) };
}
