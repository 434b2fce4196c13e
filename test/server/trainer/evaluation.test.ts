import { inflateRawSync } from "node:zlib";
import { expect, it } from "vitest";
import { Evaluation } from "../../../core/training/evaluation.ts";
import { Samples } from "../../../server/trainer/evaluation.ts";

const event = {
  type: "evaluated" as const,
  step: 40,
  epoch: 2,
  values: { loss: 0.5 },
  tensors: {},
  samples: {
    y: [
      [0, 4, 4, 255],
      [1, 1, 0, 0],
    ],
    latent: [
      [0.5, -1],
      [2, 3],
      [0, 0],
    ],
  },
};

it("rows of numbers are kept with what would have been right", () => {
  const kept = new Samples({ sampleRows: [0, 9] }, { targets: [[3], [1]] }).describe(event);
  expect(kept.samples).toEqual([
    { row: 0, target: [3], output: [0, 4, 4, 255] },
    { row: 9, target: [1], output: [1, 1, 0, 0] },
  ]);
  expect(kept.latent).toBeUndefined();
});

it("whole pictures are kept as deflated bytes, and nothing beside", () => {
  const kept = Evaluation.parse(new Samples({ sampleRows: [0, 9] }, { targets: [], areBytes: true }).describe(event));
  expect(kept.samples.map(({ row, target, output }) => [row, target, output])).toEqual([
    [0, [], []],
    [9, [], []],
  ]);
  expect(kept.samples.map(({ bytes = "" }) => [...inflateRawSync(Buffer.from(bytes, "base64"))])).toEqual(event.samples.y);
});

it("the latent numbers of the rows of the map become points, with the classes of the rows", () => {
  const points = { output: "latent", rows: [0, 4, 8] };
  const kept = Evaluation.parse(new Samples({ sampleRows: [], points }, { targets: [], classes: [7, 2, 2] }).describe(event));
  expect(kept.latent).toEqual({ rows: [0, 4, 8], x: [0.5, 2, 0], y: [-1, 3, 0], classes: [7, 2, 2], width: 2, explained: 1 });
  const unknown = new Samples({ sampleRows: [], points: { output: "elsewhere", rows: [0] } }, { targets: [] });
  expect(unknown.describe(event).latent).toBeUndefined();
});

it("the confusion of pixels stands where that of rows would", () => {
  const tensors = { pixel_confusion: { shape: [2, 2], data: [8, 2, 1, 9] } };
  const kept = new Samples({ sampleRows: [] }, { targets: [] }).describe({ ...event, tensors });
  expect(kept.confusion).toEqual([
    [8, 2],
    [1, 9],
  ]);
  expect(kept.values.pixel_accuracy).toBeCloseTo(17 / 20, 12);
  expect(kept.values.mean_iou).toBeCloseTo((8 / 11 + 9 / 12) / 2, 12);
});
