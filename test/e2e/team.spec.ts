import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { type Browser, type BrowserContext, expect as expectSoon, type Page, test } from "@playwright/test";
import { add, name, node, pick, saved, startFrom, trainFor } from "./studio.ts";

// Four browsers and a trainer share the machine: what takes seconds there takes longer here.
const expect = expectSoon.configure({ timeout: 60_000 });

/** Two people in two browsers and one organization, on an installation of their own: the first person takes the fresh workspace, the second is invited. */
const port = Number(process.env.E2E_PORT ?? 3199) + 1;
const base = `http://127.0.0.1:${port}`;
const folder = ".data/e2e-team";
const password = "four quiet words here";
let server: ChildProcess;

test.beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  server = spawn(process.execPath, ["server/start.ts"], { env: { ...process.env, PORT: String(port), DATA_DIR: folder }, stdio: "ignore" });
  await expect
    .poll(
      () =>
        fetch(`${base}/readyz`).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 60_000 },
    )
    .toBe(200);
});
test.afterAll(async () => {
  const ended = new Promise((done) => server.once("exit", done));
  server.kill("SIGTERM");
  await ended;
});

async function person(browser: Browser): Promise<{ context: BrowserContext; page: Page; violations: string[] }> {
  const context = await browser.newContext({ baseURL: base });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const violations: string[] = [];
  page.on("dialog", (dialog) => {
    violations.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => /Content Security Policy/i.test(message.text()) && violations.push(message.text()));
  return { context, page, violations };
}

/** Signs a person up by an invitation of Olga's, in a browser of their own. */
async function invite(browser: Browser, by: Page, name: string, role: "member" | "viewer") {
  await by.goto("/organization");
  await by.getByLabel("E-mail").fill(`${name.toLowerCase()}@example.org`);
  await by.getByLabel("Role", { exact: true }).selectOption(role);
  await by.getByRole("button", { name: "Invite", exact: true }).click();
  const link = await by.getByLabel("Invitation link").inputValue();
  const guest = await person(browser);
  await guest.page.goto(link);
  await expect(guest.page.getByText("Olga invites")).toBeVisible();
  await guest.page.getByLabel("Your name").fill(name);
  await guest.page.getByLabel("Password").fill(password);
  await guest.page.getByRole("button", { name: "Make the account and join" }).click();
  await expect(guest.page.getByRole("heading", { name: "Models" }).first()).toBeVisible();
  return guest;
}

test("invite, accept, build together, run, look; a viewer sees the team's work and is offered nothing they may not do", async ({ browser }) => {
  const olga = await person(browser);
  // Names are text wherever they are shown.
  const canary = "Net <img src=x onerror=alert(1)>";
  const modelId = await startFrom(olga.page, "Tabular MLP");
  await olga.page.request.post("/api/trpc/models.rename", { data: { modelId, name: canary } });

  await test.step("the workspace becomes an account's", async () => {
    await olga.page.goto("/organization");
    await olga.page.getByRole("button", { name: "Account" }).click();
    await olga.page.getByRole("menuitem", { name: "Make an account" }).click();
    await olga.page.getByLabel("Your name").fill("Olga");
    await olga.page.getByLabel("E-mail").fill("olga@example.org");
    await olga.page.getByLabel("Password").fill(password);
    await olga.page.getByRole("button", { name: "Make the account" }).click();
    await expect(olga.page.getByText(canary).first()).toBeVisible();
    // Nobody gets in by just being there any more.
    const stranger = await person(browser);
    await stranger.page.goto(`/models/${modelId}`);
    await expect(stranger.page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await stranger.context.close();
  });

  const mia = await invite(browser, olga.page, "Mia", "member");
  await test.step("two people build one model, each in a browser of their own", async () => {
    await olga.page.goto(`/models/${modelId}`);
    await mia.page.goto(`/models/${modelId}`);
    await expect(olga.page.getByRole("list", { name: "Also here" }).getByRole("listitem")).toHaveCount(1);
    await pick(mia.page, "relu1");
    const hers = await add(mia.page, "Dropout");
    await expect(node(olga.page, hers)).toBeVisible();
    await pick(olga.page, hers);
    const mine = await add(olga.page, "Identity");
    await expect(node(mia.page, mine)).toBeVisible();
    await saved(olga.page, modelId);
    await saved(mia.page, modelId);
  });

  const runPath = await test.step("one trains, and the other watches it end", async () => {
    await trainFor(mia.page, 3);
    const { pathname } = new URL(mia.page.url());
    await olga.page.goto(pathname);
    for (const { page } of [mia, olga]) await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
    await olga.page.getByRole("button", { name: "More actions" }).click();
    await expect(olga.page.getByRole("menuitem", { name: "Run again, bit for bit" })).toBeVisible();
    await olga.page.keyboard.press("Escape");
    return pathname;
  });

  const vera = await invite(browser, olga.page, "Vera", "viewer");
  await test.step("a viewer sees all of it, and no control that they may not use", async () => {
    await expect(vera.page.getByText(canary).first()).toBeVisible();
    for (const name of [/^New model/, /^Start from /, /^More for /, /^Import/]) await expect(vera.page.getByRole("button", { name })).toHaveCount(0);
    await vera.page.goto(`/models/${modelId}`);
    await expect(vera.page.locator(".react-flow__node").first()).toBeVisible();
    await expect(vera.page.getByText("You may look")).toBeVisible();
    for (const name of [/^Train/, "Settings", "Share by link", "Preview", "Import weights"]) await expect(vera.page.getByRole("button", { name })).toHaveCount(0);
    await expect(vera.page.getByRole("combobox", { name: "Find a layer" })).toHaveCount(0);
    await name(vera.page, "relu1").click();
    for (const field of await vera.page.getByRole("tabpanel").getByRole("textbox").all()) await expect(field).toBeDisabled();
    await vera.page.goto(runPath);
    await expect(vera.page.getByText("Finished", { exact: true }).first()).toBeVisible();
    for (const name of ["More actions", "Resume", "Cancel", "Tag or note", /^Fork from/, /^Open epoch/]) await expect(vera.page.getByRole("button", { name })).toHaveCount(0);
  });

  await test.step("what is not shown is not possible either", async () => {
    for (const [path, data] of [
      ["models.rename", { modelId, name: "Mine" }],
      ["runs.repeat", { runId: runPath.split("/").at(-1) }],
      ["organization.invite", { email: "eve@example.org", role: "viewer" }],
    ] as const)
      expect((await vera.page.request.post(`/api/trpc/${path}`, { data })).status()).toBe(403);
  });
  for (const { violations } of [olga, mia, vera]) expect(violations).toEqual([]);
});
