import { randomUUID } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { hashSecret, makeSecret } from "../../../server/auth/secrets.ts";
import type { Role } from "../../../server/auth/session.ts";
import { makeToken } from "../../../server/auth/token.ts";
import { pages } from "../../../server/http/pages.ts";
import { routes } from "../../../server/http/routes.ts";
import { openTestDatabase } from "../postgres.ts";
import { serveWeb } from "../visitor.ts";
import { makeTenant, type Tenant, temporaryFiles } from "../world.ts";

/** S-1 beside the procedures: every address that the server answers under, and every page, has somebody who may ask for it, and nobody else may. */
const { db } = await openTestDatabase();
const { base } = await serveWeb(db, temporaryFiles(), { AUTH: "required" });

/** The whole of it. A new route is entered here on purpose. */
const expected: Record<string, Role | "public"> = {
  "GET HEAD /healthz": "public",
  "GET HEAD /readyz": "public",
  "GET POST /api/trpc/[procedure]": "public",
  "POST /api/uploads": "member",
  "HEAD PATCH DELETE /api/uploads/[uploadId]": "member",
  "GET HEAD /api/[kind]/[id]/[part]": "viewer",
  "GET HEAD /api/run-table/[format]": "viewer",
  "GET /api/oauth/[provider]/[step]": "public",
  "GET HEAD POST /sign-in/[secret]": "public",
};

const visitors = ["nobody", "viewer", "member", "operator", "read token", "write token"] as const;
type Visitor = (typeof visitors)[number];
const headers = {} as Record<Visitor, Record<string, string>>;
let home: Tenant;

async function signedIn(userId: string): Promise<Record<string, string>> {
  const secret = makeSecret();
  await db.session.create({ data: { userId, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + 3_600_000) } });
  return { cookie: `tensorloom=${secret}` };
}
async function joined(role: Role): Promise<Record<string, string>> {
  const { id } = await db.user.create({ data: { name: role, memberships: { create: { orgId: home.orgId, role } } } });
  return signedIn(id);
}
async function bearer(scope: "read" | "write"): Promise<Record<string, string>> {
  const token = makeToken();
  await db.apiToken.create({ data: { orgId: home.orgId, userId: home.userId, name: scope, scope, tokenHash: hashSecret(token), lastFour: token.slice(-4) } });
  return { authorization: `Bearer ${token}` };
}

beforeAll(async () => {
  home = await makeTenant(db, { name: "Home" });
  const operator = await makeTenant(db, { name: "Operators" });
  await db.user.update({ where: { id: operator.userId }, data: { isOperator: true } });
  Object.assign(headers, {
    nobody: {},
    viewer: await joined("viewer"),
    member: await joined("member"),
    operator: await signedIn(operator.userId),
    "read token": await bearer("read"),
    "write token": await bearer("write"),
  });
});

