import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { fromBase64 } from "../../../core/data/base64.ts";
import { encodeNpy, encodeNpyHeader } from "../../../core/data/npy.ts";
import { writeSafetensors } from "../../../core/export/safetensors.ts";
import { tensorOf } from "../../../core/export/tensor.ts";
import { addNode, connect } from "../../../core/graph/edit.ts";
import type { PreviewOrder } from "../../../core/preview/order.ts";
import { lowerTraining } from "../../../core/program/lower.ts";
import { chain } from "../../../core/templates/sketch.ts";
import { findLoss } from "../../../core/training/losses/index.ts";
import { PreviewHost } from "../../../server/preview/host.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-preview-"));
const hosts: PreviewHost[] = [];
const open = (...args: ConstructorParameters<typeof PreviewHost>) => {
  const host = new PreviewHost(...args);
  hosts.push(host);
  return host;
};
afterEach(() => {
  for (const host of hosts.splice(0)) host.close();
});

/** Two rows of two pixels by two. */
const pictures = join(folder, "pictures.npy");
writeFileSync(pictures, Buffer.concat([encodeNpyHeader("|u1", [2, 1, 2, 2]), Uint8Array.of(0, 0, 0, 0, 0, 255, 51, 0)]));

const network = chain([
  ["input", "input", { shape: [1, 2, 2] }],
  ["drop", "dropout", { p: 0.5 }],
  ["flat", "flatten"],
  ["twice", "linear", { out_features: 3 }],
  ["output", "output"],
]);

const order = (change: Partial<PreviewOrder> = {}): PreviewOrder => ({
  graph: network,
  preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.5], std: [0.5] },
  arrays: { input: { file: pictures, dtype: "uint8", shape: [1, 2, 2] }, lengths: null, more: {} },
  row: 1,
  weights: { file: null, seed: 3 },
  training: false,
  draw: 1,
  paths: network.nodes.map(({ id }) => id),
  large: null,
  ...change,
});

