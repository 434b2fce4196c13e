/** What a trainer is called in the process list while it works on a run: by it the auditor finds it. */
export function writeTitle({ runId, token }: { runId: string; token: number }): string {
  return `tensorloom-trainer ${runId} ${token}`;
}

export function readTitle(commandLine: string): { runId: string; token: number } | null {
  const [, runId, token] = /^tensorloom-trainer ([0-9a-f-]{36}) (\d+)/.exec(commandLine.replaceAll("\0", " ")) ?? [];
  return runId === undefined ? null : { runId, token: Number(token) };
}
