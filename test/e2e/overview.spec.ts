import { expect, type Page, test } from "@playwright/test";
import type { Edge, Node } from "../../core/graph/document.ts";
import { keep, node, saved, showWhole } from "./studio.ts";

const ACROSS = 14;
const COUNT = 210;
const placeOf = (i: number) => ({ x: (i % ACROSS) * 240, y: Math.floor(i / ACROSS) * 112 });

/** Columns of ReLUs under one input. */
async function openLarge(page: Page): Promise<string> {
  await page.goto("/");
  const post = async (procedure: string, data: unknown): Promise<{ id?: string }> => {
    const answer: { result: { data: { id?: string } } } = await (
      await page.request.post(`/api/trpc/${procedure}`, { data, headers: { "content-type": "application/json" } })
    ).json();
    return answer.result.data;
  };
  const nodes: Node[] = [{ id: "input", type: "input", params: { shape: [8] }, at: { x: 0, y: -112 } }];
  const edges: Edge[] = [];
  for (let i = 0; i < COUNT; i++) {
    nodes.push({ id: `n${i}`, type: "relu", params: {}, at: placeOf(i) });
    edges.push({ id: `w${i}`, from: { node: i < ACROSS ? "input" : `n${i - ACROSS}`, port: "y" }, to: { node: `n${i}`, port: "x" } });
  }
  const { id = "" } = await post("models.create", { name: "Two hundred nodes" });
  await post("models.save", { modelId: id, revision: 1, graph: { schemaVersion: 1, nodes, edges } });
  await page.goto(`/models/${id}`);
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  return id;
}

/** Where a place of the drawing is on the screen. */
async function onScreen(page: Page, at: { x: number; y: number }): Promise<{ x: number; y: number }> {
  const view = await page.locator(".react-flow__viewport").evaluate((element) => {
    const { a, e, f } = new DOMMatrix(getComputedStyle(element).transform);
    const { x, y } = element.closest(".react-flow")?.getBoundingClientRect() ?? { x: 0, y: 0 };
    return { zoom: a, x: x + e, y: y + f };
  });
  return { x: view.x + at.x * view.zoom, y: view.y + at.y * view.zoom };
}

const middleOf = (page: Page, i: number) => onScreen(page, { x: placeOf(i).x + 92, y: placeOf(i).y + 20 });

test("a large drawing seen from far is one picture, and every hand still works on it", async ({ page }) => {
  const modelId = await openLarge(page);
  await page.keyboard.press("b");
  await showWhole(page);
  await expect(page.locator(`canvas[data-painted="${COUNT + 1}"]`)).toBeVisible();
  await expect(page.locator(".react-flow__node")).toHaveCount(0);
  const selected = page.locator(".react-flow__node.selected");

  await test.step("a click selects the node under the pointer, another deselects", async () => {
    const at = await middleOf(page, 60);
    await page.mouse.move(at.x, at.y);
    await page.mouse.click(at.x, at.y);
    await expect(node(page, "n60")).toHaveClass(/selected/);
    await keep(page, "overview-light");
    const free = await onScreen(page, { x: -150, y: 300 });
    await page.mouse.click(free.x, free.y);
    await expect(selected).toHaveCount(0);
  });

  await test.step("a node goes where it is dragged, and back with undo", async () => {
    const at = await middleOf(page, 61);
    const to = await onScreen(page, { x: -300, y: 500 });
    await page.mouse.move(at.x, at.y);
    await page.mouse.down();
    await page.mouse.move(to.x + 10, to.y, { steps: 5 });
    await page.mouse.move(to.x, to.y, { steps: 3 });
    await page.mouse.up();
    await expect.poll(async () => (await saved(page, modelId)).nodes.find(({ id }) => id === "n61")?.at.x).toBeLessThan(-200);
    await page.keyboard.press("Control+z");
    await expect.poll(async () => (await saved(page, modelId)).nodes.find(({ id }) => id === "n61")?.at).toEqual(placeOf(61));
  });

  await test.step("a marquee takes what it meets, all of it follows the drag of one, and goes with Delete", async () => {
    // The drag before pushed the view along at the edge.
    await showWhole(page);
    const from = await onScreen(page, { x: -20, y: placeOf(ACROSS).y - 25 });
    const to = await middleOf(page, 3 * ACROSS - 1);
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x - 20, to.y, { steps: 4 });
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await page.mouse.up();
    await showWhole(page);
    const grip = await middleOf(page, ACROSS);
    await page.mouse.move(grip.x, grip.y);
    // The node under the pointer becomes one of the page, as quickly as a hand is.
    await expect(node(page, `n${ACROSS}`)).toHaveClass(/selected/);
    await page.mouse.down();
    // Past the edge of the canvas.
    await page.mouse.move(grip.x - 60, grip.y, { steps: 4 });
    await page.mouse.move(grip.x - 80, grip.y, { steps: 4 });
    await page.mouse.up();
    await expect.poll(async () => (await saved(page, modelId)).nodes.filter(({ id, at }) => id !== "input" && at.x < placeOf(Number(id.slice(1))).x).length).toBe(2 * ACROSS);
    await page.keyboard.press("Delete");
    await expect.poll(async () => (await saved(page, modelId)).nodes.length).toBe(COUNT + 1 - 2 * ACROSS);
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await expect.poll(async () => (await saved(page, modelId)).nodes.length).toBe(COUNT + 1);
  });

  await test.step("a wire is selected by a click on it", async () => {
    const above = placeOf(90);
    const at = await onScreen(page, { x: above.x + 92, y: above.y + 80 });
    await page.mouse.move(at.x, at.y);
    await page.mouse.click(at.x, at.y);
    await page.keyboard.press("Delete");
    await expect.poll(async () => (await saved(page, modelId)).edges.some(({ id }) => id === `w${90 + ACROSS}`)).toBe(false);
  });

  await test.step("near by they are nodes of the page again", async () => {
    for (let i = 0; i < 5; i++) await page.keyboard.press("+");
    await expect(page.locator("canvas[data-painted]")).toHaveCount(0);
    await expect(page.locator(".react-flow__node").first()).toBeVisible();
  });
});