describe("a route", () => {
  test("is one of this table, with the policy that it says; the open ones say why", () => {
    expect(Object.fromEntries(routes.map(({ methods, path, who }) => [`${methods.join(" ")} ${path}`, who.kind === "public" ? "public" : who.role]))).toEqual(expected);
    for (const { who } of routes) if (who.kind === "public") expect(who.reason.length).toBeGreaterThan(20);
  });

  test("is answered by no other way: the server reads none of their files but the table's", () => {
    const read = [...readFileSync("server/web.ts", "utf8").matchAll(/from "(\.\/http\/\w+\.ts)"/g)].map(([, file]) => file);
    expect(read.sort()).toEqual(["./http/guard.ts", "./http/pages.ts", "./http/routes.ts", "./http/uploads.ts"]);
  });

  const asked: [string, string, string, Role][] = [
    ["POST", "/api/uploads", "application/octet-stream", "member"],
    ["PATCH", `/api/uploads/${randomUUID()}`, "application/offset+octet-stream", "member"],
    ["HEAD", `/api/uploads/${randomUUID()}`, "", "member"],
    ["DELETE", `/api/uploads/${randomUUID()}`, "", "member"],
    ...["artifacts", "checkpoints", "datasets"].map((kind): [string, string, string, Role] => ["GET", `/api/${kind}/${randomUUID()}`, "", "viewer"]),
    ["GET", `/api/datasets/${randomUUID()}/train.npy`, "", "viewer"],
    ...["csv", "json", "parquet"].map((format): [string, string, string, Role] => ["GET", `/api/run-table/${format}`, "", "viewer"]),
  ];
  test.each(asked)("%s %s lets in whom its policy says", async (method, path, type, role) => {
    const found = routes.find((route) => route.methods.includes(method) && route.matches(path));
    expect(found?.who).toEqual({ kind: "org", role });
    for (const visitor of visitors) {
      const answer = await fetch(`${base}${path}`, { method, headers: { ...headers[visitor], ...(type ? { "content-type": type } : {}) }, ...(type ? { body: "x" } : {}) });
      const isIn = visitor !== "nobody" && (role === "viewer" || !["viewer", "read token"].includes(visitor));
      expect([visitor, answer.status === 401 || answer.status === 403 ? "out" : "in"]).toEqual([visitor, isIn ? "in" : "out"]);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.get("cache-control")).toContain("no-store");
      if (visitor === "read token" && role === "member" && method !== "HEAD")
        expect(await answer.json()).toMatchObject({ code: "SCOPE", message: expect.stringContaining("scope write") });
    }
  });

  test.each([
    "/api",
    "/api/",
    "/api/nothing",
    "/api/users/1",
    `/api/constructor/${randomUUID()}`,
    `/api/__proto__/${randomUUID()}`,
    "/api/artifacts",
    "/api/run-table/exe",
    "/ajax-api/2.0/runs",
  ])("there is none at %s, for nobody and for a signed-in person", async (path) => {
    for (const visitor of ["nobody", "operator"] as const) {
      const answer = await fetch(`${base}${path}`, { headers: headers[visitor], redirect: "manual" });
      if (path.startsWith("/api")) expect([path, answer.status]).toEqual([path, path === "/api" ? (visitor === "nobody" ? 303 : 200) : 404]);
      if (answer.status === 200) expect(answer.headers.get("x-page")).toBe("/_nothing");
    }
  });

  test("nobody's token stands in an address, where it would be logged", async () => {
    const answer = await fetch(`${base}/api/trpc/projects.list?token=${makeToken()}`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, "INPUT_SHAPE"]);
  });
});

describe("a page", () => {
  test("is in the list, and the list names no other; nothing of Next's answers beside them", () => {
    const found = globSync("app/**/{page,route,default,middleware,proxy,icon,sitemap,robots,manifest,opengraph-image}.{ts,tsx,js,jsx,mdx,svg,png,ico}").map((file) =>
      file.replaceAll("\\", "/"),
    );
    const paths = found.map((file) => {
      const folders = file
        .split("/")
        .slice(1, -1)
        .filter((folder) => !/^[(@]/.test(folder));
      const name = file.split("/").at(-1) ?? "";
      return name === "page.tsx" ? `/${folders.join("/")}` : `/${[...folders, name].join("/")}`;
    });
    expect(paths.sort()).toEqual(Object.keys(pages).sort());
    expect(globSync("{middleware,proxy,instrumentation,src,pages,app/api}{,.*}")).toEqual([]);
  });

  test.each(Object.entries(pages))("%s is opened by whom its policy says, and by nobody else", async (path, policy) => {
    const at = path.replace(/\[\w+\]/g, randomUUID());
    for (const visitor of visitors) {
      const ways: Record<string, string>[] = [
        { accept: "text/html", "sec-fetch-dest": "document" },
        // As Next's own client asks for a part of a page, and as a probe does.
        { rsc: "1", "next-router-prefetch": "1", "next-router-segment-prefetch": "/_tree", "sec-fetch-dest": "empty" },
      ];
      for (const asked of ways) {
        const answer = await fetch(`${base}${at}`, { redirect: "manual", headers: { ...headers[visitor], ...asked } });
        const came = answer.status === 200 ? answer.headers.get("x-page") : answer.headers.get("location");
        const may = policy.kind === "public" || (visitor !== "nobody" && (policy.kind === "person" || visitor === "operator"));
        expect([visitor, came]).toEqual([visitor, may ? at : visitor === "nobody" ? "/sign-in" : "/_nothing"]);
      }
    }
  });

  test("that is in no list is not served, whatever Next would make of it", async () => {
    for (const path of [
      "/secret",
      "/models",
      "/models/a/b/c",
      "/models/%2e%2e/admin",
      "/_next/image?url=/x&w=64&q=1",
      "/_next/data/x.json",
      "/models/x.rsc",
      "/models/x.segments/_tree.segment.rsc",
    ]) {
      const answer = await fetch(`${base}${path}`, { headers: headers.operator, redirect: "manual" });
      expect([path, answer.headers.get("x-page")]).toEqual([path, path === "/models/%2e%2e/admin" ? "/admin" : "/_nothing"]);
      expect((await fetch(`${base}${path}`, { redirect: "manual" })).headers.get("location")).toBe("/sign-in");
    }
  });
});