describe("the preview process", () => {
  it("sends the chosen row through the drawing and gives a picture of each node's output", async () => {
    const { values, failures, weights } = await open().evaluate("a", "1", order());
    expect(failures).toEqual([]);
    expect(weights).toEqual({ matched: 0, total: 4 });
    expect(values.map(({ path, port }) => `${path} ${port}`)).toEqual(["input y", "drop y", "flat y", "twice y", "output x"]);
    const [input, drop, flat, twice, output] = values.map(({ small }) => small);
    expect(input).toMatchObject({ shape: [1, 1, 2, 2], min: -1, max: 1, view: { kind: "image", natural: true, channels: 1 } });
    expect(Buffer.from(input?.view.kind === "image" ? input.view.bytes : "", "base64")).toEqual(Buffer.from([0, 255, 51, 0]));
    expect(drop).toEqual(input);
    expect(flat?.view).toEqual({ kind: "numbers", values: [-1, 1, expect.closeTo(-0.6, 5), -1] });
    expect(twice?.shape).toEqual([1, 3]);
    expect(output).toEqual(twice);
  });

  it("gives out what layers give for several rows, as numbers, unless that is too much", async () => {
    const file = join(folder, "trained.safetensors");
    writeFileSync(
      file,
      writeSafetensors(
        new Map([
          ["input.mean", tensorOf("float32", [1, 1, 1], [0.5])],
          ["input.std", tensorOf("float32", [1, 1, 1], [0.5])],
          ["twice.weight", tensorOf("float32", [3, 4], [1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1])],
          ["twice.bias", tensorOf("float32", [3], [0, 0, 0.5])],
        ]),
      ),
    );
    const { graph, preprocess, arrays } = order();
    const asked = { graph, preprocess, arrays, file, rows: [0, 1], node: null, mostBytes: 1_000 };
    const host = open();
    const { tensors, bytes } = await host.activations("a", "1", asked);
    const numbers = (name: string) => {
      const found = tensors.find((tensor) => tensor.name === name);
      return found && { shape: found.shape, values: Array.from(new Float32Array(fromBase64(found.data).buffer), (value) => Number(value.toFixed(4))) };
    };
    expect(tensors.map(({ name }) => name)).toEqual(["input", "drop", "flat", "twice", "output"]);
    expect(numbers("flat")).toEqual({ shape: [2, 4], values: [-1, -1, -1, -1, -1, 1, -0.6, -1] });
    expect(numbers("twice")).toEqual({ shape: [2, 3], values: [-1, -1, -3.5, -1, 1, -1.1] });
    expect(bytes).toBe(3 * 32 + 2 * 24);
    expect((await host.activations("a", "1", { ...asked, node: "twice" })).tensors).toEqual([tensors[3]]);
    expect(await host.activations("a", "1", { ...asked, mostBytes: 100 })).toEqual({ bytes, tensors: [] });
  });

  it("gives out how the loss of several rows changes with each weight", async () => {
    const file = join(folder, "learnt.safetensors");
    const weights = [1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1];
    writeFileSync(
      file,
      writeSafetensors(
        new Map([
          ["input.mean", tensorOf("float32", [1, 1, 1], [0.5])],
          ["input.std", tensorOf("float32", [1, 1, 1], [0.5])],
          ["twice.weight", tensorOf("float32", [3, 4], weights)],
          ["twice.bias", tensorOf("float32", [3], [0, 0, 0.5])],
        ]),
      ),
    );
    const classes = join(folder, "classes.npy");
    writeFileSync(classes, encodeNpy("int64", [2], BigInt64Array.of(2n, 0n)));
    const { preprocess, arrays } = order();
    const { program } = lowerTraining(network, { preprocess, loss: findLoss("CrossEntropyLoss"), metrics: [], target: { classes: 3, type: { dtype: "int64", shape: ["B"] } } });
    const target = { file: classes, dtype: "int64" as const, shape: [] };
    const asked = { program, arrays: { ...arrays, more: { target } }, file, rows: [0, 1], node: null, mostBytes: 1_000 };
    const host = open();
    const { tensors, bytes } = await host.gradients("a", "1", asked);

    // (softmax(Wx + b) − the right class) xᵀ, over the rows.
    const rows = [
      [-1, -1, -1, -1],
      [-1, 1, -0.6, -1],
    ];
    const blame = rows.map((row, at) => {
      const scores = [0, 1, 2].map((unit) => Math.exp(row.reduce((sum, x, i) => sum + x * (weights[unit * 4 + i] ?? 0), unit === 2 ? 0.5 : 0)));
      const all = scores.reduce((a, b) => a + b);
      return scores.map((score, unit) => (score / all - (unit === [2, 0][at] ? 1 : 0)) / 2);
    });
    const expected = {
      "twice.weight": [0, 1, 2].flatMap((unit) => [0, 1, 2, 3].map((i) => rows.reduce((sum, row, at) => sum + (blame[at]?.[unit] ?? 0) * (row[i] ?? 0), 0))),
      "twice.bias": [0, 1, 2].map((unit) => blame.reduce((sum, row) => sum + (row[unit] ?? 0), 0)),
    };
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ["twice.weight", [3, 4]],
      ["twice.bias", [3]],
    ]);
    for (const { name, data } of tensors)
      expect(Array.from(new Float32Array(fromBase64(data).buffer))).toEqual(expected[name as keyof typeof expected].map((value) => expect.closeTo(value, 5)));
    expect(bytes).toBe(60);
    expect((await host.gradients("a", "1", { ...asked, node: "drop" })).tensors).toEqual([]);
    expect(await host.gradients("a", "1", { ...asked, mostBytes: 50 })).toEqual({ bytes: 60, tensors: [] });
  });

  it("shows what is random in training as it is there, the same for the same draw", async () => {
    const host = open();
    const seen = async (draw: number) => (await host.evaluate("a", "1", order({ training: true, draw, paths: ["drop"] }))).values[0]?.small;
    const draws = await Promise.all(Array.from({ length: 6 }, async (_, draw) => seen(draw)).map((one) => one.catch(() => null))).then((all) => all.filter(Boolean));
    expect(draws.length).toBeGreaterThan(0);
    const [first, second] = [await seen(5), await seen(5)];
    expect(first).toEqual(second);
    const zeros = [];
    for (const draw of [1, 2, 3, 4]) zeros.push((await seen(draw))?.zeros ?? 0);
    expect(Math.max(...zeros)).toBeGreaterThan(0);
  });

  it("shows what comes before a mistake, and says at which node a row breaks", async () => {
    const wrong = connect(
      addNode(network, { type: "conv2d", at: { x: 0, y: 0 }, id: "conv", params: { out_channels: 2 } }),
      { node: "flat", port: "y" },
      { node: "conv", port: "x" },
    );
    const host = open();
    expect((await host.evaluate("a", "1", order({ graph: wrong, paths: ["flat", "conv"] }))).values.map(({ path }) => path)).toEqual(["flat"]);
    // The drawing is right, but this data set has other pictures.
    const other = chain([
      ["input", "input", { shape: [1, 4, 4] }],
      ["flat", "flatten"],
      ["output", "output"],
    ]);
    const { failures } = await host.evaluate("a", "1", order({ graph: other, paths: ["flat"] }));
    expect(failures).toEqual([{ node: "input", message: expect.stringMatching(/4/) }]);
  });

  it("is started anew after a crash, which costs one order at most", async () => {
    const host = open();
    await host.evaluate("a", "1", order());
    const before = host.pid;
    const asked = host.evaluate("a", "1", order());
    process.kill(before ?? 0, "SIGKILL");
    await expect(asked).rejects.toMatchObject({ code: "PREVIEW_FAILED" });
    expect((await host.evaluate("a", "1", order())).values).toHaveLength(5);
    expect(host.pid).not.toBe(before);
  });
});

