import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll } from "vitest";
import type { Manifest } from "../../core/data/manifest.ts";
import { findTemplate } from "../../core/templates/index.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import { type Context, createCaller } from "../../server/auth/procedure.ts";
import type { Role, Session } from "../../server/auth/session.ts";
import { type Config, readConfig } from "../../server/config.ts";
import type { Database } from "../../server/database/client.ts";
import { Watcher } from "../../server/metrics/watch.ts";
import { LiveModels } from "../../server/models/live.ts";
import { appRouter } from "../../server/router.ts";
import { type FileStore, openFileStore } from "../../server/storage/files.ts";

/** A manifest as ingest writes one, of a picture set whose files nobody opens here. */
export const mnistManifest: Manifest = {
  task: "image-classification",
  preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.13], std: [0.31] },
  classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  columns: [],
  targetName: "digit",
  splits: {
    train: split("train", 60_000),
    validation: split("validation", 10_000),
  },
  source: "https://example.org",
  licence: "CC BY-SA 3.0",
};

function split(name: string, rows: number): Manifest["splits"]["train"] {
  const array = (file: string, dtype: "uint8" | "int64", shape: number[]) => ({ file, dtype, shape, sha256: "0".repeat(64) });
  return {
    rows,
    input: array(`${name}-images.npy`, "uint8", [1, 28, 28]),
    target: array(`${name}-labels.npy`, "int64", []),
    classCounts: new Array<number>(10).fill(rows / 10),
  };
}

/** One organization with a person in it, a data set and a model that trains. */
export type Tenant = {
  orgId: string;
  userId: string;
  session: Session;
  datasetId: string;
  projectId: string;
  modelId: string;
  settings: RunSettings;
};

export async function makeTenant(db: Database, { name = "Tenant", role = "owner" as Role } = {}): Promise<Tenant> {
  const org = await db.organization.create({ data: { name } });
  const user = await db.user.create({ data: { name: `${name}'s ${role}`, memberships: { create: { orgId: org.id, role } } } });
  const session = await db.session.create({
    data: { userId: user.id, tokenHash: randomUUID(), expiresAt: new Date(Date.now() + 3_600_000) },
  });
  const dataset = await db.dataset.create({
    data: { orgId: org.id, builtin: "mnist", name: `${name} digits`, status: "ready", manifest: mnistManifest },
  });
  const project = await db.project.create({ data: { orgId: org.id, name: `${name} project` } });
  const model = await db.model.create({
    data: { orgId: org.id, projectId: project.id, name: `${name} model`, graph: findTemplate("lenet5")?.graph ?? {} },
  });
  return {
    orgId: org.id,
    userId: user.id,
    session: { id: session.id, user: { id: user.id, name: user.name }, org: { id: org.id, name: org.name }, role, isOperator: false, scope: null },
    datasetId: dataset.id,
    projectId: project.id,
    modelId: model.id,
    settings: { ...defaultSettings("image-classification", 60_000), datasetId: dataset.id },
  };
}

/** Everything a procedure is given, for calls without HTTP. */
export function makeContext(db: Database, { config = readConfig({}), files = temporaryFiles() }: { config?: Config; files?: FileStore } = {}) {
  const watcher = new Watcher(db);
  const live = new LiveModels(db);
  afterAll(() => {
    watcher.close();
    live.close();
  });
  const log = pino({ level: "silent" });
  return (session: Session | null): Context => ({
    db,
    system: db,
    config,
    files,
    watcher,
    live,
    log,
    requestId: "test",
    session: () => Promise.resolve(session),
    door: { open: () => Promise.reject(new Error("There is no browser here.")), close: () => Promise.resolve() },
    mailer: null,
    address: "127.0.0.1",
    origin: "http://localhost",
  });
}

export const callerOf = createCaller(appRouter);

export function temporaryFiles(): FileStore {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-files-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return openFileStore(folder);
}

/** What an agent does when it takes a run: the only legal way from `queued` to `running`. */
export async function claim(db: Database, runId: string): Promise<number> {
  const [row] = await db.$queryRaw<{ leaseToken: number }[]>`
    UPDATE "Run" SET "status" = 'running', "leaseToken" = "leaseToken" + 1, "leaseUntil" = now() + interval '15 s', "owner" = 'test', "startedAt" = now()
    WHERE "id" = ${runId}::uuid AND ("status" = 'queued') RETURNING "leaseToken"`;
  if (!row) throw new Error("The run was not queued.");
  return row.leaseToken;
}

/** A lease that ran out: the run is claimed anew. */
export async function reclaim(db: Database, runId: string): Promise<number> {
  await db.$executeRaw`UPDATE "Run" SET "status" = 'queued', "leaseUntil" = NULL WHERE "id" = ${runId}::uuid`;
  return claim(db, runId);
}
