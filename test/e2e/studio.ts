import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Locator, type Page } from "@playwright/test";
import sharp from "sharp";
import type { Graph } from "../../core/graph/document.ts";

/** What the stories in the studio have in common. */

export const node = (page: Page, id: string): Locator => page.locator(`.react-flow__node[data-id="${id}"]`);
export const nodeIds = (page: Page): Promise<string[]> => page.locator(".react-flow__node").evaluateAll((nodes) => nodes.map((one) => one.getAttribute("data-id") ?? ""));
export const name = (page: Page, id: string): Locator => node(page, id).locator(".layer-name");

/** Opens a new model of a template, and says its id. */
export async function startFrom(page: Page, template: string): Promise<string> {
  await page.goto("/?templates=all");
  await page.getByRole("button", { name: `Start from ${template}`, exact: true }).click();
  await page.waitForURL(/\/models\//);
  await expect(page.locator(".react-flow__node").first()).toBeVisible();
  return page.url().split("/").at(-1) ?? "";
}

/** Selects exactly these nodes. */
export async function pick(page: Page, ...ids: string[]): Promise<void> {
  for (const [index, id] of ids.entries()) await name(page, id).click(index === 0 ? {} : { modifiers: ["Shift"] });
}

/** Fits the view and waits until it rests. */
export async function showWhole(page: Page): Promise<void> {
  await page.keyboard.press("f");
  let before = "";
  await expect
    .poll(
      async () => {
        const now = (await page.locator(".react-flow__viewport").getAttribute("style")) ?? "";
        const rests = now === before;
        before = now;
        return rests;
      },
      { intervals: [250] },
    )
    .toBe(true);
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

/** Asks the server for something as the pages do, or orders it to be done. */
export async function ask<T>(page: Page, path: string, input: unknown, how: "question" | "order" = "question"): Promise<T> {
  const address = `/api/trpc/${path}`;
  const answer = await (how === "order" ? page.request.post(address, { data: input }) : page.request.get(`${address}?input=${encodeURIComponent(JSON.stringify(input))}`));
  const said: { result?: { data: T }; error?: { message: string } } = await answer.json();
  if (!said.result) throw new Error(`${path}: ${said.error?.message ?? "no answer"}`);
  return said.result.data;
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

const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const AXE_COLORS = ["color-contrast", "link-in-text-block"];

/** What axe finds on a page in the light or in the dark, where the page is the same and only its colours are others. */
export async function axe(page: Page, scheme: "light" | "dark"): Promise<string[]> {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  const builder = new AxeBuilder({ page });
  const { violations } = await (scheme === "light" ? builder.withTags(AXE_TAGS) : builder.withRules(AXE_COLORS)).analyze();
  return violations.map(({ id, nodes }) => `${scheme} ${id}: ${nodes.slice(0, 4).map((one) => one.html.slice(0, 160)).join(" | ")}`); // biome-ignore format: one line
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

/** With SHOTS=<folder>: the whole page in the light and in the dark, and on a phone, to be looked at. */
export async function look(page: Page, title: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (!folder) return;
  const size = page.viewportSize();
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.screenshot({ path: join(folder, `${title}-${theme}.png`) });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(folder, `${title}-phone.png`), fullPage: true });
  if (size) await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: null });
}
