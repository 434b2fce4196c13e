import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import type { Loss } from "../../../server/agent/loss.ts";
import { isAlive, signalProcess } from "../../../server/agent/process.ts";
import { Trainers } from "../../../server/agent/trainers.ts";
import { readConfig } from "../../../server/config.ts";
import { openLog } from "../../../server/log.ts";
import { allowed } from "../../allowed.ts";
import { openTestDatabase } from "../postgres.ts";

const settings = { DATA_DIR: mkdtempSync(join(tmpdir(), "tensorloom-trainers-")), DATABASE_URL: (await openTestDatabase()).url };
for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
const losses: Loss[] = [];
let take = () => {};
const taken = new Promise<void>((resolve) => {
  take = resolve;
});
const ready = vi.fn();
const trainers = new Trainers({
  config: readConfig(settings),
  log: openLog("test"),
  onReady: ready,
  onEnd: (_order, loss) => {
    losses.push(loss);
    return taken;
  },
});
afterAll(() => {
  for (const process of trainers.stop()) signalProcess(process, "SIGKILL");
  rmSync(settings.DATA_DIR, { recursive: true, force: true });
});

it("a trainer that crashed is known as a child until its loss is taken, so that nobody takes it for one that is gone", async () => {
  trainers.keepOneWaiting();
  await expect.poll(() => ready.mock.calls.length, { timeout: allowed(30_000) }).toBe(1);
  const trainer = trainers.waiting;
  if (trainer === null) throw new Error("No trainer waits.");
  trainer.send({ runId: randomUUID(), orgId: randomUUID(), token: 1 });
  process.kill(trainer.process.pid, "SIGSEGV");
  await expect.poll(() => losses, { timeout: allowed(5_000) }).toMatchObject([{ kind: "ended", signal: "SIGSEGV" }]);
  expect(isAlive(trainer.process)).toBe(false);
  expect(trainers.isChild(trainer.process)).toBe(true);
  take();
  await expect.poll(() => trainers.isChild(trainer.process)).toBe(false);
});
