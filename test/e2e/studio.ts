import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Locator, type Page } from "@playwright/test";
import sharp from "sharp";
import type { Graph } from "../../core/graph/document.ts";

/** What the stories in the studio have in common. */

export const node = (page: Page, id: string): Locator => page.locator(`.react-flow__node[data-id="${id}"]`);
export const nodeIds = (page: Page): Promise<string[]> => page.locator(".react-flow__node").evaluateAll((nodes) => nodes.map((one) => one.getAttribute("data-id") ?? ""));
export const name = (page: Page, id: string): Locator => node(page, id).locator(".layer-name");

/** Opens a new model of a template, and says its id. */
export async function startFrom(page: Page, template: string): Promise<string> {
  await page.goto("/");
  await page.getByRole("button", { name: `Start from ${template}`, exact: true }).click();
  await page.waitForURL(/\/models\//);
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  return page.url().split("/").at(-1) ?? "";
}

/** Selects exactly these nodes. */
export async function pick(page: Page, ...ids: string[]): Promise<void> {
  for (const [index, id] of ids.entries()) await name(page, id).click(index === 0 ? {} : { modifiers: ["Shift"] });
}

/** Adds what the palette has under this name, and says which node it became. */
export async function add(page: Page, title: string): Promise<string> {
  const before = new Set(await nodeIds(page));
  const search = page.getByRole("combobox", { name: "Find a layer" });
  await search.fill(title);
  await page.locator("#palette-list").getByRole("button", { name: title, exact: true }).first().click();
  await search.fill("");
  await expect.poll(async () => (await nodeIds(page)).length).toBe(before.size + 1);
  return (await nodeIds(page)).find((id) => !before.has(id)) ?? "";
}

/** The document as the server has it, once everything is saved. */
export async function saved(page: Page, modelId: string): Promise<Graph> {
  await expect(page.getByRole("status", { name: "Save state" })).toContainText("· saved");
  const input = encodeURIComponent(JSON.stringify({ modelId }));
  const answer: { result: { data: { graph: Graph } } } = await (await page.request.get(`/api/trpc/models.get?input=${input}`)).json();
  return answer.result.data.graph;
}

/** Sets the number of epochs, trains, and waits for the run's page. */
export async function trainFor(page: Page, epochs: number): Promise<void> {
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await page.getByLabel("Epochs", { exact: true }).fill(String(epochs));
  await page.getByLabel("Epochs", { exact: true }).blur();
  await page
    .getByRole("button", { name: /^Train/ })
    .first()
    .click();
  await page.waitForURL(/\/runs\//);
}

const SCREENSHOTS = join(import.meta.dirname, "__screenshots__");

/** Keeps how the page looks beside the stories, in few colours; what is kept already is only replaced with UPDATE_SCREENSHOTS=1. */
export async function keep(page: Page, title: string): Promise<void> {
  const file = join(SCREENSHOTS, `${title}.png`);
  if (existsSync(file) && process.env.UPDATE_SCREENSHOTS !== "1") return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  writeFileSync(
    file,
    await sharp(await page.screenshot())
      .png({ palette: true, colours: 64, effort: 9 })
      .toBuffer(),
  );
}
