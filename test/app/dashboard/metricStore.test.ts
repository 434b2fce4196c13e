import { beforeEach, describe, expect, test } from "vitest";
import { MetricStore } from "../../../app/dashboard/metricStore.ts";
import { pointCount } from "../../../app/dashboard/series.ts";

let frames: (() => void)[] = [];
function draw(): void {
  for (const publish of frames.splice(0)) publish();
}
function makeStore(): MetricStore {
  return new MetricStore((publish) => {
    frames.push(publish);
    return () => {};
  });
}
const bucket = (step: number, value: number) => ({ from: step, to: step, first: value, last: value, min: value, max: value, count: 1 });
const losses = (store: MetricStore) =>
  store
    .read()
    .get("train/loss")
    ?.buckets.map(({ to, last }) => [to, last]);

beforeEach(() => {
  frames = [];
});

describe("the metrics of a watched run", () => {
  test("points that come while history is on its way join it without a gap or a double", () => {
    const store = makeStore();
    store.append([{ key: "train/loss", steps: [2, 3, 4], values: [2, 3, 4] }]);
    store.load([{ key: "train/loss", buckets: [bucket(1, 1), bucket(2, 2), bucket(3, 3)] }]);
    expect(losses(store)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  test("any number of batches within a frame is one change for the page", () => {
    const store = makeStore();
    store.load([]);
    let heard = 0;
    store.subscribe(() => heard++);
    const before = store.read();
    for (let step = 1; step <= 50; step++)
      store.append([
        { key: "train/loss", steps: [step], values: [step] },
        { key: "lr", steps: [step], values: [0.1] },
      ]);
    expect(store.read()).toBe(before);
    draw();
    expect(heard).toBe(1);
    expect(pointCount(store.read().get("lr") ?? { bucketSize: 1, buckets: [] })).toBe(50);
  });

  test("a rewind takes back what came after the checkpoint, and the points that follow replace it", () => {
    const store = makeStore();
    store.load([{ key: "train/loss", buckets: [bucket(1, 1), bucket(2, 2), bucket(3, 3)] }]);
    expect(store.rewindTo(1)).toBe(false);
    store.append([{ key: "train/loss", steps: [2], values: [20] }]);
    draw();
    expect(losses(store)).toEqual([
      [1, 1],
      [2, 20],
    ]);
  });

  test("a rewind into the middle of a coarse bucket asks for history again, and live points wait for it", () => {
    const store = makeStore();
    store.load([{ key: "train/loss", buckets: [{ ...bucket(8, 8), from: 1, count: 8 }] }]);
    expect(store.rewindTo(4)).toBe(true);
    store.hold();
    store.append([{ key: "train/loss", steps: [5], values: [50] }]);
    store.load([{ key: "train/loss", buckets: [bucket(4, 4)] }]);
    expect(losses(store)).toEqual([
      [4, 4],
      [5, 50],
    ]);
  });
});
