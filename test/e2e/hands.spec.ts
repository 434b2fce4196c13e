import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { add, keep, name, node, nodeIds, pick, saved, showWhole, startFrom, trainFor } from "./studio.ts";

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
  await showWhole(page);

  await test.step("the wheel zooms to the pointer, Space and a drag move the view", async () => {
    const before = await at(page, "pool1");
    await page.mouse.move(before.x + 4, before.y + 4);
    await page.mouse.wheel(0, -240);
    await expect.poll(async () => (await at(page, "pool1")).width).toBeGreaterThan(before.width * 1.1);
    const after = await at(page, "pool1");
    expect(Math.hypot(after.x - before.x, after.y - before.y), "what is under the pointer stays there").toBeLessThan(8);
    await page.mouse.move(after.x - 90, after.y);
    await page.keyboard.down("Space");
    await page.mouse.down();
    await page.mouse.move(after.x - 10, after.y + 40, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up("Space");
    await expect.poll(async () => Math.round((await at(page, "pool1")).x - after.x)).toBe(80);
    await expect(page.locator(".react-flow__node.selected")).toHaveCount(0);
    await showWhole(page);
  });

  await test.step("a wire let go over nothing offers what fits, best first", async () => {
    const port = await node(page, "conv1").locator(".react-flow__handle.source").boundingBox();
    if (!port) throw new Error("The port is not in view.");
    const from = { x: port.x + port.width / 2, y: port.y + port.height / 2 };
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x + 150, from.y + 20, { steps: 4 });
    await page.mouse.move(from.x + 250, from.y + 20, { steps: 4 });
    await page.mouse.up();
    const offer = page.getByRole("dialog", { name: "Add a layer" });
    const field = offer.getByRole("combobox", { name: "Find a layer to add" });
    await field.fill("embedding");
    await expect(offer.getByRole("option").first()).toBeVisible();
    await expect(offer.getByRole("option", { name: "Embedding", exact: true }), "its input takes whole numbers").toHaveCount(0);
    await field.fill("pool");
    const titles = await offer.getByRole("option").allTextContents();
    const [lastFitting, firstOther] = [titles.findLastIndex((title) => /2d/i.test(title)), titles.findIndex((title) => /[13]d/i.test(title))];
    expect(lastFitting).toBeGreaterThan(0);
    expect(firstOther === -1 || firstOther > lastFitting, titles.join(", ")).toBe(true);
    await field.fill("maxpool2d");
    await page.keyboard.press("Enter");
    await expect.poll(async () => wires(await saved(page, modelId))).toContain("conv1>max_pool2d_1");
    await page.keyboard.press("Control+z");
    await expect(node(page, "max_pool2d_1")).toHaveCount(0);
  });

  await test.step("Tab goes into a block that was clicked and out of it; who walks by Tab gets past it", async () => {
    const where = page.getByRole("navigation", { name: "Where" });
    await pick(page, "conv2", "relu2");
    await page.keyboard.press("Control+g");
    await expect(node(page, "block_1").getByRole("textbox", { name: "Name" })).toBeFocused();
    await page.keyboard.press("Enter");
    await name(page, "block_1").click();
    await page.keyboard.press("Tab");
    await expect(where).toBeVisible();
    await expect(node(page, "conv2")).toBeVisible();
    await page.keyboard.press("Tab");
    await expect(node(page, "block_1")).toHaveClass(/selected/);
    await expect(where).toHaveCount(0);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    await node(page, "block_1").focus();
    await page.keyboard.press("Tab");
    await expect(where).toHaveCount(0);
    await page.keyboard.press("Control+z");
    await expect(node(page, "conv2")).toBeVisible();
    await showWhole(page);
  });

  await test.step("a node without its wire is offered wires, the nearest first", async () => {
    await pick(page, "relu1");
    await page.keyboard.press("Alt+d");
    const offers = page.getByRole("note", { name: "Hint" }).filter({ hasText: "Input x of ReLU is not connected." }).getByRole("button");
    await expect(offers).toHaveText([/^Wire it from Conv2d/, /^Wire it from/, /^Remove this ReLU/]);
    await offers.first().click();
    await expect.poll(async () => wires(await saved(page, modelId))).toContain("conv1>relu1");
    await pick(page, "relu1");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await expect.poll(async () => wires(await saved(page, modelId))).toContain("relu1>pool1");
  });

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

  await test.step("a double click on the canvas asks for a layer, the middle button moves the view, a block folds", async () => {
    await showWhole(page);
    const box = await at(page, "input");
    const free = { x: box.x + box.width + 120, y: box.y + 10 };
    await page.mouse.dblclick(free.x, free.y);
    const offer = page.getByRole("dialog", { name: "Add a layer" });
    await expect(offer.getByRole("combobox", { name: "Find a layer to add" })).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(offer).toHaveCount(0);
    await page.mouse.move(free.x, free.y);
    await page.mouse.down({ button: "middle" });
    await page.mouse.move(free.x + 60, free.y + 30, { steps: 4 });
    await page.mouse.up({ button: "middle" });
    await expect.poll(async () => Math.round((await at(page, "input")).x - box.x)).toBe(60);
    await pick(page, "fc2", "relu4");
    await page.keyboard.press("Control+g");
    await expect(node(page, "block_1").getByRole("textbox", { name: "Name" })).toBeFocused();
    await page.keyboard.press("Enter");
    const fold = node(page, "block_1").getByRole("button", { name: "Inside of Block" });
    const open = (await at(page, "block_1")).height;
    await expect(fold).toHaveAttribute("aria-expanded", "true");
    await fold.click();
    await expect(fold).toHaveAttribute("aria-expanded", "false");
    await expect.poll(async () => (await at(page, "block_1")).height).toBeLessThan(open);
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
    await expect.poll(() => sheet.getByRole("listitem").count()).toBeGreaterThan(31);
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
    await expect(page.getByRole("combobox", { name: "Find a layer" })).toBeFocused();
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

test("LeNet-5 is built from an empty canvas by keyboard alone, in less keys than a slow typist gives in 45 seconds", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: /Empty canvas/ }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/models\//);
  await expect(page.locator(".react-flow__node")).toHaveCount(2);
  await expect(page.getByRole("combobox", { name: "Find a layer" })).toBeVisible();
  let keys = 0;
  const press = async (key: string) => {
    keys++;
    await page.keyboard.press(key);
  };
  const type = async (text: string) => {
    keys += text.length;
    await page.keyboard.type(text);
  };
  const focused = () => page.evaluate(() => (document.activeElement instanceof HTMLInputElement ? (document.activeElement.labels?.[0]?.textContent ?? "") : ""));
  const layers: [name: string, id: string, params?: { [name: string]: string }][] = [
    ["conv2d", "conv2d_1", { out_channels: "6", kernel_size: "5", padding: "2" }],
    ["relu", "relu_1"],
    ["maxpool2d", "max_pool2d_1"],
    ["conv2d", "conv2d_2", { out_channels: "16", kernel_size: "5" }],
    ["relu", "relu_2"],
    ["maxpool2d", "max_pool2d_2"],
    ["flatten", "flatten_1"],
    ["linear", "linear_1", { out_features: "120" }],
    ["relu", "relu_3"],
    ["linear", "linear_2", { out_features: "84" }],
    ["relu", "relu_4"],
    ["linear", "linear_3", { out_features: "10" }],
  ];
  await press("/");
  for (const [name, id, params] of layers) {
    await type(name);
    await press("Enter");
    await expect(node(page, id)).toHaveClass(/selected/);
    if (!params) continue;
    await press("Control+i");
    for (const [param, value] of Object.entries(params)) {
      await expect.poll(focused).not.toBe("");
      for (let i = 0; i < 9 && (await focused()) !== param; i++) await press("Tab");
      await type(value);
    }
    await press("Escape");
    // Where the browser was just offering `same` and `valid`, the first one closes its list.
    if ((await focused()) !== "") await press("Escape");
    await press("/");
    await expect(page.getByRole("combobox", { name: "Find a layer" })).toBeFocused();
  }
  await press("Control+f");
  await expect(page.getByRole("combobox", { name: "Find a node" })).toBeFocused();
  await type("output");
  await press("Enter");
  await expect(node(page, "output")).toHaveClass(/selected/);
  await press("c");
  await expect(page.getByRole("combobox", { name: "Wire from" })).toBeFocused();
  await type("linear_3");
  await press("Enter");
  await expect(page.getByText("61,706").first(), "LeNet-5 has 61,706 parameters").toBeVisible();
  await expect(page.getByRole("region", { name: "Before you train" })).toContainText("No problems");
  expect(keys, "keys at four a second, for 45 seconds").toBeLessThanOrEqual(180);
});

