import { say } from "../../core/language/say.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { hasLevelledOff, type Measured, type ProbeAnswer, type ProbeOrder, probeSpec } from "../../core/training/probe.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { EngineError, train } from "../../native/index.ts";

/**
 * One process that takes real steps of throw-away copies of a network and says how long they took and what they held. It takes its order from
 * whoever started it, answers, and ends. Weights live in this process only.
 */
process.once("disconnect", () => process.exit(1));
process.once("message", async (order) => {
  const answer = await probe(order as ProbeOrder);
  process.send?.(answer, () => process.exit(0));
});

/** Steps are taken for this long after the first ones, but at least so many of them. */
const STEPS_MS = 1_200;
const SEARCH_STEPS_MS = 500;
const LEAST_STEPS = 3;
/** Validation rows that are evaluated, in batches. */
const EVALUATED_BATCHES = 4;

async function probe({ specs, validationRows, search }: ProbeOrder): Promise<ProbeAnswer> {
  const measured: Measured[] = [];
  for (const spec of specs) {
    try {
      const steps = await takeSteps(probeSpec(spec, { validation: spec.batchSize }), search ? SEARCH_STEPS_MS : STEPS_MS);
      const evaluationMs = search ? 0 : await evaluate(spec, validationRows);
      const writingMs = search ? 0 : await write(spec);
      measured.push({ batchSize: spec.batchSize, ...steps, evaluationMs, writingMs, samplesPerSecond: (1_000 * spec.batchSize * spec.accumulate) / steps.stepMs });
    } catch (error) {
      const { code, message } =
        error instanceof EngineError ? error.failure : { code: "INTERNAL", message: error instanceof Error ? error.message : say("It could not be measured.") };
      return { measured, unfit: { batchSize: spec.batchSize, code, message } };
    }
    if (search && hasLevelledOff(measured)) break;
  }
  return { measured, unfit: null };
}

/** The time of a step once the first ones are over, which pay for memory and for the kernels' preparations. */
async function takeSteps(spec: TrainSpec, budgetMs: number): Promise<Pick<Measured, "steps" | "stepMs" | "peakBytes">> {
  type Point = { step: number; elapsedMs: number; evaluations: number };
  let first: Point | null = null;
  let last: Point | null = null;
  let evaluations = 0;
  let evaluationMs = 0;
  let peakBytes = 0;
  const hear = (events: readonly RunEvent[]) => {
    for (const event of events) {
      if (event.type === "evaluated") evaluations++;
      if (event.type !== "progress") continue;
      peakBytes = Math.max(peakBytes, event.peakBytes ?? 0);
      evaluationMs = event.evaluationMs ?? 0;
      last = { step: event.step, elapsedMs: event.elapsedMs, evaluations };
      if (event.step >= 2) first ??= last;
      if (first && event.elapsedMs - first.elapsedMs >= budgetMs && event.step - first.step >= LEAST_STEPS) training.cancel();
    }
  };
  const training = train(spec, hear);
  await training.done;
  const [from, to] = [first as Point | null, last as Point | null];
  if (!from || !to || to.step <= from.step) throw new Error("Its steps could not be timed.");
  const steps = to.step - from.step;
  // Where epochs are short, evaluations lie between the steps.
  const spentMs = to.elapsedMs - from.elapsedMs - (to.evaluations - from.evaluations) * evaluationMs;
  return { steps, stepMs: Math.max(0.001, spentMs / steps), peakBytes };
}

/** The time of one pass over the validation rows, out of a few batches of it. */
async function evaluate(spec: TrainSpec, rows: number): Promise<number> {
  const some = Math.min(rows, spec.batchSize * EVALUATED_BATCHES);
  let ms = Number.POSITIVE_INFINITY;
  await train({ ...probeSpec(spec, { train: spec.batchSize * spec.accumulate, validation: some }), epochs: 3 }, (events) => {
    for (const event of events) if (event.type === "progress" && event.evaluationMs) ms = Math.min(ms, event.evaluationMs);
  }).done;
  return Number.isFinite(ms) ? (ms * rows) / some : 0;
}

/** Tokens that are written in the shorter and in the longer of two texts: what they differ by in time is the tokens between. */
const WRITTEN = { few: 4, many: 36 };

/** The time of one text, out of a part of it, with as many tokens before each one as the network is ever shown. */
async function write(spec: TrainSpec): Promise<number> {
  const { generate } = spec;
  if (!generate) return 0;
  const [token = 0] = generate.prompt;
  const prompt = new Array<number>(Math.min(generate.context, 4096)).fill(token);
  const short = { ...probeSpec(spec, { train: spec.batchSize * spec.accumulate, validation: spec.batchSize }), epochs: 1 };
  const time = async (tokens: number) => {
    const started = performance.now();
    await train({ ...short, generate: { ...generate, prompt, tokens, everyEpochs: 1 } }, () => {}).done;
    return performance.now() - started;
  };
  const [few, many] = [await time(WRITTEN.few), await time(WRITTEN.many)];
  return (Math.max(0, many - few) / (WRITTEN.many - WRITTEN.few)) * generate.tokens;
}
