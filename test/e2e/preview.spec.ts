import { expect, test } from "@playwright/test";
import { node, pick, startFrom } from "./studio.ts";

test("a sample flows through the drawing, and an edit is seen at once", async ({ page }) => {
  await startFrom(page, "LeNet-5");
  await page.getByRole("button", { name: "Preview", exact: true }).click();
  const bar = page.getByRole("toolbar", { name: "Preview" });
  await expect(bar.getByRole("status")).toContainText("Fresh weights", { timeout: 30_000 });
  const conv = page.locator(".react-flow__node", { hasText: "Conv2d" }).first();
  const picture = () => conv.locator(".node-preview canvas").evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
  const before = await picture();
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/preview0.png` });
  await expect(page.locator(".wire-label", { hasText: /^1×6×/ }).first()).toBeVisible();

  await bar.getByRole("button", { name: "Next sample" }).click();
  await expect.poll(picture).not.toBe(before);
  await expect(bar.getByRole("textbox", { name: /Sample of/ })).toHaveValue("1");

  // An edit changes what the wire carries.
  const id = (await conv.getAttribute("data-id")) ?? "";
  await pick(page, id);
  await expect(page.getByText("Mean ± deviation")).toBeVisible();
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/preview.png` });
  await page.getByRole("textbox", { name: "out_channels" }).fill("9");
  await expect(page.locator(".wire-label", { hasText: /^1×9×/ }).first()).toBeVisible();

  // What one does not want to see is put away, and comes back.
  await node(page, id).locator(".node-preview").hover();
  await page
    .getByRole("button", { name: /Hide the preview of Conv2d/ })
    .first()
    .click();
  await expect(node(page, id).locator(".node-preview")).toHaveCount(0);
  await page.getByRole("button", { name: "Show it on the canvas" }).click();
  await expect(node(page, id).locator(".node-preview")).toBeVisible();
});
