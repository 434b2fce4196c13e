import type { Locator } from "@playwright/test";
import { expect, test } from "@playwright/test";
import { look, trainFor } from "./studio.ts";

async function middle(of: Locator): Promise<{ x: number; y: number }> {
  const box = await of.boundingBox();
  if (!box) throw new Error("It is not on the page.");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** 600 rows: the class depends on a number and on a zone, which is written as a number but is none. */
function ripeness(): string {
  let state = 7;
  const random = () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const rows = Array.from({ length: 600 }, (_, row) => {
    const [sugar, zone] = [random() * 10, Math.floor(random() * 4)];
    const isRipe = zone % 2 === 0 ? sugar > 5 : sugar < 5;
    return `${row + 1};${row % 40 === 5 ? "" : sugar.toFixed(3)};${zone};${isRipe ? "ripe" : "green"}`;
  });
  return `number;sugar;zone;state\n${rows.join("\n")}\n`;
}

test("a table of one's own is added, corrected, learned from, and kept while a run holds it", async ({ page }) => {
  await page.goto("/data");
  await page.getByRole("button", { name: "Add data" }).click();
  const dialog = page.getByRole("dialog", { name: "Add data" });
  const field = dialog.getByLabel("Data", { exact: true });

  await field.setInputFiles({ name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n1,2\n1,2,3\n") });
  await expect(dialog.getByRole("alert")).toContainText("Line 3 has 3 cells, the header 2");

  await field.setInputFiles({ name: "Ripeness.csv", mimeType: "text/csv", buffer: Buffer.from(ripeness()) });
  await expect(dialog).toContainText("600 rows, 4 columns");
  await expect(dialog.getByLabel("Predict")).toHaveValue("3");
  await expect(dialog.getByLabel("number is read as")).toHaveValue("ignore");
  await expect(dialog.getByLabel("zone is read as")).toHaveValue("number");
  await dialog.getByLabel("zone is read as").selectOption("Category");

  const add = dialog.getByRole("button", { name: "Add the data set" });
  await expect(add).toBeDisabled();
  await dialog.getByLabel("Where sugar has no value").selectOption("Median");
  await add.click();

  await page.waitForURL(/\/data\/[0-9a-f-]{36}$/);
  const address = page.url();
  await expect(page.getByRole("heading", { name: "Ripeness" })).toBeVisible();
  for (const column of ["sugar", "zone=0", "zone=3"]) await expect(page.getByRole("columnheader", { name: column, exact: true })).toBeVisible();
  const health = page.locator("section").filter({ has: page.getByRole("heading", { name: "Health" }) });
  await expect(health).toContainText("sugar: 15 without a value");
  // Rows whose gaps were filled alike are equal, and some have the other class.
  await expect(health).toContainText(/Twice in training: \d+ rows/);

  await page.getByRole("button", { name: "Build a model on it" }).click();
  await page.waitForURL(/\/models\//);
  await page
    .getByRole("button", { name: /^Train/ })
    .first()
    .click();
  await page.waitForURL(/\/runs\//);
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  const figure = await page.getByText("Validation accuracy").first().locator("xpath=..").innerText();
  expect(Number(/(\d+(\.\d+)?)\s*%/.exec(figure)?.[1])).toBeGreaterThan(85);

  await page.goto(address);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText(/Ripeness is what run 1 of .* learned from/)).toBeVisible();
});

test("a number is learned from a table, and the page shows how far off each answer is", async ({ page }) => {
  const rows = Array.from({ length: 300 }, (_, at) => {
    const [height, width] = [(at * 37) % 101, (at * 53) % 97];
    return `${height / 10},${width / 10},${(3 * height - 2 * width + ((at * 29) % 13)) / 10}`;
  });
  await page.goto("/data");
  await page.getByRole("button", { name: "Add data" }).click();
  const dialog = page.getByRole("dialog", { name: "Add data" });
  await dialog.getByLabel("Data", { exact: true }).setInputFiles({ name: "Boards.csv", mimeType: "text/csv", buffer: Buffer.from(`height,width,price\n${rows.join("\n")}\n`) });
  await expect(dialog).toContainText("300 rows, 3 columns");
  await dialog.getByRole("button", { name: "Add the data set" }).click();
  await page.waitForURL(/\/data\/[0-9a-f-]{36}$/);
  await page.getByRole("button", { name: "Build a model on it" }).click();
  await page.waitForURL(/\/models\//);
  await trainFor(page, 8);
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  const residuals = page.getByRole("region", { name: "Residuals" });
  await expect(residuals.getByRole("img").first()).toBeVisible({ timeout: 30_000 });
  await expect(residuals).toContainText(/all \d+ rows/);
  await look(page, "residuals");

  await test.step("puts a chart elsewhere and makes it larger by hand: the address and the project keep it", async () => {
    const charts = page.getByRole("region", { name: "Charts" });
    const chart = (id: string | null | undefined) => charts.locator(`[data-chart="${id}"]`);
    const order = () => charts.locator("[data-chart]").evaluateAll((all) => all.map((one) => one.getAttribute("data-chart")));
    const drag = async (handle: string, to: { x: number; y: number }) => {
      const from = await middle(charts.getByRole("button", { name: handle }));
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
      await page.mouse.move(to.x, to.y, { steps: 4 });
      await page.mouse.up();
    };
    const before = await order();
    const second = before[1];
    await chart("loss").scrollIntoViewIfNeeded();
    await drag("Move Loss", await middle(chart(second)));
    await expect.poll(order).toEqual([second, "loss", ...before.slice(2)]);
    // Let go is let go: the pointer moves on alone.
    await page.mouse.move(10, 400, { steps: 3 });
    await drag("Move Loss", await middle(chart(second)));
    await expect.poll(order).toEqual(before);
    const [corner, size] = [await middle(charts.getByRole("button", { name: "Size of Loss" })), await chart("loss").boundingBox()];
    await drag("Size of Loss", { x: corner.x + 100, y: corner.y + 95 });
    await expect.poll(async () => Math.round(((await chart("loss").boundingBox())?.height ?? 0) - (size?.height ?? 0))).toBe(90);
    expect((await chart("loss").boundingBox())?.width).toBeGreaterThan((size?.width ?? 0) * 1.5);
    await expect.poll(() => page.url()).toContain("loss.w1");
    const plain = page.url().split("?")[0] ?? "";
    const runId = plain.split("/").at(-1) ?? "";
    await expect
      .poll(async () => {
        const input = encodeURIComponent(JSON.stringify({ runId }));
        const answer: { result: { data: { project: { charts: { id: string; wide: boolean }[] | null } } } } = await (
          await page.request.get(`/api/trpc/runs.get?input=${input}`)
        ).json();
        return answer.result.data.project.charts?.find(({ id }) => id === "loss")?.wide;
      })
      .toBe(true);
    await page.goto(plain);
    await expect.poll(async () => (await chart("loss").boundingBox())?.width).toBeGreaterThan((size?.width ?? 0) * 1.5);
    if (!process.env.SHOTS) return;
    await page.goto("/runs");
    await expect(page.getByRole("heading", { name: "Runs" }).first()).toBeVisible();
    await look(page, "table");
    await page.goto(`/runs/compare?runs=${runId}`);
    await expect(page.getByRole("img", { name: /of 1 runs/ }).first()).toBeVisible();
    await look(page, "compare");
  });
});
