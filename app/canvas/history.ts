import { z } from "zod";
import { Json } from "../../core/graph/document.ts";
import type { Step } from "./useGraph.ts";

/** Steps back and forth of one document, as they stand in the browser's storage: they outlive a reload. */
export type History = { past: readonly Step[]; future: readonly Step[] };

/** More than anybody steps back; the oldest are let go. */
export const HISTORY_LIMIT = 1000;
/** Letters of one model's history. A step is some three hundred; the browser gives all models together about five million. */
const HISTORY_LETTERS = 1_500_000;
const DELAY_MS = 400;

const PREFIX = "tensorloom.history.";
const Scope = z.array(z.object({ node: z.string(), role: z.string() }));
const KeptStep = z.object({
  patch: z.record(z.string(), z.object({ before: Json.optional(), after: Json.optional() })),
  scope: Scope,
  nodes: z.array(z.string()),
  edges: z.array(z.string()),
});
const Kept = z.object({ epoch: z.string(), past: z.array(KeptStep), future: z.array(KeptStep) });

const empty: History = { past: [], future: [] };
let timer: ReturnType<typeof setTimeout> | null = null;
let waiting: (() => void) | null = null;

/** What this browser can still step back in a document; nothing where the document has begun anew since. */
export function readHistory(modelId: string, epoch: string): History {
  try {
    const parsed = Kept.safeParse(JSON.parse(localStorage.getItem(PREFIX + modelId) ?? "null"));
    if (!parsed.success || parsed.data.epoch !== epoch) return empty;
    const step = ({ patch, scope, nodes, edges }: z.infer<typeof KeptStep>): Step => ({ patch, scope, selection: { nodes: new Set(nodes), edges: new Set(edges) } });
    return { past: parsed.data.past.map(step), future: parsed.data.future.map(step) };
  } catch {
    return empty;
  }
}

/** Keeps a history, a moment from now. */
export function keepHistory(modelId: string, epoch: string, history: History): void {
  if (typeof localStorage === "undefined") return;
  waiting = () => write(modelId, epoch, history);
  timer ??= setTimeout(flushHistory, DELAY_MS);
}

/** Keeps it now, as when the page is left. */
export function flushHistory(): void {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  waiting?.();
  waiting = null;
}

function write(modelId: string, epoch: string, { past, future }: History): void {
  const text = (steps: readonly Step[]) =>
    steps.map(({ patch, scope, selection }) =>
      JSON.stringify({ patch, scope: [...scope], nodes: [...selection.nodes], edges: [...selection.edges] } satisfies z.input<typeof KeptStep>),
    );
  const [back, forth] = [text(past), text(future)];
  let letters = 0;
  const fitting = (steps: string[]) => {
    let from = steps.length;
    for (let step = steps[from - 1]; step !== undefined && letters + step.length < HISTORY_LETTERS; step = steps[from - 1]) {
      letters += step.length + 1;
      from--;
    }
    return `[${steps.slice(from).join(",")}]`;
  };
  const value = `{"epoch":${JSON.stringify(epoch)},"past":${fitting(back)},"future":${fitting(forth)}}`;
  try {
    localStorage.setItem(PREFIX + modelId, value);
  } catch {
    try {
      // Room is made by what other models could step back.
      for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX) && key !== PREFIX + modelId) localStorage.removeItem(key);
      localStorage.setItem(PREFIX + modelId, value);
    } catch {
      // Storage is forbidden or full of other things: the history then ends with the page.
    }
  }
}
