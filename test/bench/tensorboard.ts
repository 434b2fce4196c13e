import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../fault/world.ts";
import { missingOracles, oracleEnv } from "../oracle.ts";

/** Points of a curve that TensorBoard keeps, however many were logged: it draws a sample of them. Given just so many, it reads its files sooner. */
export const KEPT_POINTS = 1_000;

/** Whether Python has TensorBoard: `pip install tensorboard`. */
export const hasTensorBoard = (): boolean => missingOracles("tensorboard").length === 0;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest;
});

/** The checksum of a record: CRC-32C, turned and moved as TensorFlow does. */
function checksum(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (CRC[(rest ^ byte) & 255] as number) ^ (rest >>> 8);
  rest = ~rest >>> 0;
  return (((rest >>> 15) | (rest << 17)) + 0xa282ead8) >>> 0;
}

const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]);
/** A field of Protocol Buffers that holds bytes. */
const bytesOf = (field: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);

function record(event: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(event.length));
  head.writeUInt32LE(checksum(head.subarray(0, 8)), 8);
  const foot = Buffer.alloc(4);
  foot.writeUInt32LE(checksum(event));
  return Buffer.concat([head, event, foot]);
}

/** An event file of one run, as `SummaryWriter.add_scalar` leaves it: at each of `steps` a value of each key. */
function eventFile(keys: readonly string[], steps: readonly number[], valueAt: (key: string, step: number) => number): Buffer {
  const at = (seconds: number) => {
    const time = Buffer.alloc(9);
    time[0] = (1 << 3) | 1;
    time.writeDoubleLE(seconds, 1);
    return time;
  };
  const scalar = (key: string, value: number) => {
    const simple = Buffer.alloc(5);
    simple[0] = (2 << 3) | 5;
    simple.writeFloatLE(value, 1);
    return bytesOf(1, Buffer.concat([bytesOf(1, Buffer.from(key)), simple]));
  };
  return Buffer.concat([
    record(Buffer.concat([at(1_750_000_000), bytesOf(3, Buffer.from("brain.Event:2"))])),
    ...steps.map((step) =>
      record(
        Buffer.concat([at(1_750_000_000 + step / 100), Buffer.from([2 << 3, ...varint(step)]), bytesOf(5, Buffer.concat(keys.map((key) => scalar(key, valueAt(key, step)))))]),
      ),
    ),
  ]);
}

/** What a form is answered with. By `node:http`: `fetch` falls over a large answer whose connection is closed behind it. */
const post = (address: string, form: string): Promise<string> =>
  new Promise((done, fail) => {
    const asked = request(address, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } }, (answer) => {
      let said = "";
      answer.setEncoding("utf8").on("data", (text: string) => (said += text));
      answer.on("error", fail).on("end", () => (answer.statusCode === 200 ? done(said) : fail(new Error(`TensorBoard answered ${answer.statusCode}: ${said.slice(0, 200)}`))));
    });
    asked.on("error", fail).end(form);
  });

/**
 * TensorBoard over runs that are made up, from when it has read all of them.
 *
 * @throws Error where it does not answer, or has not read its files, within two minutes
 */
export async function openTensorBoard(runs: number, keys: readonly string[], steps: readonly number[], valueAt: (key: string, nth: number, step: number) => number) {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-tensorboard-"));
  for (let nth = 0; nth < runs; nth++) {
    mkdirSync(join(folder, `run ${nth + 1}`));
    writeFileSync(
      join(folder, `run ${nth + 1}`, "events.out.tfevents.1750000000.bench"),
      eventFile(keys, steps, (key, step) => valueAt(key, nth, step)),
    );
  }
  const server = spawn("python3", ["-m", "tensorboard.main", "--logdir", folder, "--host", "127.0.0.1", "--port", "0", "--reload_interval", "1"], {
    env: oracleEnv,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((done) => server.once("exit", done));
  const close = async (): Promise<void> => {
    server.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
  };
  try {
    let said = "";
    server.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const address = await until("TensorBoard says where it is", 120_000, async () => {
      if (server.exitCode !== null) throw new Error(`TensorBoard ended: ${said}`);
      return /at (http:\/\/\S+?)\/? /.exec(said)?.[1] ?? null;
    });
    const last = steps.at(-1);
    const question = JSON.stringify([{ plugin: "scalars", tag: keys.at(-1) }]);
    await until("TensorBoard has read its files", 120_000, async () => {
      // To be asked takes it from its reading.
      await sleep(500);
      const said = await post(`${address}/experiment/defaultExperimentId/data/plugin/timeseries/timeSeries`, `requests=${encodeURIComponent(question)}`);
      const [found] = JSON.parse(said) as [{ runToSeries?: { [run: string]: { step: number }[] } }];
      const series = Object.values(found.runToSeries ?? {});
      return series.length === runs && series.every((points) => points.at(-1)?.step === last) ? true : null;
    });
    return { address, close };
  } catch (error) {
    await close();
    throw error;
  }
}
