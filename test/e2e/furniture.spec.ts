import { expect, test } from "@playwright/test";
import { name, node, pick, saved, startFrom } from "./studio.ts";

test("notes, frames, a dot on a wire and a bypass, by keyboard and pointer, kept and undone", async ({ page }) => {
  const modelId = await startFrom(page, "LeNet-5");

  await test.step("a frame goes around the selection and takes it along", async () => {
    await pick(page, "conv1", "relu1", "pool1");
    await page.keyboard.press("Shift+F");
    await page.getByRole("textbox", { name: "Name", exact: true }).first().fill("Sees edges");
    await page.keyboard.press("Enter");
    const before = await saved(page, modelId);
    await page.keyboard.press("Shift+ArrowRight");
    const after = await saved(page, modelId);
    const x = (graph: typeof after, id: string) => graph.nodes.find((one) => one.id === id)?.at.x ?? Number.NaN;
    for (const id of ["frame_1", "conv1", "relu1", "pool1"]) expect(x(after, id)).toBe(x(before, id) + 48);
    expect(x(after, "conv2")).toBe(x(before, "conv2"));
    const title = await name(page, "frame_1").boundingBox();
    await page.mouse.move((title?.x ?? 0) + 6, (title?.y ?? 0) + 6);
    await page.mouse.down();
    await page.mouse.move((title?.x ?? 0) - 94, (title?.y ?? 0) + 6, { steps: 4 });
    await page.mouse.up();
    const dragged = await saved(page, modelId);
    expect(x(dragged, "conv1")).toBeLessThan(x(after, "conv1"));
    expect(x(dragged, "conv1") - x(dragged, "frame_1")).toBe(x(after, "conv1") - x(after, "frame_1"));
  });

  await test.step("a note is written in its place", async () => {
    await page.getByRole("button", { name: "Add a note" }).click();
    await page.getByRole("textbox", { name: "Note" }).fill("# Next\n- try **BatchNorm**\n- see https://example.org");
    await page.keyboard.press("Control+Enter");
    await expect(node(page, "note_1").getByRole("listitem")).toHaveCount(2);
    await expect(node(page, "note_1").getByRole("link")).toHaveAttribute("href", "https://example.org");
  });

  await test.step("a bypass is drawn, counted and taken back", async () => {
    await pick(page, "fc2");
    await page.keyboard.press("Control+b");
    await expect(node(page, "fc2")).toContainText("bypassed");
    expect((await saved(page, modelId)).nodes.find(({ id }) => id === "fc2")?.bypass).toBe(true);
    await expect(page.getByText("61,706").first()).toBeHidden();
    await page.getByRole("button", { name: "Bring it back" }).click();
    await expect(page.getByText("61,706").first()).toBeVisible();
  });

  await test.step("a double click puts a dot on a wire; undo takes it off", async () => {
    await page.keyboard.press("Escape");
    await page.locator(".react-flow__edge").first().dblclick({ force: true });
    await expect(node(page, "reroute_1")).toBeVisible();
    await expect(page.getByText("61,706").first()).toBeVisible();
    await page.keyboard.press("Control+z");
    await expect(node(page, "reroute_1")).toHaveCount(0);
  });
});
