/**
 * How long it takes to read 99 % of MNIST's test images: the template `fast-digits` on the engine, and PyTorch's own example in Python, each in
 * a process of its own, from its start to the end of the evaluation that says so. The files lie ready for both.
 *
 *     node test/bench/digits.ts [--seeds 3] [--threads N]
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { z } from "zod";
import { fastDigits } from "../../core/templates/fastDigits.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import { train } from "../../native/index.ts";
import { temporaryFolder } from "../native/specs.ts";
import { specOfTemplate } from "../native/templates.ts";
import { missingOracles, oracleEnv } from "../oracle.ts";

const { values: options } = parseArgs({
  options: { seeds: { type: "string", default: "3" }, threads: { type: "string", default: String(availableParallelism()) }, order: { type: "string" } },
});
const GOAL = 0.99;
const Answer = z.object({ epochs: z.int(), accuracy: z.number() });
type Answer = z.infer<typeof Answer> & { seconds: number };

/** The child's part: carries out one order and says how it went. */
async function trainOne(file: string): Promise<void> {
  const spec = TrainSpec.parse(JSON.parse(readFileSync(file, "utf8")));
  const run = train(spec, (events) => {
    for (const event of events) if (event.type === "evaluated") process.stdout.write(`${JSON.stringify({ epochs: event.epoch, accuracy: event.values.accuracy })}\n`);
  });
  await run.done;
}

/** Runs a process that says its answer in its last line. */
async function timed(command: string, args: string[], input = ""): Promise<Answer> {
  const start = performance.now();
  const child = spawn(command, args, { env: oracleEnv, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(input);
  const output = await text(child.stdout);
  const seconds = (performance.now() - start) / 1_000;
  return { ...Answer.parse(JSON.parse(output.trim().split("\n").at(-1) ?? "")), seconds };
}

async function main(): Promise<void> {
  const missing = missingOracles("torch", "numpy");
  if (missing.length > 0) throw new Error(`Python lacks ${missing.join(", ")}: npm test brings them.`);
  const folder = temporaryFolder();
  try {
    const threads = Number(options.threads);
    const spec = await specOfTemplate(fastDigits, folder.path);
    const ours: Answer[] = [];
    for (let seed = 0; seed < Number(options.seeds); seed++) {
      const file = join(folder.path, "order.json");
      writeFileSync(file, JSON.stringify({ ...spec, seed, threads, checkpoint: null, sampleRows: [] }));
      ours.push(await timed(process.execPath, [import.meta.filename, "--order", file]));
    }
    const files = (split: TrainSpec["data"]["train"]) => ({ x: Object.entries(split.arrays).find(([name]) => name !== "target")?.[1].file, target: split.arrays.target?.file });
    const order = {
      seed: 1,
      threads,
      accuracy: GOAL,
      scale: { mean: 0.1307, std: 0.3081 },
      files: { train: files(spec.data.train), test: files(spec.data.validation) },
    };
    const stock = await timed("python3", [join(import.meta.dirname, "digits.py")], `${JSON.stringify(order)}\n`);
    const line = (name: string, { seconds, epochs, accuracy }: Answer) =>
      console.log(
        `${name.padEnd(28)} ${seconds.toFixed(1).padStart(7)} s  ${(accuracy * 100).toFixed(2)} %  ${epochs} ${epochs === 1 ? "epoch" : "epochs"}${accuracy < GOAL ? "  below the goal" : ""}`,
      );
    for (const [seed, answer] of ours.entries()) line(`engine, seed ${seed}`, answer);
    line("PyTorch's example", stock);
    const median = ours.map(({ seconds }) => seconds).sort((a, b) => a - b)[ours.length >> 1] ?? Number.NaN;
    console.log(`${(stock.seconds / median).toFixed(1)} times as fast to ${GOAL * 100} % of MNIST`);
  } finally {
    folder.remove();
  }
}

await (options.order === undefined ? main() : trainOne(options.order));