/** Fingers on the screen, as the browser's own protocol puts them there. */
async function fingersOn(page: Page) {
  const session = await page.context().newCDPSession(page);
  type Point = { x: number; y: number };
  const send = (type: "touchStart" | "touchMove" | "touchEnd", touchPoints: Point[]) => session.send("Input.dispatchTouchEvent", { type, touchPoints });
  const between = (a: Point, b: Point, part: number) => ({ x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part });
  return {
    /** Each finger goes its own way, at the same time. */
    async drag(...ways: [from: Point, to: Point][]) {
      await send(
        "touchStart",
        ways.map(([from]) => from),
      );
      for (let step = 1; step <= 10; step++)
        await send(
          "touchMove",
          ways.map(([from, to]) => between(from, to, step / 10)),
        );
      await send("touchEnd", []);
    },
    down: (at: Point) => send("touchStart", [at]),
    up: () => send("touchEnd", []),
  };
}

test("by touch: one finger pans, two zoom, a node is moved, a long touch opens its menu, several are selected", async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 1180, height: 820 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  const modelId = await startFrom(page, "LeNet-5");
  const fingers = await fingersOn(page);
  const middle = async (id: string) => {
    const box = await at(page, id);
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  const nodeOf = async (id: string) => (await saved(page, modelId)).nodes.find((one) => one.id === id);
  await page.getByRole("button", { name: "Fold the drawer" }).tap();

  await test.step("one finger moves the view, two zoom it", async () => {
    const before = await at(page, "conv1");
    const free = { x: before.x - 60, y: before.y + 200 };
    await fingers.drag([free, { x: free.x + 40, y: free.y + 30 }]);
    await expect.poll(async () => Math.round((await at(page, "conv1")).x - before.x)).toBeGreaterThan(20);
    const width = (await at(page, "conv1")).width;
    await fingers.drag(
      [free, { x: free.x - 20, y: free.y - 40 }],
      [
        { x: free.x, y: free.y + 120 },
        { x: free.x + 20, y: free.y + 60 },
      ],
    );
    await expect.poll(async () => (await at(page, "conv1")).width).not.toBe(width);
    await page.getByRole("button", { name: "Fit to view" }).tap();
    // The view glides there.
    await page.waitForFunction(() => document.querySelector(".studio-canvas")?.hasAttribute("data-moving") === false);
  });

  await test.step("a node goes where the finger goes", async () => {
    const before = (await nodeOf("relu1"))?.at.x ?? 0;
    const from = await middle("relu1");
    await fingers.drag([from, { x: from.x + 200, y: from.y }]);
    await expect.poll(async () => (await nodeOf("relu1"))?.at.x).toBeGreaterThan(before + 50);
  });

  await test.step("a long touch opens the node's menu", async () => {
    await fingers.down(await middle("relu1"));
    const line = page.getByRole("menuitem", { name: "Take out of its wires" });
    await expect(line).toBeVisible();
    await fingers.up();
    // It stays when the finger is lifted, and the next touch takes a line of it.
    await line.tap();
    await expect(line).toHaveCount(0);
    expect(wires(await saved(page, modelId)).some((wire) => wire.includes("relu1"))).toBe(false);
  });

  await test.step("several are selected by a finger: by taps, and by a marquee", async () => {
    await page.getByRole("button", { name: "Select several" }).tap();
    await page.touchscreen.tap((await middle("conv1")).x, (await middle("conv1")).y);
    await page.touchscreen.tap((await middle("pool1")).x, (await middle("pool1")).y);
    const chosen = page.locator(".react-flow__node.selected");
    // With the one whose menu was open.
    await expect(chosen).toHaveCount(3);
    const [first, second] = [await at(page, "conv2"), await at(page, "relu2")];
    await fingers.drag([
      { x: first.x - 30, y: first.y + first.height / 2 },
      { x: second.x + second.width / 2, y: second.y + second.height / 2 },
    ]);
    await expect(node(page, "relu2")).toHaveClass(/selected/);
    await expect(node(page, "conv2")).toHaveClass(/selected/);
    await page.getByRole("button", { name: "Select several" }).tap();
  });
  await context.close();
});

