import { expect, test } from "@playwright/test";
import { axe, startFrom, trainFor } from "./studio.ts";

const sizes = [
  ["desk", 1440, 900],
  ["phone", 390, 844],
] as const;
test("look", async ({ page, browser }) => {
  test.setTimeout(900_000);
  const modelId = await startFrom(page, "Playground: moons");
  await trainFor(page, 2);
  const runId = new URL(page.url()).pathname.split("/").at(-1);
  await expect(page.getByText("Finished", { exact: true }).first()).toBeVisible({ timeout: 120_000 });
  const post = async (path: string, data: unknown) => {
    const a = await page.request.post(`/api/trpc/${path}`, { data });
    if (a.status() !== 200) console.log(path, a.status(), await a.text());
    return (await a.json()).result?.data;
  };
  await page.emulateMedia({ reducedMotion: "reduce" });
  await post("account.signUp", { name: "Olga Petrova", email: "olga@example.org", password: "four quiet words here" });
  const invited = await post("organization.invite", { email: "mia@example.org", role: "member" });
  await post("organization.invite", { email: "a.very.long.address.of.somebody@department.university.example.org", role: "viewer" });
  await post("organization.createToken", { name: "Nightly script", scope: "write", days: 30 });
  const model = await post("shares.create", { what: { kind: "model", modelId }, mayFork: true, days: 7 });
  const run = await post("shares.create", { what: { kind: "run", runId }, mayFork: false, days: 30 });
  const pathOf = (x: { url: string }) => new URL(x.url).pathname;
  const shots: [string, string, boolean][] = [
    ["sign-up", "/sign-up", true],
    ["sign-in", "/sign-in", true],
    ["forgot", "/forgot", true],
    ["reset", `/reset/${"a".repeat(43)}`, true],
    ["verify", `/verify/${"a".repeat(43)}`, true],
    ["join", new URL(invited.link).pathname, true],
    ["join-over", `/join/${"a".repeat(43)}`, true],
    ["shared-model", pathOf(model), true],
    ["shared-run", pathOf(run), true],
    ["shared-over", `/shared/${"a".repeat(43)}`, true],
    ["account", "/account", false],
    ["organization", "/organization", false],
    ["admin", "/admin", false],
  ];
  const guest = await (await browser.newContext({ baseURL: new URL(page.url()).origin, reducedMotion: "reduce" })).newPage();
  for (const [name, path, open] of shots) {
    const p = open ? guest : page;
    for (const [size, width, height] of sizes) {
      await p.setViewportSize({ width, height });
      await p.emulateMedia({ colorScheme: "light" });
      await p.goto(path);
      await expect(p.locator("main:visible").first()).toBeVisible();
      await p.waitForTimeout(400);
      const tabs = name === "organization" || name === "admin" ? await p.getByRole("tab").allInnerTexts() : [""];
      for (const [at, tab] of tabs.entries()) {
        if (tab) {
          await p.getByRole("tab").nth(at).click();
          await p.waitForTimeout(500);
        }
        await expect(p.locator(".breathe")).toHaveCount(0);
        for (const scheme of ["light", "dark"] as const) {
          const bad = await axe(p, scheme);
          if (bad.length) console.log("AXE", name, tab, size, scheme, JSON.stringify(bad));
          await p.emulateMedia({ colorScheme: scheme });
          const wide = await p.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
          if (wide) console.log("WIDE", name, tab, size);
          await p.screenshot({ path: `/tmp/acc-shots/${name}${tab ? `-${tab.replace(/\W+/g, "_")}` : ""}-${size}-${scheme}.png`, fullPage: true });
        }
      }
    }
  }
});
