"use client";

import { say } from "../../core/language/say.ts";
import { Button, ButtonLink } from "../ui/Button.tsx";
import { Tip } from "../ui/Tip.tsx";
import { isActive, type Run } from "./run.ts";

/** Why the ONNX file of a run cannot be had (yet); null when it can. */
export function onnxObstacle(run: Pick<Run, "status" | "artifacts" | "checkpoints" | "exporting"> | null): string | null {
  if (!run) return say("No run of this model has finished yet.");
  const onnx = run.artifacts.find(({ kind }) => kind === "onnx");
  if (onnx) return onnx.refusal?.message ?? null;
  if (isActive(run.status)) return say("Ready when the run has ended.");
  if (run.exporting) return say("Being written and compared in ONNX Runtime.");
  return run.checkpoints.length === 0 ? say("This run ended before its first checkpoint: there is nothing to export.") : say("No exports were made of this run.");
}

/** Enabled only for a file on which ONNX Runtime and the engine agree; otherwise it says why not. */
export function DownloadOnnx({ run, primary = false }: { run: Run | null; primary?: boolean }) {
  const obstacle = onnxObstacle(run);
  const onnx = run?.artifacts.find(({ kind }) => kind === "onnx");
  const kind = primary ? "primary" : "plain";
  if (obstacle !== null || !onnx) {
    return (
      <Tip text={obstacle}>
        <Button kind={kind} aria-disabled className="aria-disabled:text-ink3">
          {say("Download ONNX")}
        </Button>
      </Tip>
    );
  }
  return (
    <ButtonLink kind={kind} href={`/api/artifacts/${onnx.id}`} prefetch={false} download={onnx.fileName}>
      {say("Download ONNX")}
    </ButtonLink>
  );
}