describe("the order of previews", () => {
  const stand = join(folder, "stand.mjs");
  // Takes what the seed says; answers with the row.
  writeFileSync(
    stand,
    `process.on("message", ({ id, order }) => {
       if (order.row === 99) return;
       if (order.row === 98) return process.send({ id, ok: true, answer: { values: [{ path: "x", port: "y", small: { min: "far" } }] }, rssBytes: 0 });
       setTimeout(() => process.send({ id, ok: true, answer: { values: [], failures: [], weights: { matched: order.row, total: 0 }, ms: 0 }, rssBytes: 0 }), 20);
     });
     process.send({ ready: true });`,
  );

  it("lets organizations take turns", async () => {
    const host = open({}, stand);
    const done: string[] = [];
    const ask = (org: string, key: string) => host.evaluate(org, key, order()).then(() => done.push(`${org}${key}`));
    await Promise.all([ask("a", "1"), ask("a", "2"), ask("a", "3"), ask("b", "1")]);
    expect(done).toEqual(["a1", "b1", "a2", "a3"]);
  });

  it("keeps only the newest of what one person asks about a model, and refuses what is too much for one organization", async () => {
    const host = open({ waiting: 2 }, stand);
    const under = host.evaluate("a", "1", order({ row: 1 }));
    const dropped = expect(host.evaluate("a", "2", order({ row: 0 }))).rejects.toMatchObject({ code: "PREVIEW_DROPPED" });
    const newest = host.evaluate("a", "2", order({ row: 1 }));
    await dropped;
    expect((await Promise.all([under, newest])).map(({ weights }) => weights.matched)).toEqual([1, 1]);
    const many = await Promise.allSettled([1, 2, 3, 4].map((key) => host.evaluate("a", String(key), order())));
    expect(many.filter(({ status }) => status === "rejected").map((one) => one.status === "rejected" && one.reason.code)).toContain("QUEUE_FULL");
  });

  it("refuses an answer that is none, and goes on with the next", async () => {
    const host = open({}, stand);
    await expect(host.evaluate("a", "1", order({ row: 98 }))).rejects.toMatchObject({ code: "PREVIEW_FAILED" });
    expect((await host.evaluate("b", "1", order())).failures).toEqual([]);
  });

  it("ends an order that takes too long, and goes on with the next", async () => {
    const host = open({ wallMs: 150 }, stand);
    await host.evaluate("a", "1", order());
    const stuck = expect(host.evaluate("a", "1", order({ row: 99 }))).rejects.toMatchObject({ code: "PREVIEW_FAILED", message: expect.stringContaining("0.15 s") });
    const next = host.evaluate("b", "1", order());
    await stuck;
    expect((await next).failures).toEqual([]);
  });
});

process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
