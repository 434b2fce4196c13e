import { expect, test } from "@playwright/test";
import { startFrom, trainFor } from "./studio.ts";

test("a run is turned, paused, resumed and stopped by hand, and its curves say so", async ({ page }) => {
  const modelId = await startFrom(page, "Tabular MLP");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  const panel = page.getByRole("region", { name: "Training settings" });
  await expect(panel.getByLabel("Learning rate", { exact: true })).toBeVisible();
  await expect(panel.getByLabel("Seed", { exact: true })).toHaveCount(0);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/train-simple.png` });
  await panel.getByRole("radio", { name: "Expert" }).click();
  await panel.getByLabel("Seed", { exact: true }).fill("7");
  await panel.getByLabel("Seed", { exact: true }).blur();
  await panel.getByRole("radio", { name: "Simple" }).click();
  // What is not as the recipe has it stays in sight.
  await expect(panel.getByLabel("Seed", { exact: true })).toHaveValue("7");
  await page.getByRole("button", { name: "Close settings" }).click();
  await trainFor(page, 9000);
  await expect(page.getByText("Training", { exact: true }).first()).toBeVisible();

  // Whoever is in another tab reads there how far it is.
  await expect(page).toHaveTitle(/^\d+%, .+ left · Run 1, Tabular MLP/);

  await test.step("the nodes show what the run does to them, with the sizes of the last batch", async () => {
    await page.getByRole("tab", { name: "Graph" }).click();
    const figures = page.getByRole("table");
    await expect(figures.getByRole("columnheader", { name: "Gradient" })).toBeVisible();
    await expect(figures.getByRole("caption")).toContainText(/Step [\d,]+, .* ms, B \d+/);
    await expect(figures.getByRole("row", { name: /ReLU/ }).first()).toContainText("%");
    await figures.getByRole("button", { name: "Linear" }).first().click();
    await expect(page.getByRole("region", { name: /over time/ }).getByRole("img", { name: /^Gradient of/ })).toBeVisible({ timeout: 30_000 });
    await page.getByRole("radio", { name: "Dead" }).click();
    await expect(page.getByText("were 0 for every row of the batch").first()).toBeVisible();
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/glow-run.png` });

    const run = page.url();
    await page.goto(`/models/${modelId}`);
    const pulse = page.getByRole("region", { name: "The run on the canvas" });
    await expect(pulse).toContainText(/Run 1.*step/);
    await pulse.getByRole("radio", { name: "Gradient" }).click();
    await expect(page.locator(".layer-glow").first()).toContainText(/Gradient [\d.e-]+/);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/glow-studio.png` });
    await pulse.getByRole("radio", { name: "Plain" }).click();
    await expect(page.locator(".layer-glow")).toHaveCount(0);
    await page.goto(run);
  });

  const rate = page.getByRole("form", { name: "Learning rate" });
  await rate.getByLabel("New learning rate").fill("0.0005");
  await rate.getByLabel("New learning rate").blur();
  await rate.getByRole("button", { name: "Set" }).click();
  const legend = page.getByRole("list", { name: "Marks on the curves" });
  await expect(legend).toContainText("setting changed");

  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.getByText("Paused", { exact: true }).first()).toBeVisible();
  await expect(legend).toContainText("paused");
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await expect(page.getByText("Training", { exact: true }).first()).toBeVisible();
  await expect(legend).toContainText("resumed");

  await page.getByRole("button", { name: "Stop and keep best" }).click();
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await expect(legend).toContainText("stopped by hand");
});
