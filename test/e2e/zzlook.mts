import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { chromium } from "@playwright/test";
import { findChromium } from "../../server/setup.mjs";

const port = 3224,
  base = `http://127.0.0.1:${port}`;
rmSync(".data/look", { recursive: true, force: true });
const server = spawn(process.execPath, ["server/start.ts"], { env: { ...process.env, PORT: String(port), DATA_DIR: ".data/look" }, stdio: "ignore" });
for (let i = 0; i < 120; i++) {
  if (
    await fetch(`${base}/readyz`).then(
      (r) => r.status === 200,
      () => false,
    )
  )
    break;
  await new Promise((r) => setTimeout(r, 500));
}
const browser = await chromium.launch({ executablePath: findChromium() ?? undefined, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const mine = await browser.newContext({ baseURL: base, reducedMotion: "reduce", viewport: { width: 390, height: 844 } });
  const page = await mine.newPage();
  await page.goto("/account");
  const post = async (path: string, data: unknown) => {
    const a = await page.request.post(`/api/trpc/${path}`, { data });
    const t = await a.text();
    if (a.status() !== 200) console.log(path, a.status(), t.slice(0, 200));
    return JSON.parse(t).result?.data;
  };
  await post("account.signUp", { name: "Olga Petrova", email: "olga@example.org", password: "four quiet words here" });
  const { id: modelId } = await post("models.create", { templateId: "lenet5" });
  const invited = await post("organization.invite", { email: "mia@example.org", role: "member" });
  await post("organization.invite", { email: "a.very.long.address.of.somebody@department.university.example.org", role: "viewer" });
  await post("organization.createToken", { name: "Nightly script", scope: "write", days: 30 });
  const shared = await post("shares.create", { what: { kind: "model", modelId }, mayFork: true, days: 7 });
  const guest = await (await browser.newContext({ baseURL: base, reducedMotion: "reduce", viewport: { width: 390, height: 844 } })).newPage();
  const shots: [string, string, boolean][] = [["organization", "/organization", false]];
    ["sign-up", "/sign-up", true],
    ["sign-in", "/sign-in", true],
    ["reset", `/reset/${"a".repeat(43)}`, true],
    ["join", new URL(invited.link).pathname, true],
    ["shared", new URL(shared.url).pathname, true],
    ["account", "/account", false],
    ["organization", "/organization", false],
    ["admin", "/admin", false],
  ];
  for (const [name, path, open] of shots) {
    const p = open ? guest : page;
    await p.setViewportSize({ width: 390, height: 844 });
    await p.emulateMedia({ colorScheme: "light" });
    await p.goto(path);
    await p.locator("main:visible").first().waitFor();
    await p.waitForTimeout(700);
    const tabs = /organization|admin/.test(name) ? await p.getByRole("tab").allInnerTexts() : [""];
    for (const [at, tab] of tabs.entries()) {
      if (tab) {
        await p.getByRole("tab").nth(at).click();
        await p.waitForTimeout(400);
      }
      const file = `/tmp/acc-shots/${name}-${at}`;
      await p.setViewportSize({ width: 390, height: 844 });
      if (await p.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) console.log("WIDE", name, tab);
      await p.screenshot({ path: `${file}-phone.png` });
      await p.setViewportSize({ width: 1440, height: 900 });
      await p.emulateMedia({ colorScheme: "dark" });
      await p.screenshot({ path: `${file}-desk.png` });
      await p.emulateMedia({ colorScheme: "light" });
    }
  }
} finally {
  await browser.close();
  const e = new Promise((d) => server.once("exit", d));
  server.kill("SIGTERM");
  await e;
}
