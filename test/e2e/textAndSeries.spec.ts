import { expect, test } from "@playwright/test";
import { look, trainFor } from "./studio.ts";

const subjects = ["the whale", "the captain", "a sailor", "the sea", "an old ship"];
const verbs = ["sees", "follows", "fears", "calls", "carries"];
/** Sentences of a few words, in an order that repeats late. */
const story = Array.from({ length: 700 }, (_, at) => `${subjects[at % 5]} ${verbs[(at * 7 + 2) % 5]} ${subjects[(at * 3 + 1) % 5]}.${at % 9 === 8 ? "\n" : " "}`).join("");

test("a text of one's own: its tokens are looked at, a model writes on while it trains, and goes on with a prompt in the browser", async ({ page }) => {
  await page.goto("/data");
  await page.getByRole("button", { name: "Add data" }).click();
  const dialog = page.getByRole("dialog", { name: "Add data" });
  await dialog.getByLabel("Data", { exact: true }).setInputFiles({ name: "Sea story.txt", mimeType: "text/plain", buffer: Buffer.from(story) });

  await expect(dialog).toContainText("read as a text to be gone on with");
  const vocabulary = dialog.getByRole("region", { name: "Vocabulary" });
  await expect(vocabulary).toContainText("␣");
  await dialog.getByRole("radio", { name: "Parts" }).click();
  await dialog.getByRole("textbox", { name: "Vocabulary", exact: true }).fill("64");
  await dialog.getByLabel("Tokens at once").fill("24");
  await expect(vocabulary).toContainText("␣the");
  await dialog.getByRole("button", { name: "Add the data set" }).click();
  await page.waitForURL(/\/data\/[0-9a-f-]{36}$/);
  await expect(page.getByText("Language model").first()).toBeVisible();

  await page.getByRole("button", { name: "Build a model on it" }).click();
  await page.waitForURL(/\/models\//);
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await page.getByLabel("Begins with").fill("the captain");
  await page.getByLabel("Tokens", { exact: true }).fill("40");
  await page.getByLabel("Tokens", { exact: true }).blur();
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await trainFor(page, 3);
  const written = page.getByRole("region", { name: "What it writes" });
  await expect(written.getByRole("article", { name: "After epoch 1" })).toContainText("the captain");
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  await expect(written.getByRole("article")).toHaveCount(3);
  await expect(page.getByText("Validation bits per character").first()).toBeVisible();
  await look(page, "text-run");

  await test.step("sees which tokens it looks at", async () => {
    const looks = page.getByRole("region", { name: "What it looks at" });
    await expect(looks.getByRole("img", { name: /^Attention of .* steps by/ })).toBeVisible({ timeout: 60_000 });
    await looks.getByLabel("Head").selectOption({ label: "head 1" });
    await expect(looks.getByRole("img", { name: /^Attention of .* steps by/ })).toBeVisible();
    await look(page, "attention");
  });

  await page.getByRole("tab", { name: "Try it" }).click({ timeout: 60_000 });
  await page.getByLabel("Begin with").fill("an old ship");
  await page.getByLabel("Tokens", { exact: true }).fill("30");
  await page.getByRole("button", { name: "Go on from there" }).click();
  await expect.poll(async () => (await page.getByRole("region", { name: "What it writes" }).innerText()).length).toBeGreaterThan(40);
});

test("a table with dates is taken for a series, and its forecasts are drawn beside what came", async ({ page }) => {
  const days = Array.from(
    { length: 500 },
    (_, at) => `${new Date(Date.UTC(2023, 0, 1 + at)).toISOString().slice(0, 10)},${(200 + 40 * Math.sin((at * 2 * Math.PI) / 7) + at / 5 + ((at * 37) % 11)).toFixed(2)}`,
  );
  await page.goto("/data");
  await page.getByRole("button", { name: "Add data" }).click();
  const dialog = page.getByRole("dialog", { name: "Add data" });
  await dialog.getByLabel("Data", { exact: true }).setInputFiles({ name: "Visitors.csv", mimeType: "text/csv", buffer: Buffer.from(`day,visitors\n${days.join("\n")}\n`) });
  await expect(dialog.getByLabel("Predict")).toHaveValue("1");
  await expect(dialog.getByRole("radio", { name: "Past" })).toBeChecked();
  await expect(dialog.getByLabel("Season")).toHaveValue("7");
  await dialog.getByLabel("Forecasts").fill("7");
  await dialog.getByRole("button", { name: "Add the data set" }).click();
  await page.waitForURL(/\/data\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("img", { name: "Window 0 of visitors" })).toBeVisible();

  await page.getByRole("button", { name: "Build a model on it" }).click();
  await page.waitForURL(/\/models\//);
  await trainFor(page, 10);
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  const forecasts = page.getByRole("region", { name: "Forecasts" });
  await expect(forecasts).toContainText(/\d% less off than repeating the last 7 values/);
  await expect(forecasts.getByRole("img")).toHaveCount(4);
  await expect(page.getByRole("list", { name: "Mean absolute error of each step ahead" }).getByRole("listitem")).toHaveCount(7, { timeout: 30_000 });
  await look(page, "forecast-run");

  await page.getByRole("tab", { name: "Try it" }).click({ timeout: 60_000 });
  await expect(page.getByRole("table", { name: "Forecast" }).getByRole("row")).toHaveCount(7);
  await page.getByLabel("What was").fill("1 2 3");
  await expect(page.getByText("It looks back 56 values, and these are 3.").first()).toBeVisible();
});
