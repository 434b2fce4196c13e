import { expect, test } from "@playwright/test";
import { startFrom } from "./studio.ts";

test("two half moons are parted before one's eyes", async ({ page }) => {
  await startFrom(page, "Playground: moons");
  await page.getByRole("button", { name: "Train", exact: false }).first().click();
  await page.waitForURL(/\/runs\//);
  const map = page.getByRole("region", { name: "Decision boundary" });
  await expect(map.getByRole("img", { name: /What the network decides/ })).toBeVisible({ timeout: 60_000 });
  await expect(map.locator("circle").first()).toBeVisible();
  expect(await map.locator("circle").count()).toBeGreaterThan(300);
  await expect(page.getByText("finished", { exact: false }).first()).toBeVisible({ timeout: 60_000 });
  await expect(map.getByText("epoch 60")).toBeVisible();
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/playground.png`, fullPage: true });
});
