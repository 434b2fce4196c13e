"use client";

import { Button, ButtonLink } from "../ui/Button.tsx";
import { Tip } from "../ui/Tip.tsx";
import type { Run } from "./run.ts";

/** Why the ONNX file of a run cannot be had (yet); null when it can. */
export function onnxObstacle(run: Pick<Run, "status" | "artifacts"> | null): string | null {
  if (!run) return "No run of this model has finished yet.";
  const onnx = run.artifacts.find(({ kind }) => kind === "onnx");
  if (onnx?.refusal) return onnx.refusal.message;
  if (onnx?.report && !onnx.report.passed) return onnx.report.refusal;
  if (onnx) return null;
  if (run.status === "queued" || run.status === "running") return "Ready when the run has finished.";
  return run.status === "finished" ? "Being written and compared in ONNX Runtime." : "Only a finished run is exported: resume this one.";
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
          Download ONNX
        </Button>
      </Tip>
    );
  }
  return (
    <ButtonLink kind={kind} href={`/api/artifacts/${onnx.id}`} prefetch={false} download={onnx.fileName}>
      Download ONNX
    </ButtonLink>
  );
}
