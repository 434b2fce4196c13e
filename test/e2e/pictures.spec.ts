import { expect, test } from "@playwright/test";
import { startFrom, trainFor } from "./studio.ts";

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