test("a small graph goes in a link, and comes out as a copy that can be changed", async ({ page, context }) => {
  const modelId = await startFrom(page, "LeNet-5");
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.keyboard.press("l");
  await expect(page.getByText("The link is on your clipboard.")).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "LeNet-5" })).toBeVisible();
  await page.getByRole("button", { name: "Open a copy" }).click();
  await page.waitForURL(/\/models\//);
  await expect(node(page, "conv1")).toBeVisible();
  const copy = page.url().split("/").at(-1) ?? "";
  expect(copy).not.toBe(modelId);
  await pick(page, "relu1");
  await page.keyboard.press("Delete");
  await expect.poll(async () => (await saved(page, copy)).nodes.some(({ id }) => id === "relu1")).toBe(false);
  await page.goto(`/models/${modelId}`);
  await expect(node(page, "relu1")).toBeVisible();
});

test("a shape that does not fit is told beside its node, mended with Tab, and Ctrl+Z takes that back", async ({ page }) => {
  await page.goto("/");
  const post = async (procedure: string, data: object) =>
    (await (await page.request.post(`/api/trpc/${procedure}`, { data, headers: { "content-type": "application/json" } })).json()).result.data;
  const { id } = await post("models.create", { name: "Flat rows" });
  const layer = (of: string, type: string, y: number, params = {}) => ({ id: of, type, params, at: { x: 0, y } });
  const wire = (from: string, to: string) => ({ id: `${from}_${to}`, from: { node: from, port: "y" }, to: { node: to, port: "x" } });
  const graph = { nodes: [layer("in", "input", 0, { shape: [784] }), layer("conv", "conv2d", 100), layer("out", "output", 200)], edges: [wire("in", "conv"), wire("conv", "out")] };
  await post("models.save", { modelId: id, revision: 1, graph: { schemaVersion: 1, ...graph } });
  await page.goto(`/models/${id}`);
  await name(page, "conv").click();
  const said = page.getByRole("note", { name: "Problem" }).filter({ hasText: "but receives [B, 784]" });
  await expect(said.first()).toBeVisible();
  await page.keyboard.press("Tab");
  await expect.poll(async () => (await saved(page, id)).nodes.map(({ type }) => type)).toContain("reshape");
  await expect(said).toHaveCount(0);
  await page.keyboard.press("Control+z");
  await expect.poll(async () => (await saved(page, id)).nodes.map(({ type }) => type)).not.toContain("reshape");
});

