import { expect, it } from "vitest";
import { sections } from "../../../app/canvas/categories.ts";
import { exampleOf } from "../../../app/canvas/help/example.ts";
import { layerItems, searchItems } from "../../../app/canvas/shelf.ts";
import { layers } from "../../../core/layers/index.ts";

it("help draws every layer: its curve, or an example of what goes in and comes out", () => {
  expect(layers.filter((layer) => !layer.curve && !exampleOf(layer)).map(({ title }) => title)).toEqual([]);
});

it("every layer has its place in the palette: in one section, and first of what its own name finds", () => {
  const shown = sections.flatMap(({ category }) => layerItems.filter((item) => item.category === category));
  expect(shown.map(({ title }) => title).sort()).toEqual(layers.map(({ title }) => title).sort());
  expect(
    layers
      .filter(
        ({ title }) =>
          !searchItems(title, [])
            .slice(0, 3)
            .some((item) => item.title === title),
      )
      .map(({ title }) => title),
  ).toEqual([]);
});
