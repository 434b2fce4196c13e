/**
 * What the interpreter costs a training step: forward pass, backward pass and fused AdamW by program, against the same calls of
 * libtorch written out in C++. A third side is the program with what a run does besides at each step and no plain loop does: it looks at all gradients
 * for numbers that are not finite. All take turns on the same batches in one process and must see the same losses, bit for bit.
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
  lookingUs: z.number(),
  handUs: z.number(),
  overhead: z.number(),
  withLook: z.number(),
  equalLosses: z.boolean(),
  rounds: z.int(),
});

const { engineTest } = await buildEngine({ libtorch: findLibtorch() ?? undefined, targets: ["engine_test"] });
const specs = ["lenet-5", "small-mlp"].map((name) => fileURLToPath(new URL(`../../native/src/test/specs/${name}.json`, import.meta.url)));

console.log(
  "Interpreter against libtorch's calls by hand; one training step, batches of 64, AdamW; medians of 320 rounds that take turns, of processor time where it is one thread\n",
);
console.log("network     threads   program   by hand   overhead   losses   with a look at all gradients");
const lines: z.infer<typeof Line>[] = [];
for (const threads of new Set([1, availableParallelism()])) {
  const { status, stdout, stderr } = spawnSync(engineTest, ["overhead", String(threads), ...specs], { encoding: "utf8" });
  const found = stdout
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => Line.parse(JSON.parse(line)));
  for (const { network, programUs, lookingUs, handUs, overhead, withLook, equalLosses } of found) {
    const share = (value: number) => `${(100 * value).toFixed(1)} %`.padStart(9);
    const us = (value: number) => `${value.toFixed(0)} µs`.padStart(10);
    console.log(
      `${network.padEnd(12)}${String(threads).padStart(7)}${us(programUs)}${us(handUs)}  ${share(overhead)}   ${equalLosses ? "equal " : "DIFFER"} ${us(lookingUs)} ${share(withLook)}${overhead <= PROMISED ? "" : "  missed"}`,
    );
  }
  if (status !== 0) throw new Error(`The two sides do not compute the same, or did not run:\n${stderr}`);
  lines.push(...found);
}
console.log("");
for (const line of lines) console.log(JSON.stringify(line));
