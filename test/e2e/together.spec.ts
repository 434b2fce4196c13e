import { expect, test } from "@playwright/test";
import { add, name, node, nodeIds, pick, saved, startFrom } from "./studio.ts";

test("two people draw one model, one of them offline for a while; undo outlives a reload and takes back only one's own", async ({ page, browser }) => {
  const modelId = await startFrom(page, "LeNet-5");
  const there = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const other = await there.newPage();
  await other.goto(`/models/${modelId}`);
  await expect(node(other, "conv1")).toBeVisible();
  await expect(page.getByRole("list", { name: "Also here" }).getByRole("listitem")).toHaveCount(1);

  await test.step("where one points and what is selected shows with the other", async () => {
    await pick(other, "relu1");
    await expect(page.locator("[data-person] .border-2")).toHaveCount(1);
    await expect(page.locator("[data-person] svg")).toHaveCount(1);
  });

  const [mine, theirs] = await test.step("both add while the other's line is cut", async () => {
    await there.setOffline(true);
    await pick(other, "pool1");
    const added = await add(other, "Dropout");
    await pick(page, "conv1");
    const own = await add(page, "BatchNorm2d");
    await there.setOffline(false);
    await expect(node(page, added)).toBeVisible({ timeout: 40_000 });
    await expect(node(other, own)).toBeVisible({ timeout: 40_000 });
    return [own, added];
  });

  await test.step("undo takes back one's own after a reload", async () => {
    await saved(page, modelId);
    await page.reload();
    await expect(node(page, mine)).toBeVisible();
    await page.keyboard.press("Control+z");
    await expect(node(page, mine)).toHaveCount(0);
    await expect(node(page, theirs)).toBeVisible();
    await expect(node(other, mine)).toHaveCount(0);
    await page.keyboard.press("Control+Shift+z");
    await expect(node(other, mine)).toBeVisible();
  });

  await test.step("both have the same graph as the server", async () => {
    const graph = await saved(page, modelId);
    expect((await nodeIds(other)).sort()).toEqual(graph.nodes.map(({ id }) => id).sort());
    await expect(name(other, "conv1")).toBeVisible();
  });
  await there.close();
});
