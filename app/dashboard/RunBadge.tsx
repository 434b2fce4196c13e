import { Badge, type Tone } from "../ui/Badge.tsx";
import type { RunStatus } from "./run.ts";

const WORDS: { [status in RunStatus]: [word: string, tone: Tone] } = {
  queued: ["Waiting", "plain"],
  running: ["Training", "accent"],
  paused: ["Paused", "warn"],
  finished: ["Finished", "plain"],
  cancelled: ["Cancelled", "plain"],
  failed: ["Failed", "bad"],
};

export function RunBadge({ status, stopping = false, pausing = false }: { status: RunStatus; stopping?: boolean; pausing?: boolean }) {
  const [word, tone] = stopping ? (["Stopping", "warn"] as const) : pausing ? (["Pausing", "warn"] as const) : WORDS[status];
  return <Badge tone={tone}>{word}</Badge>;
}
