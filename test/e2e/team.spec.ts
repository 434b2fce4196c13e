import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { type Browser, type BrowserContext, expect, type Page, test } from "@playwright/test";

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
        fetch(`${base}/healthz`).then(
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

test("invite, accept, look: a viewer sees the team's work and is offered nothing they may not do", async ({ browser }) => {
  const olga = await person(browser);
  // Names are text wherever they are shown.
  const canary = "Net <img src=x onerror=alert(1)>";
  await olga.page.goto("/");
  await olga.page
    .getByRole("button", { name: "Start from Multilayer perceptron", exact: true })
    .or(olga.page.getByRole("button", { name: /^Start from / }).first())
    .first()
    .click();
  await olga.page.waitForURL(/\/models\//);
  const modelId = olga.page.url().split("/").at(-1) ?? "";
  await olga.page.request.post("/api/trpc/models.rename", { data: { modelId, name: canary } });

  await olga.page.goto("/organization");
  await olga.page.getByRole("button", { name: "Account" }).click();
  await olga.page.getByRole("menuitem", { name: "Make an account" }).click();
  await olga.page.getByLabel("Your name").fill("Olga");
  await olga.page.getByLabel("E-mail").fill("olga@example.org");
  await olga.page.getByLabel("Password").fill(password);
  await olga.page.getByRole("button", { name: "Make the account" }).click();
  await expect(olga.page.getByText(canary).first()).toBeVisible();

  await olga.page.goto("/organization");
  await olga.page.getByLabel("E-mail").fill("vera@example.org");
  await olga.page.getByLabel("Role", { exact: true }).selectOption("viewer");
  await olga.page.getByRole("button", { name: "Invite", exact: true }).click();
  const link = await olga.page.getByLabel("Invitation link").inputValue();

  // Nobody gets in by just being there any more.
  const vera = await person(browser);
  await vera.page.goto(`/models/${modelId}`);
  await expect(vera.page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await vera.page.goto(link);
  await expect(vera.page.getByText("Olga invites")).toBeVisible();
  await vera.page.getByLabel("Your name").fill("Vera");
  await vera.page.getByLabel("Password").fill(password);
  await vera.page.getByRole("button", { name: "Make the account and join" }).click();

  await expect(vera.page.getByText(canary).first()).toBeVisible();
  await expect(vera.page.getByRole("button", { name: "New model" })).toHaveCount(0);
  await expect(vera.page.getByRole("button", { name: /^Start from / })).toHaveCount(0);
  await vera.page.goto(`/models/${modelId}`);
  await expect(vera.page.locator(".react-flow__node").first()).toBeVisible();
  await expect(vera.page.getByText("You may look")).toBeVisible();
  await expect(vera.page.getByRole("button", { name: /^Train/ })).toHaveCount(0);
  // What is not shown is not possible either.
  const forbidden = await vera.page.request.post("/api/trpc/models.rename", { data: { modelId, name: "Mine" } });
  expect(forbidden.status()).toBe(403);
  for (const { violations } of [olga, vera]) expect(violations).toEqual([]);
});
