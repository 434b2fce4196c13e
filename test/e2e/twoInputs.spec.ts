import { expect, test } from "@playwright/test";
import { node, startFrom } from "./studio.ts";

test("a network of two inputs learns real rows, and is measured by the figures that were asked for", async ({ page }) => {
  await startFrom(page, "Tabular MLP with embeddings");
  await expect(node(page, "columns")).toBeVisible();
  await expect(node(page, "categories")).toBeVisible();

  await page.getByRole("button", { name: "Change", exact: true }).click();
  await page.getByLabel("Epochs", { exact: true }).fill("4");
  await page.getByLabel("Epochs", { exact: true }).blur();
  await page.getByRole("radio", { name: "Expert" }).first().click();
  const measured = page.getByRole("region", { name: "Measured by itself" });
  await measured.getByLabel("Average over classes").selectOption("weighted");
  await measured.getByLabel("Top-k accuracy, k").fill("2");
  await measured.getByLabel("Top-k accuracy, k").blur();
  await measured.getByText("Top-2 accuracy", { exact: true }).click();
  await expect(measured).toContainText("among the 2 highest scores");
  await expect(measured.getByText("F1, weighted", { exact: true })).toBeVisible();

  await page
    .getByRole("button", { name: /^Train/ })
    .first()
    .click();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  for (const key of ["f1_weighted", "top2"]) await expect(page.locator(`option[value="validation/${key}"]`).first()).toBeAttached();
});
