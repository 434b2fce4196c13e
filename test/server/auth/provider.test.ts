import { createServer } from "node:http";
import Provider from "oidc-provider";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase } from "../postgres.ts";
import { serveWeb } from "../visitor.ts";
import { temporaryFiles } from "../world.ts";

/** Signing in by a real OpenID Connect provider (a certified one, on this machine), by its own pages: what it is asked, it checks. */
const { db } = await openTestDatabase();
const people: { [login: string]: object } = {
  otis: { name: "Otis", email: "Otis@example.org", email_verified: true },
  unchecked: { name: "Una", email: "una@example.org", email_verified: false },
};
const http = createServer();
const sites: { [method: string]: { base: string } } = {};

beforeAll(async () => {
  await new Promise<void>((ready) => http.listen(0, "127.0.0.1", ready));
  const address = http.address();
  if (address === null || typeof address === "string") throw new Error("The provider has a port.");
  const issuer = `http://127.0.0.1:${address.port}`;
  const methods = ["client_secret_basic", "client_secret_post"];
  const provider = new Provider(issuer, {
    clients: methods.map((method) => ({
      client_id: method,
      client_secret: "se:cret of the+client",
      redirect_uris: ["http://localhost/api/oauth/oidc/callback"],
      token_endpoint_auth_method: method,
    })),
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    pkce: { required: () => true },
    cookies: { keys: ["of this test"] },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
  });
  http.on("request", provider.callback());
  for (const method of methods)
    sites[method] = await serveWeb(db, temporaryFiles(), {
      AUTH: "required",
      SIGN_UP: "open",
      SECRET: "a key of this test, and of nothing else",
      PUBLIC_URL: "http://localhost",
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_ID: method,
      OIDC_CLIENT_SECRET: "se:cret of the+client",
    });
});
afterAll(() => {
  http.closeAllConnections();
  http.close();
});

/** Follows a browser's way through the provider's pages, with a jar of its own, until it is sent back to us. Returns that address. */
async function passProvider(from: string, login: string): Promise<URL> {
  const jar = new Map<string, string>();
  let at = from;
  let form: URLSearchParams | null = null;
  for (let hop = 0; hop < 20; hop++) {
    const answer: Response = await fetch(at, {
      redirect: "manual",
      method: form ? "POST" : "GET",
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form ? { body: form } : {}),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    form = null;
    const to = answer.headers.get("location");
    if (to !== null) {
      at = new URL(to, at).href;
      if (at.startsWith("http://localhost/")) return new URL(at);
      continue;
    }
    const page = await answer.text();
    const [, action = ""] = /<form[^>]+action="([^"]+)"/.exec(page) ?? [];
    if (!answer.ok || action === "") throw new Error(`The provider answered ${answer.status}: ${page.slice(0, 400)}`);
    at = new URL(action, at).href;
    form = new URLSearchParams(page.includes('value="login"') ? { prompt: "login", login, password: "any" } : { prompt: "consent" });
  }
  throw new Error("The provider's pages have no end.");
}

/** Signs somebody in by the provider, and returns where the browser ends up and with which cookies. */
async function signIn(base: string, login: string): Promise<{ location: string; session: string }> {
  const begun = await fetch(`${base}/api/oauth/oidc/start`, { redirect: "manual" });
  const cookie = begun.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const { search } = await passProvider(begun.headers.get("location") ?? "", login);
  const back = await fetch(`${base}/api/oauth/oidc/callback${search}`, { redirect: "manual", headers: { cookie } });
  const session =
    back.headers
      .getSetCookie()
      .find((line) => !line.startsWith("tensorloom-oauth="))
      ?.split(";")[0] ?? "";
  return { location: decodeURIComponent(back.headers.get("location") ?? ""), session };
}

test.each(["client_secret_basic", "client_secret_post"])("a client that the provider knows by %s: an account at the first time, the same one at the next", async (method) => {
  const base = sites[method]?.base ?? "";
  const first = await signIn(base, "otis");
  expect(first.location).toBe("/");
  const me = await fetch(`${base}/api/trpc/account.me`, { headers: { cookie: first.session } });
  expect(await me.text()).toContain("otis@example.org");
  await signIn(base, "otis");
  expect(await db.user.count({ where: { email: "otis@example.org" } })).toBe(1);
  expect(await db.identity.count({ where: { provider: "oidc", subject: "otis" } })).toBe(1);
});

test("an address that the provider has not checked makes no account, and a code works once", async () => {
  const base = sites.client_secret_basic?.base ?? "";
  expect((await signIn(base, "unchecked")).location).toContain("has not confirmed your e-mail address");
  expect(await db.user.count({ where: { email: "una@example.org" } })).toBe(0);

  const begun = await fetch(`${base}/api/oauth/oidc/start`, { redirect: "manual" });
  const cookie = begun.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const { search } = await passProvider(begun.headers.get("location") ?? "", "otis");
  const back = () => fetch(`${base}/api/oauth/oidc/callback${search}`, { redirect: "manual", headers: { cookie } });
  expect((await back()).headers.get("location")).toBe("/");
  expect(decodeURIComponent((await back()).headers.get("location") ?? "")).toContain("did not confirm who you are");
});
