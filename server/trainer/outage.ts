import { AppError, sqlState } from "../errors.ts";

/** Refused because a later lease exists: the code that the database's fence raises. */
export function isFenced(error: unknown): boolean {
  return sqlState(error) === "TL001";
}

/**
 * Whether trying again later can help: the database is away, hung, restarting, or somebody else was in the way. What PostgreSQL refuses
 * for what we said (bad value 22, broken constraint 23, bad statement 42, our own rules TL) it will refuse again, and a bug of ours stays one.
 */
export function isOutage(error: unknown): boolean {
  // The database is not asked again because the file store is away: `untilStore` waits for that.
  if (isStoreAway(error)) return false;
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError || error instanceof SyntaxError) return false;
  const state = sqlState(error);
  // 23503: a run that starts from one of our checkpoints was made this moment; the next try sees it.
  return state === null || state === "23503" || !/^(22|23|42|TL)/.test(state);
}

/** Repeats work against the database until it is there again. What it refuses for good is thrown. */
export async function untilDatabase<T>(work: () => Promise<T>): Promise<T> {
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error)) throw error;
      await new Promise((resume) => setTimeout(resume, waitMs));
    }
  }
}

/**
 * Repeats work against the file store while it is away, telling of it once; until `signal`, where one is given. Anything else is thrown.
 * @throws AppError STORE_AWAY where `signal` came first
 */
export async function untilStore<T>(work: () => Promise<T>, signal?: AbortSignal, onAway: () => void = () => {}): Promise<T> {
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, 10_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isStoreAway(error) || signal?.aborted) throw error;
      if (waitMs === 500) onAway();
      await new Promise<void>((resume) => {
        const timer = setTimeout(go, waitMs);
        function go() {
          clearTimeout(timer);
          signal?.removeEventListener("abort", go);
          resume();
        }
        signal?.addEventListener("abort", go);
      });
    }
  }
}

export function isStoreAway(error: unknown): boolean {
  return error instanceof AppError && error.code === "STORE_AWAY";
}
