import { expect, test } from "@playwright/test";
import { name, node, saved } from "./studio.ts";

test("a published architecture opens as a drawing that can be entered", async ({ page }) => {
  await page.goto("/");
  const gallery = page.getByRole("region", { name: "Architectures" });

  await test.step("it is found by what it is for", async () => {
    await gallery.getByRole("textbox", { name: "Search architectures" }).fill("phones");
    await expect(gallery.getByRole("listitem")).toHaveCount(2);
    await gallery.getByRole("textbox", { name: "Search architectures" }).fill("resnet-18");
    await gallery.getByRole("button", { name: /^ResNet-18 11,689,512 parameters/ }).click();
  });

  await test.step("its classes are chosen", async () => {
    const dialog = page.getByRole("dialog", { name: "ResNet-18" });
    await expect(dialog.getByRole("link", { name: "pytorch/vision" })).toBeVisible();
    await dialog.getByLabel("Classes").fill("0");
    await expect(dialog.getByRole("button", { name: "Open ResNet-18" })).toBeDisabled();
    await dialog.getByLabel("Classes").fill("10");
    await dialog.getByRole("button", { name: "Open ResNet-18" }).click();
    await page.waitForURL(/\/models\//);
  });

  await test.step("its blocks hold blocks", async () => {
    await expect(name(page, "layer2")).toHaveText("layer2");
    await expect(page.getByText("11,181,642").first()).toBeVisible();
    await name(page, "layer2").dblclick();
    await expect(name(page, "0")).toHaveText("BasicBlock");
    await name(page, "0").dblclick();
    await expect(node(page, "downsample")).toBeVisible();
  });

  const graph = await saved(page, page.url().split("/").at(-1) ?? "");
  expect(graph.nodes.map(({ id }) => id)).toEqual(["in_x", "conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "flatten", "fc", "out_y"]);
});
