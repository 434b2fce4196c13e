import { expect, test } from "vitest";
import { type RunFacts, readFacts } from "../../../core/runs/reading.ts";

const figure = (last: number | null, best: number | null, bestStep: number | null, min: number | null, max: number | null) => ({ last, best, bestStep, min, max });
const good: RunFacts = {
  status: "finished",
  summary: {
    "train/loss": figure(0.05, 0.04, 990, 0.04, 2.3),
    "validation/loss": figure(0.07, 0.068, 700, 0.068, 0.9),
    "validation/accuracy": figure(0.98, 0.985, 700, 0.6, 0.985),
  },
  mainMetric: "validation/accuracy",
  epochs: 10,
  epoch: 10,
  stepsPerEpoch: 100,
  lr: 0.01,
  failure: null,
  confusion: null,
  classes: [],
};
const kinds = (run: Partial<RunFacts>) => readFacts({ ...good, ...run }).map(({ kind }) => kind);
const texts = (run: Partial<RunFacts>) => readFacts({ ...good, ...run }).map(({ text }) => text);

test("a sound run is told by its best epoch alone; one still getting better is told to go on", () => {
  expect(texts({})).toEqual(["Best at epoch 7 of 10."]);
  expect(kinds({ summary: { ...good.summary, "validation/accuracy": figure(0.99, 0.99, 1000, 0.6, 0.99) } })).toEqual(["unfinished"]);
  expect(kinds({ epoch: 1 })).toEqual([]);
  expect(kinds({ summary: {} })).toEqual([]);
});

test("it overfits where validation loss rose from its lowest by more than a tenth and training loss ended below", () => {
  expect(texts({ summary: { ...good.summary, "validation/loss": figure(0.12, 0.068, 300, 0.068, 0.9) } })).toContain(
    "Overfits after epoch 3: validation loss rose from there while training loss ended lower.",
  );
  expect(kinds({ summary: { ...good.summary, "validation/loss": figure(0.074, 0.068, 300, 0.068, 0.9) } })).not.toContain("overfit");
});

test("a learning rate is too high where the loss was lost or came back up, and too low where it hardly moved", () => {
  const failure = { code: "RUN_NONFINITE", message: "The loss is not a number since step 4." };
  expect(texts({ status: "failed", failure })).toContain("Learning rate 0.01 looks too high: the loss stopped being a number.");
  expect(kinds({ summary: { "train/loss": figure(2, 0.4, 100, 0.4, 2.4) } })).toEqual(["rate"]);
  expect(texts({ summary: { "train/loss": figure(2.29, 2.28, 100, 2.28, 2.31) } })).toEqual([
    "Learning rate 0.01 looks too low, or the network cannot learn this: training loss stayed between 2.28 and 2.31.",
  ]);
});

const curve = (values: number[], every = 1) => values.map((value, index) => ({ step: (index + 1) * every, value }));
const falling = curve(Array.from({ length: 50 }, (_, step) => 1 / (step + 1)));
const withCurves = (validation: number[], train = falling, run: Partial<RunFacts> = {}) => ({
  summary: {},
  epoch: validation.length,
  stepsPerEpoch: 10,
  curves: { train, validation: curve(validation, 10) },
  ...run,
});

test("curves tell more than the summary: how close the losses are, and since when it learns by heart", () => {
  expect(texts(withCurves([0.2, 0.08, 0.05, 0.03, 0.029]))).toEqual(["Training and validation stay close: no overfitting."]);
  expect(texts(withCurves([0.3, 0.1, 0.15, 0.2, 0.3]))[0]).toMatch(/^Overfits after epoch 2: validation loss rises while training loss falls/);
  expect(texts(withCurves([0.5, 0.2, 0.1, 0.05, 0.03], falling, { status: "running" }))).toEqual(["Training and validation stay close and still fall."]);
  const diverging = curve(Array.from({ length: 50 }, (_, step) => step));
  expect(kinds(withCurves([1, 10, 20, 30, 40], diverging))).not.toContain("overfit");
  expect(texts(withCurves([]))).toEqual([]);
});

test("epochs are counted by their evaluations, whatever became of the batch size on the way", () => {
  const validation = [10, 20, 25, 30, 35].map((step, at) => ({ step, value: [0.3, 0.2, 0.1, 0.2, 0.3][at] ?? null }));
  const run = withCurves([], falling.slice(0, 35), { epoch: 5, stepsPerEpoch: 7, summary: { "validation/loss": figure(0.3, 0.1, 25, 0.1, 0.3) }, mainMetric: null });
  expect(texts({ ...run, curves: { train: falling.slice(0, 35), validation } }).slice(0, 2)).toEqual(["Best at epoch 3 of 5.", expect.stringMatching(/^Overfits after epoch 3/)]);
});

test("of confusions it has words for a clean sheet, for one error and for none counted", () => {
  const of = (confusion: number[][]) => texts({ confusion, summary: {} }).at(-1);
  expect(
    of([
      [5, 0],
      [0, 5],
    ]),
  ).toBe("Gets every validation row right.");
  expect(
    of([
      [5, 1],
      [0, 5],
    ]),
  ).toBe("Confuses class 0 with class 1 most (1 of 1 error).");
  expect(
    of([
      [0, 0],
      [0, 0],
    ]),
  ).toBeUndefined();
});

test("it names the classes that are confused most, and says when nothing was learnt", () => {
  const classes = ["cat", "dog", "fox"];
  expect(
    texts({
      classes,
      confusion: [
        [90, 1, 9],
        [0, 100, 0],
        [3, 0, 97],
      ],
    }),
  ).toContain("Confuses cat with fox most (12 of 13 errors).");
  expect(
    kinds({
      classes,
      confusion: [
        [0, 50, 0],
        [0, 50, 0],
        [0, 50, 0],
      ],
    }),
  ).toContain("guessing");
});
