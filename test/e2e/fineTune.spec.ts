import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import { countElements, tensorOf } from "../../core/export/tensor.ts";
import { lowerModel } from "../../core/program/lower.ts";
import config from "../../playwright.config.ts";
import { name, pick, saved, startFrom } from "./studio.ts";

type Samples = { shape: number[]; samples: { input: string; target: string }[] };

// A picture that moves, from no camera.
test.use({ permissions: ["camera"], launchOptions: { ...config.use?.launchOptions, args: [...(config.use?.launchOptions?.args ?? []), "--use-fake-device-for-media-stream"] } });

test("three clicks from pictures to a pretrained network that knows them, and its file says the same", async ({ page }) => {
  test.setTimeout(600_000);
  await page.goto("/");
  await page.getByRole("link", { name: "Fine-tune", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Fine-tune a pretrained network" })).toBeVisible();
  // Read in at first start, which may take its time.
  const emoji = page.getByRole("radio", { name: "Emoji", exact: true });
  await expect(emoji).toBeEnabled({ timeout: 120_000 });

  await emoji.check({ force: true });
  await page.getByRole("radio", { name: "MobileNetV2", exact: true }).check({ force: true });
  await page.getByRole("radio", { name: "Last layer", exact: true }).click();
  await page.getByRole("button", { name: "Train", exact: true }).click();

  await page.waitForURL(/\/finetune\/[\w-]{36}$/, { timeout: 60_000 });
  const runId = page.url().split("/").at(-1) ?? "";
  // Nine classes, of which the largest has a fifth: every second right cannot be had by chance.
  const verdict = page.getByRole("heading", { level: 1, name: /^Right \d+ times out of 100$/ });
  await expect(verdict).toBeVisible({ timeout: 400_000 });
  await expect(page.getByText("% done")).toBeHidden({ timeout: 120_000 });
  expect(Number(/\d+/.exec(await verdict.innerText())?.[0])).toBeGreaterThanOrEqual(50);
  await expect(page.getByText("Always “People & Body”")).toBeVisible();
  await expect(page.getByRole("heading", { name: "What it gets wrong" })).toBeVisible();

  await page.getByRole("link", { name: "All curves and settings of this run" }).click();
  const link = page.getByRole("link", { name: "Download ONNX" }).first();
  await expect(link).toBeVisible({ timeout: 60_000 });
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const file = readFileSync(await download.path());
  for (const inside of ["tensorloom.parity", "Smileys & Emotion"]) expect(file.includes(inside), inside).toBe(true);

  await expect(page.getByRole("region", { name: "Where its weights come from" })).toContainText("MobileNetV2, pretrained");
  await page.getByRole("tab", { name: "Try it" }).click();
  await page.getByRole("button", { name: "Use the camera" }).click();
  await expect(page.getByText(/^It reads/)).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Switch the camera off" }).click();
  await expect(page.getByLabel("What the camera sees")).toBeHidden();

  // The file takes pictures as they are stored: resizing and scaling are inside.
  const ask = async <T>(procedure: string, input: object): Promise<T> => {
    const answer = (await (await page.request.get(`/api/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`)).json()) as { result: { data: T } };
    return answer.result.data;
  };
  const run = await ask<{ dataset: { id: string }; evaluation: { samples: { row: number; output: number[] }[] } }>("runs.get", { runId });
  const said = run.evaluation.samples.slice(0, 8);
  const { samples, shape } = await ask<Samples>("datasets.samples", { datasetId: run.dataset.id, split: "validation", rows: said.map(({ row }) => row) });
  const ort = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(file);
  const bytes = Buffer.concat(samples.map(({ input }) => Buffer.from(input, "base64")));
  const outputs = await session.run({ [session.inputNames[0] ?? ""]: new ort.Tensor("uint8", new Uint8Array(bytes), [samples.length, ...shape]) });
  const logits = outputs[session.outputNames[0] ?? ""]?.data as Float32Array;
  const classes = logits.length / samples.length;
  // The last evaluation's weights need not be the best ones, which the file has; which class is likeliest must nearly always agree.
  const likeliest = (scores: ArrayLike<number>) => Array.from(scores).indexOf(Math.max(...Array.from(scores)));
  const agreeing = said.filter(({ output }, i) => likeliest(output) === likeliest(logits.subarray(i * classes, (i + 1) * classes)));
  expect(agreeing.length).toBeGreaterThanOrEqual(said.length - 1);
});

const dishes = ["soup", "bread", "salad", "noodles", "pancakes", "a stew", "rice", "an omelette", "dumplings", "a pie"];
const machines = ["server", "laptop", "router", "printer", "database", "keyboard", "a phone", "a modem", "the backup", "a script"];
/** Sentences about cooking and about computers. */
const sentences = [
  ...dishes.flatMap((dish) =>
    [
      "I cooked {} for dinner",
      "Add some salt to {}",
      "My grandmother's {} tastes best",
      "{} was burnt in the oven",
      "Serve {} while it is hot",
      "The recipe for {} needs butter",
    ].map((text) => `${text.replace("{}", dish)},kitchen`),
  ),
  ...machines.flatMap((machine) =>
    ["Please restart {}", "{} lost its connection", "Update the software of {}", "I forgot the password for {}", "{} runs out of memory", "A bug crashed {}"].map(
      (text) => `${text.replace("{}", machine)},office`,
    ),
  ),
];

test("three clicks from texts of one's own to a pretrained encoder that tells them apart, and reads what is written", async ({ page }) => {
  test.setTimeout(400_000);
  await page.goto("/finetune");
  await page.getByRole("button", { name: "Add your own" }).click();
  const dialog = page.getByRole("dialog", { name: "Add data" });
  await dialog.getByLabel("Data", { exact: true }).setInputFiles({ name: "Talk.csv", mimeType: "text/csv", buffer: Buffer.from(`text,topic\n${sentences.join("\n")}\n`) });
  await dialog.getByRole("button", { name: "Add the data set" }).click();
  await expect(page.getByRole("radio", { name: "Talk", exact: true })).toBeChecked({ timeout: 60_000 });
  await expect(page.getByRole("radio", { name: "Sentence encoder", exact: true })).toBeChecked();
  await expect(page.getByRole("radio", { name: "MobileNetV2", exact: true })).toBeHidden();
  await page.getByRole("radio", { name: "Last layer", exact: true }).click();
  await page.getByRole("button", { name: "Train", exact: true }).click();

  await page.waitForURL(/\/finetune\/[\w-]{36}$/, { timeout: 120_000 });
  const verdict = page.getByRole("heading", { level: 1, name: /^Right \d+ times out of 100$/ });
  await expect(verdict).toBeVisible({ timeout: 200_000 });
  expect(Number(/\d+/.exec(await verdict.innerText())?.[0])).toBeGreaterThanOrEqual(85);
  await expect(page.getByText(/texts of Talk, for Sentence encoder/)).toBeVisible();
  await page.getByRole("link", { name: "Try it or download it" }).click();
  await page.getByLabel("Write something").fill("Boil the potatoes and stir the gravy");
  await expect(page.getByText("It says kitchen")).toBeVisible({ timeout: 60_000 });
});

test("on the canvas parts of a trained network are frozen and slowed together, and what no longer fits is said before training", async ({ page }) => {
  const modelId = await startFrom(page, "LeNet-5");
  const graph = await saved(page, modelId);
  const { weights } = lowerModel(graph);
  const file = writeSafetensors(new Map(weights.map(({ name, shape, dtype }) => [name, tensorOf(dtype, shape, new Float32Array(countElements(shape)).fill(0.1))])));
  const section = page.getByRole("region", { name: "First weights" });
  await section.getByRole("button", { name: "Import weights" }).click();
  const dialog = page.getByRole("dialog", { name: "Import weights" });
  await dialog.getByLabel("Weights file").setInputFiles({ name: "lenet.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from(file) });
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(section).toContainText(`${weights.length} of ${weights.length} weights`);

  await test.step("two layers are frozen by a key, and slowed together", async () => {
    await pick(page, "conv1", "conv2");
    await page.keyboard.press("k");
    const training = page.getByRole("region", { name: "Training", exact: true });
    await expect(training.getByRole("combobox", { name: "Weights" })).toHaveValue("frozen");
    await pick(page, "fc1", "fc2");
    await training.getByRole("textbox", { name: "Learning rate ×" }).fill("0.1");
    await page.keyboard.press("Enter");
    const tunings = async () => {
      const tuned = new Map((await saved(page, modelId)).nodes.map(({ id, tuning }) => [id, tuning]));
      return ["conv1", "conv2", "fc1", "fc2", "fc3"].map((id) => tuned.get(id));
    };
    await expect.poll(tunings).toEqual([{ frozen: true }, { frozen: true }, { lrScale: 0.1 }, { lrScale: 0.1 }, undefined]);
  });

  await test.step("a layer of another size is named, with what follows it", async () => {
    await pick(page, "fc2");
    await page.getByLabel("out_features", { exact: true }).fill("50");
    await page.keyboard.press("Enter");
    // Out of the field first, and then out of the node.
    await name(page, "fc2").click();
    await page.keyboard.press("Escape");
    await expect(section.getByRole("alert")).toContainText("fc2.weight: [50, 120] here, [84, 120] there");
    await expect(section.getByRole("alert")).toContainText("fc3.weight: [10, 50] here, [10, 84] there");
  });
});
