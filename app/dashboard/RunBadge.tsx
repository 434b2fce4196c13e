import { say } from "../../core/language/say.ts";
import { Badge, type Tone } from "../ui/Badge.tsx";
import type { RunStatus } from "./run.ts";

const WORDS: { [status in RunStatus]: [word: string, tone: Tone] } = {
  queued: [say("Waiting"), "plain"],
  running: [say("Training"), "accent"],
  paused: [say("Paused"), "warn"],
  finished: [say("Finished"), "plain"],
  cancelled: [say("Cancelled"), "plain"],
  failed: [say("Failed"), "bad"],
};

export function RunBadge({ status, stopping = false, pausing = false }: { status: RunStatus; stopping?: boolean; pausing?: boolean }) {
  const [word, tone] = stopping ? ([say("Stopping"), "warn"] as const) : pausing ? ([say("Pausing"), "warn"] as const) : WORDS[status];
  return <Badge tone={tone}>{word}</Badge>;
}
