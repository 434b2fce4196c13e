/**
 * Trains a small network again and again under `failingDisk.c`, and lets another call of those that write its checkpoints fail each time, until
 * one training meets no failure. After each it looks at what lies on the disk, and trains on from the last checkpoint that was reported.
 *
 *     LD_PRELOAD=… FAULT_PLAN=<file> node test/fault/failingDisk.ts <folder> <errno>
 *
 * Prints a line of JSON for each failure.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { tensorBytes } from "../../core/export/tensor.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { EngineError, train } from "../../native/index.ts";
import { networks } from "../native/networks.ts";
import { specOf, type trainAll, writeRows } from "../native/specs.ts";

const [folder = "", reason = ""] = process.argv.slice(2);
const plan = process.env.FAULT_PLAN ?? "";
const [network] = networks;
if (network === undefined) throw new Error("There is no network to train.");
mkdirSync(folder, { recursive: true });
const spec = specOf(network, { train: writeRows(folder, "rows", network, 64, 1) }, { epochs: 3 });
let round = 0;

function stateOf(file: string): string {
  const hash = createHash("sha256");
  for (const [name, tensor] of readSafetensors(readFileSync(file)).tensors) hash.update(name).update(tensorBytes(tensor));
  return hash.digest("hex");
}

/** A training with the n-th call failing; null where none failed. */
async function trainOnce(failing: number, resumeFrom: string | null) {
  writeFileSync(plan, `${++round} ${failing} ${reason}`);
  const own = join(folder, `checkpoints-${round}`);
  mkdirSync(own);
  const checkpoints: Extract<RunEvent, { type: "checkpoint" }>[] = [];
  const training = train({ ...spec, checkpoint: { folder: own, everyMs: 0 }, resumeFrom }, (events) => {
    for (const event of events) if (event.type === "checkpoint") checkpoints.push(event);
  });
  const ended = await training.done.catch((error: unknown) => error);
  return {
    own,
    checkpoints,
    failure: ended instanceof EngineError ? ended.failure : null,
    file: ended instanceof EngineError ? null : (ended as Awaited<ReturnType<typeof trainAll>>["result"]).file,
  };
}

const whole = await trainOnce(0, null);
const expected = stateOf(whole.file ?? "");
for (let failing = 1; ; failing++) {
  const { own, checkpoints, failure } = await trainOnce(failing, null);
  if (failure === null) break;
  const wrong: string[] = [];
  for (const { file, sha256 } of checkpoints)
    if (!existsSync(file) || createHash("sha256").update(readFileSync(file)).digest("hex") !== sha256) wrong.push(`${file} was reported and is not what was reported`);
  for (const name of readdirSync(own)) {
    if (name.endsWith(".tmp")) wrong.push(`${name} was left`);
    else stateOf(join(own, name));
  }
  const rest = await trainOnce(0, checkpoints.at(-1)?.file ?? null);
  if (rest.file == null || stateOf(rest.file) !== expected) wrong.push("the training that went on did not end as the undisturbed one");
  console.log(JSON.stringify({ failing, code: failure.code, message: failure.message, checkpoints: checkpoints.length, wrong }));
}
