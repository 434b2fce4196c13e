/**
 * `npm run bench`: every measurement, one after the other. `npm run bench -- metrics` takes one by its name, with its own options behind it.
 * A machine that does nothing else gives the figures of docs/benchmarks.md; ratios hold on a busy one too.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const own = ["run.ts", "networks.ts", "seedRuns.ts", "plainPage.ts", "naiveCharts.ts", "tensorboard.ts"];
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && !own.includes(file))
  .map((file) => file.slice(0, -3));
const [name, ...rest] = process.argv.slice(2);
if (name !== undefined && !names.includes(name)) {
  console.error(`There is no bench ${name}: ${names.join(", ")}.`);
  process.exit(2);
}
let failed = 0;
for (const bench of name === undefined ? names : [name]) {
  console.log(`── ${bench}`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${bench}.ts`), ...rest], { stdio: "inherit" });
  if (status !== 0) failed++;
  console.log("");
}
process.exit(failed === 0 ? 0 : 1);
