import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { type Browser, type BrowserContext, expect as expectSoon, type Page, test } from "@playwright/test";
import type { Graph } from "../../core/graph/document.ts";
import { onnxFile, onnxNode } from "../onnxFile.ts";
import { add, axe, name, node, pick, saved, startFrom, trainFor } from "./studio.ts";

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

/** Signs a person up by an invitation of Olga's to be a member, in a browser of their own. */
async function invite(browser: Browser, by: Page, name: string) {
  await by.goto("/organization");
  await by.getByLabel("E-mail").fill(`${name.toLowerCase()}@example.org`);
  await by.getByLabel("Role", { exact: true }).selectOption("member");
  await by.getByRole("button", { name: "Invite", exact: true }).click();
  const link = await by.getByLabel("Invitation link").inputValue();
  const guest = await person(browser);
  // Doors that open only by a link; the other pages are looked at in hands.spec.ts.
  for (const [door, text] of [
    [`/reset/${"a".repeat(43)}`, "A new password"],
    [`/verify/${"a".repeat(43)}`, "Confirm your address"],
    [link, "Olga invites"],
  ] as const) {
    await guest.page.goto(door);
    await expect(guest.page.getByText(text).first()).toBeVisible();
    for (const scheme of ["light", "dark"] as const) expect(await axe(guest.page, scheme)).toEqual([]);
  }
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
    const stranger = await browser.newContext({ baseURL: base });
    const { pathname } = new URL((await stranger.request.get(`/models/${modelId}`)).url());
    expect(pathname).toBe("/sign-in");
    await stranger.close();
  });

  const mia = await invite(browser, olga.page, "Mia");
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

  // As Mia came, without the clicks.
  const vera = await person(browser);
  await test.step("a third comes to look", async () => {
    const email = "vera@example.org";
    const { result } = await (await olga.page.request.post("/api/trpc/organization.invite", { data: { email, role: "viewer" } })).json();
    const invitation = (result.data as { link: string }).link.split("/").at(-1);
    const answer = await vera.page.request.post("/api/trpc/account.signUp", { data: { name: "Vera", email, password, invitation } });
    expect(answer.status()).toBe(200);
    await vera.page.goto("/");
  });
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
    await vera.page.goto("/data");
    const penguins = vera.page.getByRole("link").filter({ hasText: "Palmer penguins" });
    await expect(penguins).toBeVisible();
    await expect(vera.page.getByRole("button", { name: "Add data" })).toHaveCount(0);
    await penguins.click();
    await expect(vera.page.getByRole("heading", { name: "Health" })).toBeVisible();
    for (const name of ["Build a model on it", "Delete"]) await expect(vera.page.getByRole("button", { name })).toHaveCount(0);
    await vera.page.goto("/finetune");
    await expect(vera.page.getByText("Training one needs the role member")).toBeVisible();
    for (const name of ["Add your own", "Train", /^Fetch/]) await expect(vera.page.getByRole("button", { name, exact: true })).toHaveCount(0);
    await vera.page.goto("/organization");
    await expect(vera.page.getByText("You are viewer")).toBeVisible();
    for (const name of ["Rename", "Invite", "Remove", "Hand over"]) await expect(vera.page.getByRole("button", { name, exact: true })).toHaveCount(0);
    await expect(vera.page.getByRole("tab", { name: "Audit log" })).toHaveCount(0);
    for (const [who, tab] of [
      [vera, "Activity"],
      [olga, "Audit log"],
    ] as const) {
      await who.page.goto("/organization");
      await who.page.getByRole("tab", { name: tab }).click();
      await expect(who.page.getByText("made the model").first()).toBeVisible();
    }
    await vera.page.getByRole("tab", { name: "API tokens" }).click();
    await expect(vera.page.getByLabel("Scope").getByRole("option")).toHaveText(["read only"]);
  });

  await test.step("what is not shown is not possible either", async () => {
    for (const [path, data] of [
      ["models.rename", { modelId, name: "Mine" }],
      ["runs.repeat", { runId: runPath.split("/").at(-1) }],
      ["organization.invite", { email: "eve@example.org", role: "viewer" }],
      ["organization.createToken", { name: "More", scope: "write", days: 7 }],
      ["datasets.delete", { datasetId: modelId }],
      ["tuning.fetch", { networkId: "mobilenet" }],
      ["shares.create", { what: { kind: "model", modelId }, mayFork: false, days: 1 }],
    ] as const)
      expect((await vera.page.request.post(`/api/trpc/${path}`, { data })).status()).toBe(403);
  });

  await test.step("whatever people name, write or bring along is text wherever it is shown", async () => {
    const { page } = olga;
    const post = async (path: string, data: unknown) => {
      const answer = await page.request.post(`/api/trpc/${path}`, { data });
      expect([path, answer.status()]).toEqual([path, 200]);
      return (await answer.json()).result.data;
    };
    const runId = runPath.split("/").at(-1);
    await post("organization.rename", { name: `Team ${img("team")}` });
    await post("account.rename", { name: `Olga ${img("person")}` });
    await post("runs.setNotes", { runId, notes: `${img("notes")} <script>alert(1)</script>` });
    await post("runs.organize", { runIds: [runId], action: { kind: "tag", add: [img("tag")], remove: [] } });
    const { result } = await (await page.request.get(`/api/trpc/models.get?input=${encodeURIComponent(JSON.stringify({ modelId }))}`)).json();
    const { revision, graph } = result.data as { revision: number; graph: Graph };
    const note = { id: "note_1", type: "note", params: { text: `# ${img("note")}\n[a link](javascript:alert(1))` }, at: { x: 300, y: 0 } };
    const nodes = graph.nodes.map((one) => (one.id === "relu1" ? { ...one, name: img("node") } : one));
    await post("models.save", { modelId, revision, graph: { ...graph, nodes: [...nodes, note] } });

    // Columns, classes and the name of a file.
    await page.goto("/data");
    await page.getByRole("button", { name: "Add data" }).click();
    const dialog = page.getByRole("dialog", { name: "Add data" });
    const rows = Array.from({ length: 60 }, (_, row) => `${((row * 37) % 60) / 7},${row % 2 ? img("class") : "plain"}`);
    const buffer = Buffer.from(`${img("column")},kind\n${rows.join("\n")}\n`);
    await dialog.getByLabel("Data", { exact: true }).setInputFiles({ name: `${img("file")}.csv`, mimeType: "text/csv", buffer });
    await expect(dialog).toContainText("60 rows, 2 columns");
    await dialog.getByRole("button", { name: "Add the data set" }).click();
    await page.waitForURL(/\/data\/[0-9a-f-]{36}$/);
    const dataPath = new URL(page.url()).pathname;
    for (const what of ["column", "class"]) await expect(page.getByText(img(what)).first()).toBeVisible();

    // A refusal that names what it met.
    await page.goto("/");
    await page.getByRole("button", { name: "Import", exact: true }).click();
    const onnx = onnxFile({ nodes: [onnxNode(img("operator"), ["x"], ["y"])] }, { doc: img("doc"), producer: img("producer") });
    await page.locator('input[type="file"][accept=".onnx"]').setInputFiles({ name: `${img("model")}.onnx`, mimeType: "application/octet-stream", buffer: Buffer.from(onnx) });
    await expect(page.getByRole("alert", { name: "Not imported" })).toContainText(img("operator"));

    const { url } = await post("shares.create", { what: { kind: "run", runId }, mayFork: true, days: 1 });
    const places: [path: string, what: string[]][] = [
      [`/models/${modelId}`, ["node", "note"]],
      [runPath, ["tag"]],
      ["/runs", []],
      [dataPath, ["column"]],
      ["/organization", ["team", "person"]],
      [new URL(url).pathname, []],
    ];
    for (const [path, shown] of places) {
      await page.goto(path);
      await expect(page.getByText("<img src=x").filter({ visible: true }).first()).toBeVisible();
      for (const what of shown) await expect(page.getByText(img(what)).first()).toBeVisible();
      await expect(page.locator('img[src="x"], a[href^="javascript:"]')).toHaveCount(0);
    }
    // Notes on a run are read by whoever may not write them.
    await vera.page.goto(runPath);
    await expect(vera.page.getByText(img("notes"))).toBeVisible();
  });
  for (const { violations } of [olga, mia, vera]) expect(violations).toEqual([]);
  // That nothing ran would have been seen: the policy stops what gets in all the same, and says so.
  await olga.page.evaluate(() => document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>"));
  await expect.poll(() => olga.violations.join()).toContain("Content Security Policy");
  expect(olga.violations.join()).not.toContain("dialog");
});

/** Runs a script where somebody reads a text as markup. */
const img = (what: string) => `<img src=x onerror=alert('${what}')>`;
