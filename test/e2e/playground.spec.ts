import { expect, test } from "@playwright/test";
import { allowed } from "../allowed.ts";
import { startFrom } from "./studio.ts";

test("a newcomer sees a curve move after two clicks", async ({ page }) => {
  await page.goto("/");
  const template = page.getByRole("button", { name: "Start from Playground: moons", exact: true });
  await expect(template).toBeEnabled();
  const begun = Date.now();
  await template.click();
  await page
    .getByRole("button", { name: /^Train/ })
    .first()
    .click();
  const steps = page.getByRole("region", { name: "Loss", exact: true }).locator("[data-last-step]");
  const lastStep = async () => Number(await steps.getAttribute("data-last-step"));
  await expect(steps).toBeVisible({ timeout: 60_000 });
  await expect.poll(lastStep, { timeout: 60_000, intervals: [50] }).toBeGreaterThan(1);
  const [first, seconds] = [await lastStep(), (Date.now() - begun) / 1000];
  // The whole run takes seconds, so it may have ended by now.
  await expect.poll(async () => (await lastStep()) > first || (await page.getByText("Finished", { exact: true }).count()) > 0, { timeout: 60_000, intervals: [50] }).toBe(true);
  console.log(`A newcomer's first curve moved ${seconds.toFixed(1)} s after the first of two clicks.`);
  expect(seconds * 1_000).toBeLessThan(allowed(10_000));
});

test("two half moons are parted before one's eyes", async ({ page }) => {
  await startFrom(page, "Playground: moons");
  await page.getByRole("button", { name: "Train", exact: false }).first().click();
  await page.waitForURL(/\/runs\//);
  const map = page.getByRole("region", { name: "Decision boundary" });
  await expect(map.getByRole("img", { name: /What the network decides/ })).toBeVisible({ timeout: 60_000 });
  await expect(map.locator("circle").first()).toBeVisible();
  await expect.poll(() => map.locator("circle").count()).toBeGreaterThan(300);
  await expect(page.getByText("finished", { exact: false }).first()).toBeVisible({ timeout: 60_000 });
  await expect(map.getByText("epoch 150")).toBeVisible();
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/playground.png`, fullPage: true });
});

test("layers can be looked up, and an example of one opened on a canvas", async ({ page }) => {
  await page.goto("/layers");
  const shoot = async (name: string) => {
    if (!process.env.SHOTS) return;
    await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: `${process.env.SHOTS}/${name}-dark.png` });
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: `${process.env.SHOTS}/${name}-phone.png` });
    await page.setViewportSize({ width: 1440, height: 900 });
  };
  await shoot("layers");
  await page.getByRole("searchbox", { name: "Find a layer" }).fill("image filter");
  await expect(page.getByRole("link", { name: /^Conv2d/ })).toBeVisible();
  await expect(page.getByRole("link", { name: /^LSTM/ })).toHaveCount(0);
  await page.getByRole("link", { name: /^Conv2d/ }).click();
  await expect(page.getByRole("heading", { name: "Conv2d", level: 1 })).toBeVisible();
  await expect(page.getByText("nn.Conv2d(").first()).toBeVisible();
  await expect(page.getByRole("img", { name: /The window of Conv2d/ })).toBeVisible();
  await page.getByRole("button", { name: "Next place" }).click();
  await shoot("layer-conv2d");
  await page.getByRole("link", { name: "Open this example on a canvas" }).click();
  await page.waitForURL(/\/(open|models)/);
  await expect(page.getByText("Conv2d at work").first()).toBeVisible();
  await page.goto("/layers/gelu");
  await expect(page.getByRole("img", { name: /Curve of GELU/ })).toBeVisible();
  await shoot("layer-gelu");
  await page.goto("/layers/nothing");
  await expect(page.getByRole("heading", { name: "There is nothing at this address" })).toBeVisible();
});
