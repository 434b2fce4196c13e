import { type Lease, readLease, renewLease, type Wishes } from "../agent/lease.ts";
import type { Database } from "../database/client.ts";

/** How often a trainer asks what people want of its run, ms. */
const askEveryMs = 500;

export type Keeping = { stop(): void };

/**
 * Keeps a lease alive from the trainer itself, so that a run outlives its agent: renews it at once and three times in its length, asks twice a second
 * what people want of the run, and hands on what they said. `on.lost` is called once the database says that the lease is over; while the database does not
 * answer, nobody else can take it either.
 */
export function keepLease(db: Database, lease: Lease, leaseMs: number, on: { lost(): void; asked(wishes: Wishes): void }): Keeping {
  // It may have run out while the database was away and nobody kept it.
  let renewedAt = Number.NEGATIVE_INFINITY;
  let asking = false;
  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const due = performance.now() - renewedAt >= leaseMs / 3;
      const wishes = due ? await renewLease(db, lease, leaseMs) : await readLease(db, lease);
      if (wishes === null) on.lost();
      else on.asked(wishes);
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

/** Keeps a lease alive while work is done that hears no wishes. */
export async function whileKept<T>(db: Database, lease: Lease, leaseMs: number, lost: () => void, work: () => Promise<T>): Promise<T> {
  const keeping = keepLease(db, lease, leaseMs, { lost, asked: () => {} });
  try {
    return await work();
  } finally {
    keeping.stop();
  }
}
