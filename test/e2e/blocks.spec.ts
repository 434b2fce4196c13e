import { expect, test } from "@playwright/test";
import type { Graph, Node } from "../../core/graph/document.ts";
import { add, name, node, nodeIds, pick, saved, startFrom } from "./studio.ts";

const inside = (graph: Graph, block: string, id: string): Node | undefined => graph.nodes.find((one) => one.id === block)?.bodies?.body?.nodes.find((one) => one.id === id);

test("a selection becomes a block that is used twice, with a parameter of its own on the outside", async ({ page }) => {
  const modelId = await startFrom(page, "LeNet-5");
  const total = page.getByText("61,706").first();

  await test.step("three layers become a block", async () => {
    await pick(page, "conv1", "relu1", "pool1");
    await page.keyboard.press("Control+g");
    await page.getByRole("textbox", { name: "Name", exact: true }).first().fill("Conv unit");
    await page.keyboard.press("Enter");
    await expect(name(page, "block_1")).toHaveText("Conv unit");
    await expect(node(page, "block_1").getByRole("img", { name: "body: Conv2d → ReLU → MaxPool2d" })).toBeVisible();
    await expect(total, "nothing is lost on the way").toBeVisible();
  });

  await test.step("it is made reusable, and stands in the palette", async () => {
    await page.getByRole("button", { name: "Make it reusable" }).click();
    await expect(page.getByRole("region", { name: "Your blocks" }).getByRole("button", { name: "Conv unit", exact: true })).toBeVisible();
    await expect(page.getByRole("region", { name: "Block", exact: true })).toContainText("v1, used once");
  });

  const second = await test.step("a second one is added by a click", async () => {
    const id = await add(page, "Conv unit");
    await expect(page.getByRole("region", { name: "Block", exact: true })).toContainText("used 2 times");
    return id;
  });

  await test.step("inside, it says that both change; a parameter goes to the outside", async () => {
    await name(page, second).dblclick();
    await expect(page.getByRole("note").filter({ hasText: "Changes here reach all 2 copies of Conv unit" })).toBeVisible();
    await pick(page, "conv1");
    await page.getByRole("button", { name: "Expose out_channels on the block" }).click();
    await page.getByLabel("kernel_size", { exact: true }).fill("7");
    await page.getByLabel("kernel_size", { exact: true }).press("Enter");
    await page.getByLabel("padding", { exact: true }).fill("3");
    await page.getByLabel("padding", { exact: true }).press("Enter");
    await page.getByRole("navigation", { name: "Where" }).getByRole("button", { name: "LeNet-5" }).click();
  });

  await test.step("each has its own value of it, and all else in common", async () => {
    await pick(page, second);
    await page.getByRole("region", { name: "Parameters of this one" }).getByRole("textbox", { name: "out_channels" }).fill("12");
    await page.keyboard.press("Enter");
    const graph = await saved(page, modelId);
    expect(inside(graph, "block_1", "conv1")?.params).toMatchObject({ out_channels: 6, kernel_size: 7, padding: 3 });
    expect(inside(graph, second, "conv1")?.params).toMatchObject({ out_channels: 12, kernel_size: 7, padding: 3 });
    const [definition] = Object.values(graph.definitions ?? {});
    expect(definition).toMatchObject({ name: "Conv unit", exposed: [{ name: "out_channels", node: "conv1", param: "out_channels" }] });
    expect(definition?.version).toBeGreaterThan(2);
  });

  await test.step("it outlives a reload, is made independent, and taken apart again", async () => {
    await page.reload();
    await pick(page, second);
    await page.getByRole("button", { name: "Make independent" }).click();
    await expect(page.getByRole("button", { name: "Make it reusable" })).toBeVisible();
    await page.keyboard.press("Delete");
    await pick(page, "block_1");
    await page.keyboard.press("Control+Shift+g");
    await expect.poll(() => nodeIds(page)).toContain("conv1");
    await expect(page.getByRole("region", { name: "Your blocks" })).toBeVisible();
    await page.keyboard.press("Control+z");
    await expect(name(page, "block_1")).toHaveText("Conv unit");
  });
});

