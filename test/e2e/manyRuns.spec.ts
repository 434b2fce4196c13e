import { readFileSync } from "node:fs";
import { expect, type Locator, type Page, test } from "@playwright/test";
import { ask, look, pick, saved, startFrom, trainFor } from "./studio.ts";

/** Presses one place of a chart, and lets go at another; both as shares of its width. */
async function brush(page: Page, chart: Locator, from: number, to: number): Promise<void> {
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  if (!box) throw new Error("The chart is not on the page.");
  const at = (share: number) => [box.x + 50 + share * (box.width - 70), box.y + box.height / 2] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at((from + to) / 2));
  await page.mouse.move(...at(to));
  await page.mouse.up();
}

test("six real runs: one read by its charts, all found, ordered, grouped, kept as a view, taken along, compared, tagged, locked, thrown away and moved", async ({ page }) => {
  const modelId = await startFrom(page, "Tabular MLP");
  await trainFor(page, 12);
  const finished = page.getByText("Finished", { exact: true }).first();
  await expect(finished).toBeVisible({ timeout: 60_000 });
  await expect(page).toHaveTitle(/^Finished · Run 1, /);
  const first = page.url().split("/").at(-1) ?? "";

  await test.step("one step is read from all charts at once; smoothing leaves the raw line; a curve alone; a stretch alone", async () => {
    const charts = page.getByRole("region", { name: "Charts" });
    const loss = charts.getByRole("region", { name: "Loss", exact: true });
    const picture = loss.locator('[aria-roledescription="chart"]');
    let step = "";
    // The curve may still be on its way.
    await expect(async () => {
      await picture.hover({ position: { x: 300, y: 80 } });
      step = /Step (\d+)/.exec((await loss.getByRole("status").textContent({ timeout: 1_000 })) ?? "")?.[1] ?? "";
      expect(Number(step)).toBeGreaterThan(1);
      await page.mouse.move(0, 0);
    }).toPass();
    await picture.hover({ position: { x: 300, y: 80 } });
    await expect(charts.getByRole("region", { name: "Learning rate" }).getByRole("status")).toContainText(`Step ${step}, `);

    const faint = loss.locator('svg path[stroke-opacity="0.28"]');
    await charts.getByLabel("Smoothing").fill("0.9");
    await expect(faint).toHaveCount(1);
    await charts.getByLabel("Smoothing").fill("0");
    await expect(faint).toHaveCount(0);
    await loss.getByRole("button", { name: /^validation/ }).click();
    await expect(loss.locator('svg g[fill="none"]')).toHaveCount(1);
    await loss.getByRole("button", { name: /^validation/ }).click();
    await loss.getByRole("button", { name: "Loss on a log scale" }).click();
    await expect(loss.getByRole("button", { name: "Loss on a log scale" })).toHaveAttribute("aria-pressed", "true");

    await brush(page, picture, 0.25, 0.5);
    const range = charts.getByText(/^Steps \d+ to \d+$/);
    await expect(range).toBeVisible();
    const [from = 0, to = 0] = (await range.innerText()).match(/\d+/g)?.map(Number) ?? [];
    expect(to - from).toBeLessThan((await ask<{ step: number }>(page, "runs.get", { runId: first })).step / 2);
    await charts.getByRole("button", { name: "Show all steps" }).click();
    await expect(range).toHaveCount(0);
  });

  await test.step("five more train: one with another graph, four with other settings; whoever is elsewhere is told", async () => {
    await page.goto(`/models/${modelId}`);
    await pick(page, "fc1");
    await page.getByLabel("out_features", { exact: true }).fill("24");
    await page.getByLabel("out_features", { exact: true }).press("Enter");
    await expect.poll(async () => (await saved(page, modelId)).nodes.find(({ id }) => id === "fc1")?.params.out_features).toBe(24);
    await trainFor(page, 4);
    // What ends from then on is news to the page.
    const listening = page.waitForResponse((answer) => answer.url().includes("runs.endings"));
    await page.goto(`/models/${modelId}/runs`);
    await listening;
    const { settings } = await ask<{ settings: { [name: string]: unknown } }>(page, "runs.get", { runId: first });
    for (const [at, lr] of [0.1, 0.03, 0.0001, 0.00001].entries()) {
      const other = { ...settings, epochs: 4, lr, optimizer: at % 2 ? "Adam" : "SGD", optimizerParams: {} };
      await ask(page, "runs.start", { modelId, settings: other, idempotencyKey: `many-runs-${at}` }, "order");
    }
    await expect(page.getByText(/^Run \d of .* has finished\.$/).first()).toBeVisible({ timeout: 60_000 });
    await expect(page.getByRole("row").filter({ hasText: "Finished" })).toHaveCount(6, { timeout: 60_000 });
  });

  const rows = page.getByRole("row").filter({ has: page.getByRole("link", { name: /^Run \d/ }) });
  await test.step("the table: any column, order, filters, groups, a view that is kept, and all of it taken along", async () => {
    await page.getByRole("button", { name: "Columns" }).click();
    const dialog = page.getByRole("dialog", { name: "Columns" });
    for (const title of ["Lowest validation loss", "Highest validation loss", "Last validation loss", "Optimizer"]) await dialog.getByLabel(title, { exact: true }).check();
    await page.keyboard.press("Escape");
    const head = page.getByRole("columnheader", { name: /Lowest validation loss/ });
    await head.getByRole("button").click();
    await expect(head).toHaveAttribute("aria-sort", "ascending");
    const at = (await page.getByRole("columnheader").allInnerTexts()).findIndex((text) => text.includes("Lowest validation loss"));
    await expect
      .poll(async () => rows.evaluateAll((all, at) => all.map((row) => Number(row.children[at]?.textContent)).every((loss, i, list) => i === 0 || loss >= (list[i - 1] ?? 0)), at))
      .toBe(true);

    await page.getByRole("button", { name: "Filter" }).click();
    const filter = page.getByRole("dialog", { name: "Add a filter" });
    await filter.getByLabel("Column").selectOption("settings.optimizer");
    await filter.getByLabel("Value").fill("SGD");
    await filter.getByRole("button", { name: "Add filter" }).click();
    await expect(rows).toHaveCount(2);
    await page.getByRole("button", { name: "Views" }).click();
    await page.getByRole("menuitem", { name: "Keep this view…" }).click();
    await page.getByLabel("Name of the view").fill("By SGD");
    await page.getByRole("button", { name: "Keep", exact: true }).click();
    await page.getByRole("button", { name: "By SGD" }).click();
    await page.getByRole("menuitem", { name: "Back to all runs" }).click();
    await expect(rows).toHaveCount(6);
    await page.getByRole("button", { name: "Views" }).click();
    await page.getByRole("menuitem", { name: "By SGD" }).click();
    await expect(rows).toHaveCount(2);
    await expect(head).toHaveAttribute("aria-sort", "ascending");

    await page.getByRole("button", { name: "Take along" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "CSV" }).click()]);
    const lines = readFileSync(await download.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(lines.length).toBe(3);
    expect(lines[0]).toContain("validation/loss:min");

    await page.getByRole("button", { name: /^Remove the filter/ }).click();
    await expect(rows).toHaveCount(6);
    await page.getByLabel("Group by").selectOption("tags");
    await page.getByRole("button", { name: "No tags" }).click();
    await expect(rows).toHaveCount(6);
    await look(page, "runs-grouped");
  });

  const ticked = page.getByRole("region", { name: "Ticked runs" });
  await test.step("all beside each other: curves, readings, settings, graphs, and what went with the result", async () => {
    await page.getByLabel("Tick all runs shown").check();
    await expect(ticked).toContainText("6 ticked");
    await ticked.getByRole("button", { name: "Compare" }).click();
    await expect(page.getByRole("heading", { name: "6 runs compared" })).toBeVisible();
    const show = (title: string) => page.getByRole("radiogroup", { name: "What is compared" }).getByRole("radio", { name: title }).click();
    const curves = page.getByRole("region", { name: "Curves", exact: true });
    await expect(curves.locator('[data-curve-count="6"]').first()).toBeVisible();
    const legend = page.getByRole("region", { name: "Runs", exact: true });
    await legend.getByRole("button", { name: "Run 2", exact: true }).click();
    await expect(curves.locator('[data-curve-count="1"]').first()).toBeVisible();
    await legend.getByRole("button", { name: "All", exact: true }).click();
    await curves.getByLabel("Along").selectOption("time");
    await expect(curves.locator('[data-curve-count="6"]').first()).toBeVisible();
    await look(page, "compare-curves");

    await show("Readings");
    await expect(page.getByRole("list", { name: "Readings" }).getByRole("listitem")).toHaveCount(6);
    await show("Settings");
    const settings = page.getByRole("region", { name: "Settings", exact: true });
    await expect(settings.getByRole("row", { name: /^Learning rate/i })).toContainText("0.03");
    await expect(settings.getByRole("row", { name: /^Batch size/i })).toHaveCount(0);
    await settings.getByRole("switch", { name: "Show settings that are the same" }).click();
    await expect(settings.getByRole("row", { name: /^Batch size/i })).toBeVisible();
    await look(page, "compare-settings");

    await show("Graphs");
    const graphs = page.getByRole("region", { name: "Graphs", exact: true });
    await graphs.getByLabel("From").selectOption({ label: "Tabular MLP, run 1" });
    await graphs.getByLabel("to", { exact: true }).selectOption({ label: "Tabular MLP, run 2" });
    await expect(graphs.getByRole("region", { name: "What changed" })).toContainText("24");
    await expect(graphs.getByRole("region", { name: "What it did" }).getByRole("row", { name: /^Parameters/ })).toBeVisible();
    await expect(graphs.getByRole("img", { name: /nodes changed/ })).toBeVisible();
    await look(page, "compare-graphs");

    await show("Relations");
    await expect(page.getByRole("region", { name: "Importance of each setting" }).getByRole("listitem").filter({ hasText: "Learning rate" })).toContainText("%");
    const scatter = page.getByRole("region", { name: "Scatter" });
    await scatter.getByLabel("Across").selectOption("settings.lr");
    await expect(scatter.getByRole("img", { name: /Learning rate of 6 runs/ })).toBeVisible();
    await expect(page.getByRole("region", { name: "Parallel coordinates" }).getByRole("img", { name: /^6 runs across/ })).toBeVisible();
    await look(page, "compare-relations");
  });

  await test.step("tags, notes and a lock; the trash and the way back; another project", async () => {
    await page.goto(`/models/${modelId}/runs`);
    const tick = (number: number) => page.getByLabel(`Tick run ${number} of Tabular MLP`).check();
    const row = (number: number) => page.getByRole("row").filter({ has: page.getByRole("link", { name: `Run ${number}`, exact: true }) });
    await tick(2);
    await tick(3);
    await ticked.getByRole("button", { name: "Tag" }).click();
    await page.getByLabel("Tag", { exact: true }).fill("paper");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await expect(page.getByRole("row").filter({ hasText: "paper" })).toHaveCount(2);
    await ticked.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: /^Lock/ }).click();
    await expect(row(2).getByRole("img", { name: "Locked" })).toBeVisible();

    await tick(2);
    await tick(4);
    await ticked.getByRole("button", { name: "Move to trash" }).click();
    await expect(page.getByText(/^1 run moved to the trash\. Run 2 stayed as it was/)).toBeVisible();
    await expect(rows).toHaveCount(5);
    await page.getByRole("button", { name: "Trash", exact: true }).click();
    await expect(page.getByRole("heading", { name: "Runs in the trash" })).toBeVisible();
    await tick(4);
    await ticked.getByRole("button", { name: "Restore" }).click();
    await expect(page.getByText("The trash is empty")).toBeVisible();
    await page.getByRole("button", { name: "Back to the runs" }).click();
    await expect(rows).toHaveCount(6);

    await row(2).getByRole("link").click();
    await page.getByRole("button", { name: "Tag or note" }).click();
    await page.getByLabel("Notes", { exact: true }).fill("A wider layer helped.");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("button", { name: "A wider layer helped." })).toBeVisible();
    await expect(page.getByRole("region", { name: "Tags and notes" })).toContainText("Locked");

    await ask(page, "projects.create", { name: "Elsewhere" }, "order");
    await page.goto(`/models/${modelId}/runs`);
    await expect(row(2).getByRole("img", { name: "Has notes" })).toBeVisible();
    const ofOthers = async () =>
      (await ask<{ runs: { id: string; number: number; modelId: string; modelName: string }[] }>(page, "runs.list", {})).runs.filter((run) => run.modelId !== modelId);
    const before = new Set((await ofOthers()).map(({ id }) => id));
    await tick(5);
    await ticked.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByRole("list", { name: "Projects" }).getByRole("button", { name: "Elsewhere" }).click();
    await expect(rows).toHaveCount(5);
    expect((await ofOthers()).filter(({ id }) => !before.has(id))).toMatchObject([{ number: 1, modelName: "Tabular MLP" }]);
  });
});
