import { say } from "../../core/language/say.ts";
import "../language.ts"; // First: texts are said while the other modules are read.
import { writeFile } from "node:fs/promises";
import { GraphInvalid } from "../../core/graph/fold.ts";
import { EngineError, info } from "../../native/index.ts";
import { evaluate } from "./evaluate.ts";
import { explain } from "./explain.ts";
import type { Order } from "./host.ts";
import { activations, gradients } from "./layerNumbers.ts";
import { measurePace } from "./pace.ts";
import { study } from "./study.ts";

/**
 * The process that runs single rows through drawings while they are made, and rows of a data set through trained networks. It answers one order after another and ends with whoever started it.
 * Nothing that it does is kept.
 */
process.once("disconnect", () => process.exit(0));
// What a person can do without goes first when the machine runs out of memory.
await writeFile("/proc/self/oom_score_adj", "800").catch(() => {});
info();

process.on("message", async (message) => {
  const { id, ...asked } = message as { id: number } & Order;
  try {
    process.send?.({ id, ok: true, answer: await answer(asked), rssBytes: process.memoryUsage.rss() });
  } catch (error) {
    const words = error instanceof EngineError || error instanceof GraphInvalid ? error.message : say("The row could not be sent through this drawing.");
    if (words !== (error as Error).message) console.error(error);
    process.send?.({ id, ok: false, message: words, rssBytes: process.memoryUsage.rss() });
  }
});

function answer(asked: Order): Promise<unknown> {
  if (asked.kind === "study") return study(asked.order);
  if (asked.kind === "pace") return measurePace(asked.order);
  if (asked.kind === "activations") return activations(asked.order);
  if (asked.kind === "gradients") return gradients(asked.order);
  return asked.kind === "explain" ? explain(asked.order) : evaluate(asked.order);
}

process.send?.({ ready: true });
