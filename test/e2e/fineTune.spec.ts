import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import config from "../../playwright.config.ts";

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
