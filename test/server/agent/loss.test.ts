import { describe, expect, it } from "vitest";
import { afterLoss } from "../../../server/agent/loss.ts";

const run = { cancelRequested: false, pauseRequested: false, keepBest: false, attempts: 1, crashes: 0, step: 40 };
const crashed = { kind: "ended", signal: "SIGSEGV", code: null } as const;
const killed = { kind: "ended", signal: "SIGKILL", code: null } as const;

describe("a run whose trainer is lost", () => {
  it("goes back to the queue after a first crash, and fails with the signal in words after a second", () => {
    expect(afterLoss(run, crashed)).toMatchObject({ crashed: true, next: { status: "queued" } });
    const second = afterLoss({ ...run, crashes: 1 }, crashed).next;
    expect(second).toMatchObject({ status: "failed", failure: { code: "ENGINE_CRASHED", step: 40 } });
    expect(second.status === "failed" && second.failure.message).toMatch(/SIGSEGV.*second time/);
  });

  it("is not blamed for being killed, however often, as long as checkpoints come between", () => {
    expect(afterLoss({ ...run, attempts: 1, crashes: 1 }, killed)).toMatchObject({ crashed: false, next: { status: "queued" } });
  });

  it.each([killed, { kind: "gone" } as const, { kind: "silent" } as const, { kind: "ended", signal: null, code: 1 } as const])(
    "is given up at the third attempt without a checkpoint: %j",
    (loss) => {
      expect(afterLoss({ ...run, attempts: 2 }, loss).next.status).toBe("queued");
      expect(afterLoss({ ...run, attempts: 3 }, loss).next.status).toBe("failed");
    },
  );

  it("is told that memory ran out where the kernel says so, and only there", () => {
    const shortage = afterLoss({ ...run, attempts: 3 }, { ...killed, outOfMemory: true });
    expect(shortage).toMatchObject({ sentence: expect.stringContaining("memory ran out"), next: { status: "failed", failure: { code: "OUT_OF_MEMORY", step: 40 } } });
    expect(afterLoss({ ...run, attempts: 3 }, { ...killed, outOfMemory: false }).next).toMatchObject({ failure: { code: "ENGINE_CRASHED" } });
    expect(afterLoss({ ...run, attempts: 3 }, { kind: "ended", signal: "SIGTERM", code: null, outOfMemory: true }).next).toMatchObject({ failure: { code: "ENGINE_CRASHED" } });
  });

  it("ends cancelled where somebody wished that, whatever happened", () => {
    expect(afterLoss({ ...run, cancelRequested: true, attempts: 3, crashes: 1 }, crashed).next).toEqual({ status: "cancelled" });
    expect(afterLoss({ ...run, cancelRequested: true, pauseRequested: true }, killed).next).toEqual({ status: "cancelled" });
    expect(afterLoss({ ...run, cancelRequested: true, keepBest: true, attempts: 3, crashes: 1 }, crashed).next).toEqual({ status: "finished" });
  });
});
