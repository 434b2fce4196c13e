import { expect, test } from "@playwright/test";
import { ask, look, startFrom, trainFor } from "./studio.ts";

test("a U-Net learns masks: classes, pictures and found masks stand beside each other, and the browser finds them too", async ({ page }) => {
  await startFrom(page, "Small U-Net");
  await trainFor(page, 1);
  const classes = page.getByRole("region", { name: "IoU of each class" });
  await expect(classes.getByRole("row")).toHaveCount(6, { timeout: 120_000 });
  await expect(classes).toContainText("triangle");
  const samples = page.getByRole("region", { name: "Samples", exact: true });
  // Eight rows: the picture, the true mask over it, and the one that was found.
  await expect(samples.getByRole("img")).toHaveCount(24);
  await samples.getByRole("radio", { name: "Errors" }).click();
  await expect(samples).toContainText("wrong pixels");
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 60_000 });
  await page.getByRole("tab", { name: "Try it" }).click();
  await expect(page.getByText(/% of the pixels right/)).toBeVisible();
});

test("an autoencoder's pictures stand below what they were made from, and the map shows where each lies", async ({ page }) => {
  await startFrom(page, "Convolutional autoencoder");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  const panel = page.getByRole("region", { name: "Training settings" });
  await panel.getByRole("radio", { name: "Expert" }).click();
  await panel.getByRole("switch", { name: "Overfit one batch" }).click();
  await page
    .getByRole("button", { name: /^Train/ })
    .first()
    .click();
  await page.waitForURL(/\/runs\//);
  const rebuilt = page.getByRole("region", { name: "Reconstructions" });
  await expect(rebuilt.getByRole("img", { name: /, rebuilt$/ })).toHaveCount(8, { timeout: 120_000 });
  const map = page.getByRole("region", { name: "Latent map" });
  const places = map.getByRole("img", { name: /validation rows as points/ });
  await map.getByRole("button", { name: "7", exact: true }).click();
  await expect(map.getByRole("button", { name: "7", exact: true })).toHaveAttribute("aria-pressed", "true");
  await map.getByRole("button", { name: "7", exact: true }).click();
  await expect(async () => {
    await places.hover({ position: { x: 120 + Math.random() * 60, y: 120 + Math.random() * 60 } });
    await expect(map.getByRole("img", { name: /^Row \d+/ })).toBeVisible({ timeout: 500 });
  }).toPass();
  await look(page, "autoencoder-run");
  await ask(page, "runs.cancel", { runId: page.url().split("/").at(-1) }, "order");
});
