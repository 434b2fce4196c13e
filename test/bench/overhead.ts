/**
 * What the interpreter costs a training step: forward pass, backward pass and fused AdamW by program, against the same calls of
 * libtorch written out in C++. On the program's side all gradients are looked at for numbers that are not finite, as a run does at each step.
 * Both take turns on the same batches in one process and must see the same losses, bit for bit.
 *
 *     node test/bench/overhead.ts
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { buildEngine } from "../../native/build.mjs";
import { findLibtorch } from "../../native/libtorch.mjs";

const PROMISED = 0.03;
const Line = z.object({
  network: z.string(),
  threads: z.int(),
  programUs: z.number(),
  handUs: z.number(),
  overhead: z.number(),
  lookUs: z.number(),
  equalLosses: z.boolean(),
  rounds: z.int(),
});

const { engineTest } = await buildEngine({ libtorch: findLibtorch() ?? undefined, targets: ["engine_test"] });
const specs = ["lenet-5", "small-mlp"].map((name) => fileURLToPath(new URL(`../../native/src/test/specs/${name}.json`, import.meta.url)));

console.log(
  "Interpreter against libtorch's calls by hand; one training step, batches of 64, AdamW; medians of 320 rounds that take turns, of processor time where it is one thread\n",
);
console.log("network     threads   program   by hand   overhead   losses   of it, the look at gradients");
const lines: z.infer<typeof Line>[] = [];
for (const threads of new Set([1, availableParallelism()])) {
  const { status, stdout, stderr } = spawnSync(engineTest, ["overhead", String(threads), ...specs], { encoding: "utf8" });
  const found = stdout
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => Line.parse(JSON.parse(line)));
  for (const { network, programUs, handUs, overhead, lookUs, equalLosses } of found) {
    const us = (value: number) => `${value.toFixed(0)} µs`.padStart(10);
    console.log(
      `${network.padEnd(12)}${String(threads).padStart(7)}${us(programUs)}${us(handUs)}${`${(100 * overhead).toFixed(1)} %`.padStart(11)}   ${equalLosses ? "equal " : "DIFFER"}   ${`${lookUs.toFixed(1)} µs`.padStart(8)}${overhead <= PROMISED ? "" : "  missed"}`,
    );
  }
  if (status !== 0) throw new Error(`The two sides do not compute the same, or did not run:\n${stderr}`);
  lines.push(...found);
}
console.log("");
for (const line of lines) console.log(JSON.stringify(line));
