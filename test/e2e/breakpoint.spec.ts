import { expect, test } from "@playwright/test";
import { add, look, node, pick, saved, startFrom, trainFor } from "./studio.ts";

test("a run is held at a breakpoint, says what was seen there, shows the node, and goes on when asked", async ({ page }) => {
  const modelId = await startFrom(page, "LeNet-5");
  await pick(page, "relu1");
  const held = await add(page, "Breakpoint");
  await expect(node(page, held)).toContainText("not finite");
  const panel = page.getByRole("complementary", { name: "Inspector" });
  await panel.getByLabel("figure", { exact: true }).selectOption("max_abs");
  await panel.getByLabel("limit", { exact: true }).fill("2.5");
  await panel.getByLabel("limit", { exact: true }).blur();
  await expect(node(page, held)).toContainText("max |x| above 2.5");
  await expect.poll(async () => (await saved(page, modelId)).nodes.find(({ id }) => id === held)?.params).toEqual({ figure: "max_abs", limit: 2.5 });
  await look(page, "breakpoint-studio");

  await trainFor(page, 1);
  const notice = page.getByRole("status").filter({ hasText: "Paused after step" });
  await expect(notice).toBeVisible({ timeout: 120_000 });
  await expect(notice).toContainText("max |x| is above 2.5");
  await look(page, "breakpoint-run");

  await page.getByRole("button", { name: "Resume" }).first().click();
  await expect(notice).toBeHidden();
});
