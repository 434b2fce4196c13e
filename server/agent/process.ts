import { readFileSync, writeFileSync } from "node:fs";

/** A process that can be told from a later one with the same number: its id, and when the kernel started it. */
export type ProcessIdentity = { pid: number; startTicks: string };

/** Who runs under this process id now, or null where nobody does. A process that has ended and waits to be reaped is nobody. */
export function identify(pid: number): ProcessIdentity | null {
  if (process.platform !== "linux") return isRunning(pid) ? { pid, startTicks: "0" } : null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold anything; the third is the state, the 22nd the start time.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTicks] = [fields[0], fields[19]];
    return startTicks === undefined || state === "Z" || state === "X" ? null : { pid, startTicks };
  } catch {
    return null;
  }
}

export function isAlive({ pid, startTicks }: ProcessIdentity): boolean {
  return identify(pid)?.startTicks === startTicks;
}

/** Sends a signal to that process and no other. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It ended in between.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How many processes the kernel has ended for want of memory since it started, those beyond a limit of their group included; 0 where it does not say. */
export function countMemoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Makes a process the first that the kernel ends where memory runs out: nothing is lost with it. */
export function offerToKernel({ pid }: ProcessIdentity): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, "900");
  } catch {
    // It has ended, or the system knows no such thing.
  }
}
