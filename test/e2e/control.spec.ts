import { expect, test } from "@playwright/test";
import { startFrom, trainFor } from "./studio.ts";

test("a run is turned, paused, resumed and stopped by hand, and its curves say so", async ({ page }) => {
  await startFrom(page, "Tabular MLP");
  await trainFor(page, 9000);
  await expect(page.getByText("Training", { exact: true }).first()).toBeVisible();

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
