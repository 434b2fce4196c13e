/**
 * `node test/bench/templates.ts [--only id] [--epochs N] [--device cuda] [--threads N]`: trains templates as the Train button would, on their own
 * data sets, and prints what they reach on validation rows. Their docs say these figures. On a busy machine one thread is the fastest: several wait for
 * each other.
 */
import { parseArgs } from "node:util";
import { templates } from "../../core/templates/index.ts";
import { temporaryFolder, trainAll } from "../native/specs.ts";
import { specOfTemplate } from "../native/templates.ts";

const { values: options } = parseArgs({ options: { only: { type: "string" }, epochs: { type: "string" }, device: { type: "string" }, threads: { type: "string" } } });
const folder = temporaryFolder();
try {
  for (const template of templates) {
    if (options.only && template.id !== options.only) continue;
    const spec = await specOfTemplate(template, folder.path, {
      ...(options.epochs ? { epochs: Number(options.epochs) } : {}),
      ...(options.device === "cuda" ? { device: "cuda" } : {}),
    });
    const started = Date.now();
    const { events } = await trainAll(options.threads ? { ...spec, threads: Number(options.threads) } : spec);
    const last = events.findLast((event) => event.type === "evaluated");
    const shown = Object.entries(last?.values ?? {}).map(([name, value]) => `${name} ${value?.toFixed(4)}`);
    console.log(`${template.title}: ${shown.join(", ")}; ${spec.epochs} epochs in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  }
} finally {
  folder.remove();
}
