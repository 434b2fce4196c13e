import { expect, test } from "@playwright/test";

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
