import { describe, expect, it } from "vitest";
import * as agent from "../../../server/agent/loss.ts";

const run = { cancelRequested: false, pauseRequested: false, keepBest: false, attempts: 1, crashes: 0, crashedBefore: false, step: 40 };
const afterLoss = (of: typeof run, loss: agent.Loss) => agent.afterLoss(of, loss, (node) => node.toUpperCase());
const crashed = { kind: "ended", signal: "SIGSEGV", code: null } as const;
const killed = { kind: "ended", signal: "SIGKILL", code: null } as const;

describe("a run whose trainer is lost", () => {
  it("goes back to the queue after a first crash, and fails with the signal in words after a second", () => {
    expect(afterLoss(run, crashed)).toMatchObject({ crashed: true, next: { status: "queued" } });
    const second = afterLoss({ ...run, crashes: 1 }, crashed).next;
    expect(second).toMatchObject({ status: "failed", failure: { code: "ENGINE_CRASHED", step: 40 } });
    expect(second.status === "failed" && second.failure.message).toMatch(/SIGSEGV.*second time/);
  });

  it.each([
    [{ part: "forward", node: "conv1" }, /^The engine crashed \(signal 11, SIGSEGV: [^)]*\) in node "CONV1"\./, "conv1"],
    [{ part: "backward", node: "conv1" }, /\) in the backward pass of node "CONV1"\./, "conv1"],
    [{ part: "backward", node: null }, /\) in the backward pass\./, undefined],
    [{ part: "optimizer", node: null }, /\) in the optimizer's step\./, undefined],
    [null, /SIGSEGV: [^)]*\)\. It was the second time/, undefined],
  ] as const)("names where its engine was: %j", (place, sentence, node) => {
    const { next } = afterLoss({ ...run, crashes: 1 }, { ...crashed, place });
    expect(next).toMatchObject({ status: "failed", failure: { code: "ENGINE_CRASHED", message: expect.stringMatching(sentence) } });
    expect(next.status === "failed" && next.failure.node).toBe(node);
  });

  it("is not tried twice where an earlier run of the same network kept crashing", () => {
    expect(afterLoss({ ...run, crashedBefore: true }, crashed).next).toMatchObject({
      status: "failed",
      failure: { message: expect.stringContaining("An earlier run of this very network") },
    });
    expect(afterLoss({ ...run, crashedBefore: true }, killed).next).toEqual({ status: "queued" });
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
