import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { add, name, node, nodeIds, pick, saved, startFrom } from "./studio.ts";

const at = async (page: Page, id: string) => {
  const box = await node(page, id).boundingBox();
  if (!box) throw new Error(`${id} is not in view.`);
  return box;
};
const wires = (graph: { edges: { from: { node: string }; to: { node: string } }[] }) => graph.edges.map(({ from, to }) => `${from.node}>${to.node}`);

/** Drags a node by its middle, in steps as a hand does. */
async function drag(page: Page, id: string, to: { x: number; y: number }, key?: string): Promise<void> {
  const box = await at(page, id);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  if (key) await page.keyboard.down(key);
  await page.mouse.down();
  await page.mouse.move(to.x - 20, to.y - 10, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
  if (key) await page.keyboard.up(key);
}

test("nodes are put in order, in and out of wires, and copied with their wires", async ({ page }) => {
  const modelId = await startFrom(page, "LeNet-5");
  await page.keyboard.press("b");
  await page.keyboard.press("f");

  await test.step("Alt+drag takes a node out of its wires; let go over a wire, a loose one sits in it", async () => {
    const [home, above] = [await at(page, "relu1"), await at(page, "conv1")];
    await drag(page, "relu1", { x: home.x + 420, y: home.y + 20 }, "Alt");
    const apart = await saved(page, modelId);
    expect(wires(apart)).toContain("conv1>pool1");
    expect(wires(apart).some((wire) => wire.includes("relu1"))).toBe(false);
    const below = await at(page, "pool1");
    await drag(page, "relu1", { x: above.x + above.width / 2 + 1, y: (above.y + above.height + below.y) / 2 });
    expect(wires(await saved(page, modelId))).toEqual(expect.arrayContaining(["conv1>relu1", "relu1>pool1"]));
  });

  await test.step("three nodes share a side, then get the same gaps", async () => {
    await pick(page, "conv1");
    await page.keyboard.press("Shift+ArrowRight");
    await pick(page, "conv1", "relu1", "pool1");
    await page.keyboard.press("Alt+Shift+ArrowLeft");
    await page.keyboard.press("Alt+Shift+V");
    const graph = await saved(page, modelId);
    const [a, b, c] = ["conv1", "relu1", "pool1"].map((id) => graph.nodes.find((one) => one.id === id)?.at);
    expect(new Set([a?.x, b?.x, c?.x]).size).toBe(1);
    const [first, second, third] = [await at(page, "conv1"), await at(page, "relu1"), await at(page, "pool1")];
    expect(Math.abs(second.y - first.y - first.height - (third.y - second.y - second.height))).toBeLessThanOrEqual(2);
  });

  await test.step("a pinned node stays where it is when the rest is tidied", async () => {
    await pick(page, "pool1");
    await page.keyboard.press("p");
    await page.keyboard.press("Shift+ArrowRight");
    const before = (await saved(page, modelId)).nodes.find(({ id }) => id === "pool1")?.at;
    await page.keyboard.press("t");
    const after = await saved(page, modelId);
    expect(after.nodes.find(({ id }) => id === "pool1")?.at).toEqual(before);
    expect(after.nodes.find(({ id }) => id === "pool1")?.pinned).toBe(true);
  });

  await test.step("a copy is pasted with its wires", async () => {
    await pick(page, "relu1");
    await page.keyboard.press("Control+c");
    const count = (await nodeIds(page)).length;
    await page.keyboard.press("Control+Shift+V");
    await expect.poll(async () => (await nodeIds(page)).length).toBe(count + 1);
    expect(wires(await saved(page, modelId)).filter((wire) => wire.startsWith("conv1>"))).toHaveLength(2);
    await page.keyboard.press("Control+z");
  });

  await test.step("a selection is saved as a file", async () => {
    await pick(page, "conv1", "relu1");
    const [file] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Control+Shift+E")]);
    expect(file.suggestedFilename()).toBe("lenet-5-selection.json");
  });
});

test("everything is found and done by name, with keys of one's own", async ({ page }) => {
  const modelId = await startFrom(page, "LeNet-5");

  await test.step("Ctrl+F goes to a node, Ctrl+K does what it is told", async () => {
    await page.keyboard.press("Control+f");
    await page.getByRole("combobox", { name: "Find a node" }).fill("conv2");
    await page.keyboard.press("Enter");
    await expect(node(page, "conv2")).toHaveClass(/selected/);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Do something" }).fill("duplicate");
    await page.keyboard.press("Enter");
    await expect(node(page, "conv2d_1")).toBeVisible();
    await page.keyboard.press("Control+z");
  });

  await test.step("the sheet has every shortcut, and gives one another key", async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+/");
    const sheet = page.getByRole("dialog", { name: "Shortcuts" });
    expect(await sheet.getByRole("listitem").count()).toBeGreaterThan(31);
    await sheet.getByRole("button", { name: "Change the shortcut of Tidy up" }).click();
    await page.keyboard.press("Shift+J");
    await expect(sheet.getByRole("status")).toContainText("Tidy up is now Shift+J.");
    await page.keyboard.press("Escape");
    await pick(page, "conv2");
    await page.keyboard.press("Shift+ArrowRight");
    const before = (await saved(page, modelId)).nodes.find(({ id }) => id === "conv2")?.at;
    await page.keyboard.press("Shift+J");
    await expect.poll(async () => (await saved(page, modelId)).nodes.find(({ id }) => id === "conv2")?.at.x).not.toBe(before?.x);
  });

  await test.step("a version is kept, compared with on the canvas, and restored", async () => {
    await page.keyboard.press("v");
    await page.getByRole("textbox", { name: "Name of this version" }).fill("As it came");
    await page.getByRole("button", { name: "Keep", exact: true }).click();
    await expect(page.getByRole("button", { name: "Restore As it came" })).toBeVisible();
    await page.keyboard.press("Escape");
    await pick(page, "relu1");
    await page.keyboard.press("Delete");
    await pick(page, "conv1");
    await add(page, "Dropout");
    await saved(page, modelId);
    await page.keyboard.press("Escape");
    await page.keyboard.press("v");
    await page.getByRole("button", { name: "Compare with As it came" }).click();
    await expect(page.getByRole("region", { name: "Comparison" })).toContainText("1 added, 1 removed");
    await expect(page.locator('[data-diff="removed"]')).toHaveCount(1);
    await expect(page.locator('[data-diff="added"]')).toHaveCount(1);
    await page.screenshot({ path: "test-results/compare.png" });
    await page.getByRole("region", { name: "Comparison" }).getByRole("button", { name: "Done" }).click();
    await page.keyboard.press("v");
    await page.getByRole("button", { name: "Restore As it came" }).click();
    await expect(node(page, "relu1")).toBeVisible();
  });
});

