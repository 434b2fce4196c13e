import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { architectures } from "../../../core/architectures/index.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { type Body, Graph } from "../../../core/graph/document.ts";
import { LIMITS } from "../../../core/graph/limits.ts";
import { weightName } from "../../../core/graph/path.ts";

const { models } = z
  .object({ about: z.string(), models: z.record(z.string(), z.array(z.string())) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "published.json"), "utf8")));

/** PyTorch's attention draws its weights in another order than it lists them; a second output comes where its way does. */
const OTHER_ORDER = new Set(["vit_b_16", "deeplabv3_mobilenet_v3_large"]);

it("each architecture has a published list, and each list an architecture", () => {
  expect(architectures.map(({ id }) => id)).toEqual(Object.keys(models));
});

describe.each(architectures.map((architecture) => [architecture.title, architecture] as const))("%s", (_, architecture) => {
  const graph = architecture.build();
  const checked = checkGraph(graph);
  const published = models[architecture.id] ?? [];

  it("has the weights of the original, by name and shape", () => {
    const own = checked.order.flatMap((path) => Object.entries(checked.weights.get(path) ?? {}).map(([name, { shape }]) => [weightName(path, name), ...shape].join(" ")));
    const theirs = published.filter((weight) => ![...checked.shared.keys()].some((name) => weight.startsWith(`${name} `)));
    const ours = own.filter((weight) => !weight.includes("num_batches_tracked"));
    if (OTHER_ORDER.has(architecture.id)) expect(ours.sort()).toEqual(theirs.sort());
    else expect(ours).toEqual(theirs);
  });

  it("has the published number of parameters", () => {
    expect(checked.totals.parameters).toBe(architecture.parameters);
    // The same once more from the list: all but buffers and what is tied.
    const counted = published
      .filter((weight) => !/running_(mean|var) /.test(weight) && ![...checked.shared.keys()].some((name) => weight.startsWith(`${name} `)))
      .reduce(
        (sum, weight) =>
          sum +
          weight
            .split(" ")
            .slice(1)
            .map(Number)
            .reduce((a, b) => a * b, 1),
        0,
      );
    expect(counted).toBe(architecture.parameters);
  });

  it("is free of problems and within the limits of a saved graph", () => {
    // U-Net ends as published; a loss on plain scores would go without its Sigmoid.
    expect(checked.problems.map(({ code }) => code)).toEqual(architecture.id === "unet" ? ["GRAPH_LINT"] : []);
    expect(Graph.parse(graph)).toEqual(graph);
    expect(JSON.stringify(graph).length).toBeLessThan(LIMITS.jsonBytes / 4);
  });

  it("takes other numbers of classes and channels", () => {
    const { classes, channels } = architecture.choices;
    const other = checkGraph(architecture.build({ ...(classes ? { classes: 7 } : {}), ...(channels ? { channels: 1 } : {}) }));
    expect(other.problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const outputs = [...other.types].filter(([path]) => path === "out_y").map(([, { inputs }]) => inputs.x);
    if (architecture.task === "Image classification") expect(outputs).toEqual([{ dtype: "float32", shape: ["B", 7] }]);
    if (channels) expect(other.types.get("in_x")?.outputs.y?.shape[1]).toBe(1);
    expect(other.totals.parameters).toBeLessThan(architecture.parameters + (architecture.id === "unet" ? 1000 : 0));
  });

  it("stands tidily at every level: no two nodes on one another", () => {
    for (const body of bodiesIn(graph)) {
      const corners = body.nodes.map(({ at }) => at);
      for (const [i, a] of corners.entries()) {
        for (const b of corners.slice(i + 1)) expect(Math.abs(a.x - b.x) >= 184 || Math.abs(a.y - b.y) >= 52).toBe(true);
      }
    }
  });

  it("leaves as PyTorch code whose attributes need no other names", () => {
    // Numbered parts that do not stand one behind the other are no Sequential: the code has other names for them, and says which.
    expect(exportPyTorch(graph).includes("renamed = {")).toBe(architecture.id === "deeplabv3_mobilenet_v3_large");
  });
});

function bodiesIn(body: Body): Body[] {
  return [body, ...body.nodes.flatMap(({ bodies }) => Object.values(bodies ?? {}).flatMap(bodiesIn))];
}
