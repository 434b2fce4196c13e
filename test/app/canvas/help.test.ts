import { expect, it } from "vitest";
import { exampleOf } from "../../../app/canvas/help/example.ts";
import { layers } from "../../../core/layers/index.ts";

it("help draws every layer: its curve, or an example of what goes in and comes out", () => {
  expect(layers.filter((layer) => !layer.curve && !exampleOf(layer)).map(({ title }) => title)).toEqual([]);
});