test("layers are put into a zone, a stack has copies, and two layers share their weights", async ({ page }) => {
  const modelId = await startFrom(page, "MLP");
  const ids = await nodeIds(page);
  const linears = ids.filter((id) => /^(fc|linear|hidden)/.test(id));
  const [, middle = ""] = linears;

  await test.step("a selection with a gap says what would have to come along, and takes it", async () => {
    await pick(page, linears[0] ?? "", middle);
    await page.keyboard.press("Control+g");
    await expect(page.getByText("would have to come along")).toBeVisible();
    await page.getByRole("button", { name: "Take them too" }).click();
    await page.keyboard.press("Enter");
    await expect(node(page, "block_1")).toBeVisible();
    await page.keyboard.press("Control+z");
  });

  await test.step("the context menu puts a layer into a StackN, drawn with its inside", async () => {
    await name(page, middle).click({ button: "right" });
    await page.getByRole("menuitem", { name: "Put into" }).hover();
    await page.getByRole("menuitem", { name: "StackN" }).click();
    await expect(node(page, "stack_1").locator("[data-copies]")).toBeVisible();
    await pick(page, "stack_1");
    await page.getByLabel("n", { exact: true }).fill("3");
    await page.getByLabel("n", { exact: true }).press("Enter");
    expect((await saved(page, modelId)).nodes.find(({ id }) => id === "stack_1")?.params.n).toBe(3);
    // Back on the canvas, where undoing is the drawing's.
    await pick(page, "stack_1");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await expect(node(page, middle)).toBeVisible();
  });

  await test.step("a layer uses the weights of another that fits, and shows it", async () => {
    const copy = await test.step("a copy of it", async () => {
      const before = new Set(await nodeIds(page));
      await pick(page, middle);
      await page.keyboard.press("Control+d");
      await expect.poll(async () => (await nodeIds(page)).length).toBe(before.size + 1);
      return (await nodeIds(page)).find((id) => !before.has(id)) ?? "";
    });
    const feed = (await saved(page, modelId)).edges.find(({ to }) => to.node === middle)?.from.node ?? "";
    await pick(page, feed, copy);
    await page.keyboard.press("w");
    await pick(page, copy);
    await page.getByLabel("Uses", { exact: true }).selectOption(middle);
    await expect(node(page, copy).getByRole("img", { name: /Uses the weights of/ })).toBeVisible();
    expect((await saved(page, modelId)).nodes.find(({ id }) => id === copy)?.weightsOf).toBe(middle);
  });
});

test("an expression is checked while it is written", async ({ page }) => {
  const modelId = await startFrom(page, "Logistic regression");
  const id = await add(page, "Expression");
  const field = page.getByRole("combobox", { name: "expression" });

  await field.fill("tanh(x) * sigmo");
  await field.press("i");
  await expect(page.getByRole("option", { name: /^sigmoid/ })).toBeVisible();
  await field.press("Enter");
  await expect(field).toHaveValue("tanh(x) * sigmoid()");
  await field.pressSequentially("x");
  await expect(field).toHaveValue("tanh(x) * sigmoid(x)");

  await field.fill("tanh(x) *");
  await expect(page.getByRole("alert").filter({ hasText: /Column \d+/ })).toBeVisible();
  await expect(page.locator("aside mark")).toBeVisible();

  await field.fill("h = tanh(x)\nh * gate");
  await expect(node(page, id).getByRole("button", { name: `${id} input gate` })).toBeVisible();
  await page.getByRole("button", { name: "Functions" }).click();
  await page.getByLabel("Find a function").fill("einsum");
  await expect(page.getByRole("dialog", { name: "Functions" }).getByRole("button", { name: /^einsum/ })).toBeVisible();
  await page.keyboard.press("Escape");
  expect((await saved(page, modelId)).nodes.find((one) => one.id === id)?.params.expression).toBe("h = tanh(x)\nh * gate");
});

test("a layer is explained where one stands", async ({ page }) => {
  await startFrom(page, "LeNet-5");
  await pick(page, "relu1");
  await page.keyboard.press("?");
  const card = page.getByRole("dialog", { name: "About ReLU" });
  await expect(card.getByRole("img", { name: /Curve of ReLU/ })).toBeVisible();
  await expect(card).toContainText("nn.ReLU()");
  await card.getByRole("button", { name: "All about ReLU" }).click();
  await expect(page.getByRole("tab", { name: "Help" })).toHaveAttribute("aria-selected", "true");
  await pick(page, "conv1");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "About Conv2d" }).getByRole("img", { name: "Conv2d takes x B×1×28×28 and gives y B×6×28×28" })).toBeVisible();
});
