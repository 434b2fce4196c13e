import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import { add, name, node, pick, saved, startFrom } from "./studio.ts";

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

  await test.step("two hundred mixed operations, the line cut twice, end in one graph", async () => {
    await Promise.all([work(page, 1), work(other, 2), cutTwice(there)]);
    const kept = async () => {
      const { nodes, edges } = await saved(page, modelId);
      return { nodes: nodes.map(({ id }) => id).sort(), wires: edges.map(({ id }) => id).sort() };
    };
    await expect(other.getByRole("status", { name: "Save state" })).toContainText("· saved", { timeout: 40_000 });
    for (const who of [page, other]) await expect.poll(async () => JSON.stringify(await seen(who)) === JSON.stringify(await kept()), { timeout: 40_000 }).toBe(true);
    expect((await kept()).nodes.length, "something is left of it").toBeGreaterThan(5);
  });
  await there.close();
});

const OPERATIONS = 100;
/** By how often they are done. */
const KEYS = ["ArrowRight", "Shift+ArrowDown", "ArrowUp", "Control+d", "Control+d", "Control+d", "Control+b", "k", "Delete", "Control+z", "Control+z", "Control+Shift+z"];

/** One person's part: now and then another node, and something is done to it; the same for the same seed. */
async function work(who: Page, seed: number): Promise<void> {
  let state = seed;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  await name(who, "conv1").click();
  for (let i = 0; i < OPERATIONS; i++) {
    const which = random(1000);
    await who.evaluate((n) => {
      const nodes = document.querySelectorAll<HTMLElement>(".react-flow__node");
      nodes[n % nodes.length]?.focus();
    }, which);
    await who.keyboard.press(KEYS[random(KEYS.length)] ?? "k");
  }
}

async function cutTwice(line: BrowserContext): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await line.setOffline(true);
    await new Promise((done) => setTimeout(done, 700));
    await line.setOffline(false);
    await new Promise((done) => setTimeout(done, 700));
  }
}

const seen = (who: Page) =>
  who.evaluate(() => {
    const ids = (of: string) => [...document.querySelectorAll(of)].map((one) => one.getAttribute("data-id") ?? "").sort();
    return { nodes: ids(".react-flow__node"), wires: ids(".react-flow__edge") };
  });