test("a graph is built and wired in the outline, by keyboard alone", async ({ page }) => {
  await page.goto("/");
  const made = await page.request.post("/api/trpc/models.create", { data: { name: "By keyboard" }, headers: { "content-type": "application/json" } });
  const { id } = (await made.json()).result.data;
  await page.goto(`/models/${id}`);
  await expect(
    page
      .getByRole("tree")
      .or(page.getByRole("combobox", { name: "Find a layer" }))
      .first(),
  ).toBeVisible();
  for (const layer of ["Flatten", "Linear", "ReLU"]) {
    await page.keyboard.press("/");
    await page.keyboard.type(layer);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
  }
  await page.keyboard.press("o");
  const tree = page.getByRole("tree", { name: "Outline" });
  await expect(tree.getByRole("treeitem", { name: /^ReLU/ })).toBeVisible();
  await page.keyboard.press("End");
  await page.screenshot({ path: "test-results/outline.png" });
  const before = await saved(page, id);
  // The wire of the last row goes, and comes back from a list.
  const last = before.edges.length;
  await tree
    .getByRole("treeitem", { name: /x from Linear/ })
    .first()
    .focus();
  await tree
    .getByRole("treeitem", { name: /x from Linear/ })
    .first()
    .press("Home");
  for (let i = 0; i < 30 && !(await tree.locator('[aria-selected="true"]').textContent())?.includes("from Linear"); i++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Delete");
  expect((await saved(page, id)).edges).toHaveLength(last - 1);
  for (let i = 0; i < 30 && !(await tree.locator('[aria-selected="true"]').textContent())?.startsWith("ReLU"); i++) await page.keyboard.press(i === 0 ? "Home" : "ArrowDown");
  await page.keyboard.press("c");
  await page.getByRole("combobox", { name: "Wire from" }).fill("linear");
  await page.keyboard.press("Enter");
  expect((await saved(page, id)).edges).toHaveLength(last);
});

/** Faults that are known and not yet mended: faint small print, small targets in the palette, cards whose name is not their first words. */
const KNOWN = ["color-contrast", "target-size", "label-content-name-mismatch"];

test("axe finds nothing else on any page, in light and dark", async ({ page }) => {
  const modelId = await startFrom(page, "LeNet-5");
  await page.keyboard.press("o");
  const places = [`/models/${modelId}`, "/", "/data", "/runs"];
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    for (const place of places) {
      await page.goto(place);
      await expect(page.locator("main")).toBeVisible();
      await expect(page.locator(".breathe")).toHaveCount(0);
      const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).disableRules(KNOWN).analyze();
      expect
        .soft(
          violations.map(({ id, nodes }) => `${scheme} ${place} ${id}: ${nodes.slice(0, 4).map((one) => one.html.slice(0, 160)).join(" | ")}`), // biome-ignore format: one line
        )
        .toEqual([]);
    }
  }
  await expect(name(page, "conv1")).toHaveCount(0);
});