test("axe finds nothing on any page, in light and dark", async ({ page }) => {
  const modelId = await startFrom(page, "Playground: moons");
  await trainFor(page, 1);
  const run = new URL(page.url()).pathname;
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  const { result } = await (await page.request.get("/api/trpc/datasets.list")).json();
  const places: [title: string, path: string][] = [
    ["studio", `/models/${modelId}`],
    ["data-of-model", `/models/${modelId}/data`],
    ["runs-of-model", `/models/${modelId}/runs`],
    ["ship", `/models/${modelId}/ship`],
    ["home", "/"],
    ["data", "/data"],
    ["data-set", `/data/${result.data[0].id}`],
    ["runs", "/runs"],
    ["run", run],
    ["compare", `/runs/compare?runs=${run.split("/").at(-1)}`],
    ["finetune", "/finetune"],
    ["layers", "/layers"],
    ["layer", "/layers/conv2d"],
    ["account", "/account"],
    ["organization", "/organization"],
    ["admin", "/admin"],
    ["open", "/open"],
    ["sign-in", "/sign-in"],
    ["forgot", "/forgot"],
  ];
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const [title, place] of places) {
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(place);
    await expect(page.locator("main:visible")).toBeVisible();
    await expect(page.locator(".breathe")).toHaveCount(0);
    if (title === "studio") await expect(page.getByRole("tab", { name: "Help" })).toBeVisible();
    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      const axe = new AxeBuilder({ page });
      // The page is the same in the dark; only its colours are others.
      const { violations } = await (scheme === "light" ? axe.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]) : axe.withRules(COLOR_RULES)).analyze();
      const said = violations.map(({ id, nodes }) => `${scheme} ${place} ${id}: ${nodes.slice(0, 4).map((one) => one.html.slice(0, 160)).join(" | ")}`); // biome-ignore format: one line
      expect.soft(said).toEqual([]);
      if (KEPT.has(title)) await keep(page, `${title}-${scheme}`);
    }
  }
});

/** What axe asks of colours. */
const COLOR_RULES = ["color-contrast", "link-in-text-block"];

/** Pages whose look is kept in the repository. */
const KEPT = new Set(["studio", "home", "data-set", "run", "runs", "ship"]);
