import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { readNpyHeader } from "../../core/data/npy.ts";
import { findTemplate } from "../../core/templates/index.ts";
import { deriveValues } from "../../core/training/metrics/index.ts";
import { temporaryFolder, trainAll } from "./specs.ts";
import { specOfTemplate } from "./templates.ts";

/** That templates of zones learn at all, on a share of their data; `test/bench/templates.ts` trains them to the figures in their docs. */

const folder = temporaryFolder();
afterAll(folder.remove);

it.each([
  // Two classes of names; ten of digits.
  ["gate-lstm", 0.75],
  ["early-exit-cnn", 0.85],
  ["adaptive-computation", 0.8],
  ["routed-experts", 0.8],
  ["lenet5", 0.9],
])("%s learns", async (id, accuracy) => {
  const template = findTemplate(id);
  if (!template) throw new Error(`There is no template ${id}.`);
  const spec = await specOfTemplate(template, folder.path, { schedule: "constant", epochs: 2, batchSize: 64 }, { train: 4_000, validation: 1_000 });
  const { events } = await trainAll(spec);
  const last = events.findLast((event) => event.type === "evaluated");
  expect(last?.values.accuracy).toBeGreaterThan(accuracy);
  if (id === "early-exit-cnn") expect(last?.values["loss/taken"]).toBeGreaterThan(0.2);
  if (id === "adaptive-computation") expect(last?.values["loss/ponder"]).toBeGreaterThan(1);
  // Where all went one way, it would be 4.
  if (id === "routed-experts") expect(last?.values["loss/balance"]).toBeLessThan(2);
});

it.each([
  ["tabular-mlp", "accuracy", 0.97],
  ["tabular-embedding", "accuracy", 0.97],
  // The mean of all cars is 0.
  ["fuel-mlp", "r2", 0.85],
])("%s learns its table as well as it says (%s)", async (id, metric, least) => {
  const template = findTemplate(id);
  if (!template) throw new Error(`There is no template ${id}.`);
  const { events } = await trainAll({ ...(await specOfTemplate(template, folder.path)), threads: 1 });
  const last = events.findLast((event) => event.type === "evaluated");
  expect({ ...last?.values, ...deriveValues(last?.tensors ?? {}) }[metric]).toBeGreaterThan(least);
});

it("the bag of words tells spam better than naive Bayes, which gets 0.964 of the same mails right", async () => {
  const template = findTemplate("mail-bag");
  if (!template) throw new Error("The template is there.");
  const { events } = await trainAll(await specOfTemplate(template, folder.path));
  expect(events.findLast((event) => event.type === "evaluated")?.values.accuracy).toBeGreaterThan(0.97);
}, 300_000);

it("the U-Net finds shapes that it has not seen, pixel by pixel", async () => {
  const template = findTemplate("unet-small");
  if (!template) throw new Error("There is no such template.");
  const spec = await specOfTemplate(template, folder.path, { epochs: 5 }, { train: 480, validation: 100 });
  // Two threads would spend their time waiting for each other while other tests run.
  const { events } = await trainAll({ ...spec, threads: 1 });
  const last = events.findLast((event) => event.type === "evaluated");
  const { mean_iou = 0 } = deriveValues(last?.tensors ?? {});
  // All background is 0.17.
  expect(mean_iou).toBeGreaterThan(0.3);
}, 300_000);

it.each([
  // A grey picture is 0.068 off on average.
  ["conv-autoencoder", 0.03],
  ["vae", 0.06],
  ["adversarial-autoencoder", 0.06],
])("%s draws digits again that it has not seen", async (id, error) => {
  const template = findTemplate(id);
  if (!template) throw new Error(`There is no template ${id}.`);
  const { events } = await trainAll(await specOfTemplate(template, folder.path, { schedule: "constant", epochs: 4, batchSize: 32 }, { train: 4_000, validation: 1_000 }));
  const last = events.findLast((event) => event.type === "evaluated");
  expect(last?.values.reconstruction_error).toBeLessThan(error);
  // Where the clouds were all the same, nothing would be said of a digit.
  if (id === "vae") expect(last?.values["loss/kl"]).toBeGreaterThan(1);
  if (id === "adversarial-autoencoder") {
    // Neither side has won: 2 ln 2 is guessing, and a discriminator that tells all codes from noise comes near 0.
    expect(last?.values["loss/told"]).toBeGreaterThan(0.8);
    const codes = (last?.samples?.latent ?? []).flat().map(Number);
    expect(codes.length).toBeGreaterThan(100);
    expect(Math.sqrt(codes.reduce((sum, code) => sum + code ** 2, 0) / codes.length)).toBeLessThan(2.5);
  }
});

it("a straight line forecasts births better than the last week again, which is 322 a day off", async () => {
  const template = findTemplate("births-linear");
  if (!template) throw new Error("There is no such template.");
  const spec = await specOfTemplate(template, folder.path, { epochs: 3 });
  const { events } = await trainAll({ ...spec, threads: 1 });
  const last = events.findLast((event) => event.type === "evaluated");
  expect(last?.values.mae).toBeLessThan(322.4);
  // In the same windows: 14 days each.
  expect(Object.values(last?.samples ?? {})[0]?.[0]).toHaveLength(14);
});

it("an LSTM over letters knows more of a novel than how often each letter is, and writes on", async () => {
  const template = findTemplate("char-lstm");
  if (!template) throw new Error("There is no such template.");
  const spec = await specOfTemplate(template, folder.path, { epochs: 2, lr: 1e-2, writing: { prompt: "Call me", tokens: 40, temperature: 0.5 } }, { train: 640, validation: 64 });
  const { events } = await trainAll({ ...spec, threads: 1 });
  // The entropy of single letters is 4.4 bits.
  expect(events.findLast((event) => event.type === "evaluated")?.values.bits_per_character).toBeLessThan(4.2);
  const texts = events.filter((event) => event.type === "generated");
  expect(texts.map(({ tokens }) => tokens.length)).toEqual([47, 47]);
});

it("a GPT over parts of words, found by byte-pair encoding, knows more than how often each part is, and writes on", async () => {
  const template = findTemplate("parts-gpt");
  if (!template) throw new Error("There is no such template.");
  const spec = await specOfTemplate(
    template,
    folder.path,
    { epochs: 2, lr: 3e-3, schedule: "constant", writing: { prompt: "Call me", tokens: 40, temperature: 0.5 } },
    { train: 1_280, validation: 64 },
  );
  const { events } = await trainAll({ ...spec, threads: 1 });
  const last = events.findLast((event) => event.type === "evaluated");
  const { file } = spec.data.validation.arrays.target ?? {};
  if (!file) throw new Error("There are targets.");
  const counts = new Map<bigint, number>();
  const bytes = readFileSync(file);
  const data = new BigInt64Array(Uint8Array.from(bytes.subarray(readNpyHeader(bytes).offset)).buffer);
  for (const part of data) counts.set(part, (counts.get(part) ?? 0) + 1);
  const entropy = [...counts.values()].reduce((sum, count) => sum - (count / data.length) * Math.log(count / data.length), 0);
  expect(last?.values.loss).toBeLessThan(entropy - 0.5);
  const texts = events.filter((event) => event.type === "generated");
  expect(texts).toHaveLength(2);
});
