import { execFile } from "node:child_process";
import { ELAPSED } from "../../core/runs/machine.ts";
import type { RunEvent } from "../../core/training/events.ts";

const EVERY_MS = 2_000;
/** The driver's own tool takes some tens of milliseconds. */
const GPU_EVERY = 3;

/**
 * What a training takes of its machine, as points of the run at the step it is at: cores in use and memory of this process, load and memory of the GPU where it
 * trains on one, and the training time, by which charts find the time of a step.
 */
export class Vitals {
  readonly #push: (events: RunEvent[]) => void;
  readonly #gpu: boolean;
  readonly #timer: NodeJS.Timeout;
  #cpu = process.cpuUsage();
  #cpuAt = performance.now();
  #elapsedMs: number | null = null;
  #step = 0;
  #said = 0;
  #turn = 0;

  constructor(options: { gpu: boolean; firstStep: number; push: (events: RunEvent[]) => void }) {
    this.#push = options.push;
    this.#gpu = options.gpu;
    this.#step = this.#said = options.firstStep;
    this.#timer = setInterval(() => void this.#sample(), EVERY_MS);
    this.#timer.unref();
  }

  /** Takes note of how far the run is. Points of a run never step backwards. */
  hear(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type !== "progress") continue;
      this.#step = Math.max(this.#step, event.step);
      this.#elapsedMs = event.elapsedMs;
    }
  }

  /** Says where the time ended. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#step > this.#said && this.#elapsedMs !== null) this.#push([point(ELAPSED, this.#step, this.#elapsedMs / 1_000)]);
    this.#said = this.#step;
  }

  async #sample(): Promise<void> {
    const [step, now] = [this.#step, performance.now()];
    if (step <= this.#said || this.#elapsedMs === null) return;
    this.#said = step;
    const { user, system } = process.cpuUsage(this.#cpu);
    const cores = (user + system) / 1_000 / (now - this.#cpuAt);
    this.#cpu = process.cpuUsage();
    this.#cpuAt = now;
    const own = [point(ELAPSED, step, this.#elapsedMs / 1_000), point("cpu_cores", step, cores), point("memory_bytes", step, process.memoryUsage.rss())];
    this.#push(own);
    if (this.#gpu && this.#turn++ % GPU_EVERY === 0) {
      const gpu = await readGpu();
      if (gpu) this.#push([point("gpu_share", step, gpu.share), point("gpu_memory_bytes", step, gpu.bytes)]);
    }
  }
}

const point = (key: string, step: number, value: number): RunEvent => ({ type: "points", key, steps: [step], values: [value] });

/** Load and memory of the first GPU, by the driver's own tool; null where it does not answer. */
function readGpu(): Promise<{ share: number; bytes: number } | null> {
  return new Promise((resolve) => {
    execFile("nvidia-smi", ["--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"], { timeout: 1_500 }, (error, text) => {
      const [share = Number.NaN, mebibytes = Number.NaN] = (text.split("\n")[0] ?? "").split(",").map(Number);
      resolve(error || !Number.isFinite(share) || !Number.isFinite(mebibytes) ? null : { share: share / 100, bytes: mebibytes * 2 ** 20 });
    });
  });
}
