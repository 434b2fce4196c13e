import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { Prisma } from "../../../prisma/generated/client.ts";
import { hashSecret, makeSecret } from "../../../server/auth/secrets.ts";
import { pages } from "../../../server/http/pages.ts";
import { appRouter } from "../../../server/router.ts";
import { furnish, type Ids, inputs, lists } from "../auth/wall.ts";
import { openTestDatabase } from "../postgres.ts";
import { browserAt, serveWeb } from "../visitor.ts";
import { makeTenant, type Tenant, temporaryFiles } from "../world.ts";

/** Everything that is answered to GET, asked for by two organizations that both have one of everything. */
const { db } = await openTestDatabase({ connections: 20 });
const { base } = await serveWeb(db, temporaryFiles(), { AUTH: "required" });

type Side = { tenant: Tenant; ids: Ids; canary: string; cookie: string };
const sides: Side[] = [];
beforeAll(async () => {
  for (const canary of ["canary-of-ada", "canary-of-eve"]) {
    const tenant = await makeTenant(db, { name: canary });
    const secret = makeSecret();
    await db.session.create({ data: { userId: tenant.userId, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + 3_600_000) } });
    sides.push({ tenant, canary, ids: await furnish(db, tenant, canary), cookie: `tensorloom=${secret}` });
  }
});

const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>;
/** These read files, and none lie behind the rows of this test. */
const readFiles = ["datasets.samples", "datasets.health"];
const queries = Object.keys(procedures).filter((name) => procedures[name]?._def.type === "query" && !readFiles.includes(name));

/** Every address that is read, with the ids of one's own things. */
function addresses({ ids, tenant }: Side): string[] {
  const asked = queries.map((name) => {
    const input = inputs[name]?.[0]?.(ids, tenant) ?? lists.find(([list]) => list === name)?.[1]?.(ids);
    return `/api/trpc/${name}${input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`}`;
  });
  const places = Object.keys(pages).map((page) => page.replace(/\[(\w+)\]/g, (_, name: keyof Ids) => ids[name] ?? randomUUID()));
  const files = [`/api/checkpoints/${ids.checkpointId}`, `/api/datasets/${ids.datasetId}`, `/api/artifacts/${randomUUID()}`, "/api/run-table/csv", "/api/run-table/json"];
  return [...asked, ...places, ...files, "/healthz", "/readyz"];
}

async function checksums(): Promise<Record<string, string>> {
  const tables = await db.$queryRaw<{ name: string }[]>`SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`;
  const sums: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await db.$queryRaw<{ sum: string | null }[]>(Prisma.sql`SELECT md5(string_agg(t::text, E'\n' ORDER BY t::text)) AS sum FROM ${Prisma.raw(`"${name}"`)} t`);
    sums[name] = row?.sum ?? "empty";
  }
  return sums;
}

test("S-7: reading everything there is changes no row of any table", async () => {
  const [side] = sides as [Side];
  const before = await checksums();
  expect(Object.keys(before).length).toBeGreaterThan(20);
  let answered = 0;
  for (const address of addresses(side)) {
    const answer = await fetch(`${base}${address}`, { headers: { cookie: side.cookie }, redirect: "manual" });
    expect([address, answer.status < 500]).toEqual([address, true]);
    if (answer.status === 200) answered++;
    await answer.arrayBuffer();
  }
  expect(answered).toBeGreaterThan(50);
  expect(await checksums()).toEqual(before);
});

/** Answers to each of twenty who ask at once: a thousand in all in the long form. */
const turns = process.env.TENSORLOOM_TEST === "full" ? 50 : 15;

test("S-14: hundreds of answers to two organizations, in turn and at once, are each private and each one's own", async () => {
  const shared = ["workspace.me", "projects.list", "datasets.list"].map((name) => `/api/trpc/${name}`);
  let own = 0;
  await Promise.all(
    Array.from({ length: 20 }, async (_, worker) => {
      for (let at = 0; at < turns; at++) {
        const side = sides[(worker + at) % 2] as Side;
        const other = sides[(worker + at + 1) % 2] as Side;
        const answer = await fetch(`${base}${shared[at % shared.length]}`, { headers: { cookie: side.cookie } });
        const text = await answer.text();
        expect(answer.headers.get("cache-control")).toBe("private, no-store");
        expect(answer.headers.get("etag")).toBeNull();
        expect(text).not.toContain(other.canary);
        if (text.includes(side.canary)) own++;
      }
    }),
  );
  expect(own).toBe(20 * turns);
  // Every other address too, asked for once by each, of which the other's things are none.
  for (const [index, side] of sides.entries()) {
    const other = sides[1 - index] as Side;
    for (const address of [...addresses(side), ...addresses(other)]) {
      const answer = await fetch(`${base}${address}`, { headers: { cookie: side.cookie }, redirect: "manual" });
      const text = await answer.text();
      expect([address, text.includes(other.canary)]).toEqual([address, false]);
      expect([address, answer.headers.get("cache-control")]).toEqual([address, expect.stringContaining("no-store")]);
    }
  }
});

test("61: another's run, asked for in a path, a body, the seventh place of a batch, a stream and a download, is answered byte for byte as one that never was", async () => {
  const [ada, eve] = sides as [Side, Side];
  const visitor = browserAt(base);
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await visitor.fetch(path, { ...init, headers: { cookie: ada.cookie, "content-type": "application/json", ...(init.headers as Record<string, string>) } });
    return `${answer.status} ${(await answer.text()).replaceAll(/"requestId":"[^"]*"/g, "")}`;
  };
  const everywhere = async ({ runId, checkpointId, datasetId }: Pick<Ids, "runId" | "checkpointId" | "datasetId">) => {
    const input = encodeURIComponent(JSON.stringify({ runId }));
    const batch = Object.fromEntries(Array.from({ length: 7 }, (_, at) => [at, at === 6 ? { runId, notes: "Mine" } : { name: `Batch ${at}` }]));
    return [
      await ask(`/api/trpc/runs.get?input=${input}`),
      await ask("/api/trpc/runs.setNotes", { method: "POST", body: JSON.stringify({ runId, notes: "Mine" }) }),
      (await ask(`/api/trpc/${[...Array<string>(6).fill("projects.create"), "runs.setNotes"].join()}?batch=1`, { method: "POST", body: JSON.stringify(batch) })).replaceAll(
        /"id":"[^"]*"/g,
        "",
      ),
      await ask(`/api/trpc/runs.watch?input=${input}`, { headers: { accept: "text/event-stream" } }),
      await ask(`/api/checkpoints/${checkpointId}`),
      await ask(`/api/datasets/${datasetId}`),
      await ask(`/api/datasets/${datasetId}/train.npy`),
    ];
  };
  const foreign = await everywhere(eve.ids);
  expect(foreign).toEqual(await everywhere({ runId: randomUUID(), checkpointId: randomUUID(), datasetId: randomUUID() }));
  for (const [at, answer] of foreign.entries()) {
    expect(answer).not.toContain(eve.canary);
    expect([at, answer]).toEqual([at, expect.stringMatching(at === 2 ? /^207 .*NOT_FOUND/ : at === 3 ? /NOT_FOUND/ : /^404 /)]);
  }
});
