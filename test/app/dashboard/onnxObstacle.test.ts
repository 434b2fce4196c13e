import { expect, test } from "vitest";
import { onnxObstacle } from "../../../app/dashboard/DownloadOnnx.tsx";
import type { Artifact, Checkpoint } from "../../../app/dashboard/run.ts";

const checkpoint: Checkpoint = { id: "c", step: 10, epoch: 1, sizeBytes: 1, isBest: true, createdAt: "2026-01-01T00:00:00.000Z" };
const onnx: Artifact = { id: "a", kind: "onnx", fileName: "m.onnx", sizeBytes: 1, report: null, refusal: null };
const ended = { status: "finished" as const, checkpoints: [checkpoint], artifacts: [], exporting: false };

test("says of every run why its ONNX file is not to be had, and nothing where it is", () => {
  expect(onnxObstacle(null)).toMatch(/No run/);
  expect(onnxObstacle({ ...ended, status: "running" })).toMatch(/when the run has ended/);
  expect(onnxObstacle({ ...ended, exporting: true })).toMatch(/Being written/);
  expect(onnxObstacle({ ...ended, status: "failed" })).toMatch(/No exports were made/);
  expect(onnxObstacle({ ...ended, checkpoints: [] })).toMatch(/before its first checkpoint/);
  expect(onnxObstacle({ ...ended, artifacts: [{ ...onnx, refusal: { code: "ONNX_PARITY", message: "They disagree." } }] })).toBe("They disagree.");
  expect(onnxObstacle({ ...ended, artifacts: [onnx] })).toBeNull();
});
