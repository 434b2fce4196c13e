import { appendPoints, type Bucket, emptySeries, rewind, type Series, seriesOf } from "./series.ts";

type LivePoints = { key: string; steps: readonly number[]; values: readonly (number | null)[] };

/** All metrics of one run as the page has them, by key. */
export type Metrics = ReadonlyMap<string, Series>;

/**
 * Holds a run's metrics outside React. Points may come at any rate; listeners hear of them at most once per `publish` call that
 * `schedule` grants. Until history has been loaded, live points wait, so that neither a gap nor a double can arise.
 */
export class MetricStore {
  readonly #schedule: (publish: () => void) => () => void;
  readonly #listeners = new Set<() => void>();
  #metrics: Metrics = new Map();
  #draft: Map<string, Series> | null = null;
  #waiting: (LivePoints | { rewindTo: number })[] | null = [];
  #cancel: (() => void) | null = null;

  constructor(schedule: (publish: () => void) => () => void = frames()) {
    this.#schedule = schedule;
  }

  /** What to draw. The same object until something changed. */
  read = (): Metrics => this.#metrics;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Whether history is there: before that, no points does not mean that there are none. */
  get loaded(): boolean {
    return this.#waiting === null;
  }

  /** Takes history as the server gave it, then what came live while it was on its way. */
  load(history: readonly { key: string; buckets: readonly Bucket[] }[]): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    this.#draft = new Map(history.map(({ key, buckets }) => [key, seriesOf(buckets)]));
    for (const item of waiting) {
      if ("key" in item) this.append([item]);
      else this.rewindTo(item.rewindTo);
    }
    this.#publish();
  }

  /** From now on live points wait again, because history has to be read anew. */
  hold(): void {
    this.#waiting ??= [];
  }

  append(points: readonly LivePoints[]): void {
    if (this.#waiting) {
      this.#waiting.push(...points);
      return;
    }
    const draft = this.#edit();
    for (const { key, steps, values } of points) draft.set(key, appendPoints(draft.get(key) ?? emptySeries, steps, values));
    this.#ask();
  }

  /** Forgets what came after `step`. True where a coarse bucket reached over it: then history has to be read anew. */
  rewindTo(step: number): boolean {
    if (this.#waiting) {
      this.#waiting.push({ rewindTo: step });
      return false;
    }
    let anyTorn = false;
    const draft = this.#edit();
    for (const [key, series] of draft) {
      const { series: kept, torn } = rewind(series, step);
      draft.set(key, kept);
      anyTorn ||= torn;
    }
    this.#ask();
    return anyTorn;
  }

  #edit(): Map<string, Series> {
    this.#draft ??= new Map(this.#metrics);
    return this.#draft;
  }

  #ask(): void {
    this.#cancel ??= this.#schedule(() => this.#publish());
  }

  #publish(): void {
    this.#stop();
    if (!this.#draft) return;
    this.#metrics = this.#draft;
    this.#draft = null;
    for (const listener of this.#listeners) listener();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}

/** At most eight times a second: what an eye can follow, and what leaves the page's thread to the person. */
const PUBLISH_EVERY_MS = 125;

/**
 * Publishes in an animation frame, so a hidden page draws nothing, and not before the last one is `PUBLISH_EVERY_MS` old. The rest of that time is slept through:
 * a page that asks for every frame is laid out and painted sixty times a second for nothing.
 */
function frames(): (publish: () => void) => () => void {
  let publishedMs = Number.NEGATIVE_INFINITY;
  return (publish) => {
    let frame = 0;
    const timer = setTimeout(
      () => {
        frame = requestAnimationFrame((now) => {
          publishedMs = now;
          publish();
        });
      },
      Math.max(0, publishedMs + PUBLISH_EVERY_MS - performance.now()),
    );
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  };
}
