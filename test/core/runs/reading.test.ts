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
