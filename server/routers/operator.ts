import { statfs } from "node:fs/promises";
import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { storedBytes } from "../accounts/quotas.ts";
import { makeResetLink } from "../accounts/signIn.ts";
import { Machine } from "../agent/machine.ts";
import { operator, router } from "../auth/procedure.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { Id } from "../input.ts";

const Page = z.strictObject({ search: z.string().trim().max(120).default(""), after: Id.optional(), limit: z.int().min(1).max(200).default(100) });
const Engine = z.looseObject({ libtorch: z.string(), cudaDevices: z.array(z.string()), build: z.string() }).nullable();

/** The whole installation, for those who look after it. */
export const operatorRouter = router({
  health: operator().query(async ({ ctx: { system, config, files } }) => {
    const [[database], runs, disk, [counts], storeAnswers] = await Promise.all([
      system.$queryRaw<{ version: string; bytes: bigint; connections: number; most: number }[]>`
        SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes,
          (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS connections, current_setting('max_connections')::int AS most`,
      system.run.groupBy({ by: ["status"], _count: true }),
      statfs(config.DATA_DIR).catch(() => null),
      system.$queryRaw<{ users: number; organizations: number }[]>`
        SELECT (SELECT count(*)::int FROM "User" WHERE "disabledAt" IS NULL) AS users, (SELECT count(*)::int FROM "Organization") AS organizations`,
      files.list("deleted").then(
        () => true,
        () => false,
      ),
    ]);
    const count = (status: string) => runs.find((row) => row.status === status)?._count ?? 0;
    return {
      database: { version: database?.version ?? "", sizeBytes: Number(database?.bytes ?? 0), connections: database?.connections ?? 0, connectionLimit: database?.most ?? 0 },
      disk: disk && { freeBytes: disk.bavail * disk.bsize, sizeBytes: disk.blocks * disk.bsize },
      /** Where files are: a bucket by its name, or the data folder. */
      store: { bucket: files.isShared ? config.S3_BUCKET : null, answers: storeAnswers },
      runs: { queued: count("queued"), running: count("running"), paused: count("paused") },
      users: counts?.users ?? 0,
      organizations: counts?.organizations ?? 0,
      uptimeMs: Math.round(process.uptime() * 1000),
      mail: config.SMTP_URL !== null,
      signUp: config.SIGN_UP,
      auth: config.AUTH,
    };
  }),

  agents: operator().query(async ({ ctx: { system } }) => {
    const rows = await system.$queryRaw<
      { name: string; maxRuns: number; draining: boolean; startedAt: Date; seenAt: Date; alive: boolean; engine: unknown; machine: unknown; running: number }[]
    >`
      SELECT "name", "maxRuns", "draining", "startedAt", "seenAt", "seenAt" > now() - interval '10 seconds' AS "alive", "engine", "machine",
        (SELECT count(*)::int FROM "Run" WHERE "status" = 'running' AND split_part("owner", ' ', 1) = "Agent"."name") AS "running"
      FROM "Agent" ORDER BY "name"`;
    return rows.map(({ engine, machine, startedAt, seenAt, ...row }) => {
      const known = Engine.parse(engine);
      return {
        ...row,
        startedAt: startedAt.toISOString(),
        seenAt: seenAt.toISOString(),
        machine: Machine.nullable().catch(null).parse(machine),
        engine: known && { libtorch: known.libtorch, devices: ["CPU", ...known.cudaDevices], build: known.build },
      };
    });
  }),

  /** Lets an agent take no new runs, or take them again. Those under way go on. */
  drain: operator()
    .input(z.strictObject({ name: z.string().max(80), draining: z.boolean() }))
    .mutation(async ({ ctx: { system, log, requestId, userId }, input: { name, draining } }) => {
      const { count } = await system.agent.updateMany({ where: { name }, data: { draining } });
      if (count === 0) throw notFound("agent");
      log.info({ requestId, userId, agent: name, draining }, "operator: drain");
    }),

  /** Takes an agent that is gone off the list. */
  forgetAgent: operator()
    .input(z.strictObject({ name: z.string().max(80) }))
    .mutation(async ({ ctx: { system }, input: { name } }) => {
      const gone = await system.$executeRaw`DELETE FROM "Agent" WHERE "name" = ${name} AND "seenAt" < now() - interval '10 seconds'`;
      if (gone === 0) throw notFound("agent");
    }),

  users: operator()
    .input(Page)
    .query(async ({ ctx: { system }, input: { search, after, limit } }) => {
      const rows = await system.user.findMany({
        where: {
          ...(search ? { OR: [{ name: { contains: search, mode: "insensitive" } }, { email: { contains: search.toLowerCase() } }] } : {}),
          ...(after ? { id: { gt: after } } : {}),
        },
        orderBy: { id: "asc" },
        take: limit + 1,
        select: {
          id: true,
          name: true,
          email: true,
          emailVerifiedAt: true,
          totpSince: true,
          isOperator: true,
          disabledAt: true,
          createdAt: true,
          memberships: { select: { role: true, org: { select: { name: true } } } },
          sessions: { select: { seenAt: true }, orderBy: { seenAt: "desc" }, take: 1 },
        },
      });
      const page = rows.slice(0, limit);
      return {
        users: page.map(({ emailVerifiedAt, totpSince, disabledAt, createdAt, memberships, sessions, ...row }) => ({
          ...row,
          verified: emailVerifiedAt !== null,
          twoFactor: totpSince !== null,
          disabled: disabledAt !== null,
          createdAt: createdAt.toISOString(),
          seenAt: sessions[0]?.seenAt.toISOString() ?? null,
          organizations: memberships.map(({ role, org }) => ({ name: org.name, role })),
        })),
        next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
      };
    }),

  /** Closes an account, or opens it again. Closed, its sessions and tokens end at once; what it made stays. */
  setDisabled: operator()
    .input(z.strictObject({ userId: Id, disabled: z.boolean() }))
    .mutation(({ ctx, input }) => setDisabled(ctx.system, ctx.userId, input)),

  /** A link for a new password, to be handed over where there is no mail. Shown once, for an hour. */
  resetLink: operator()
    .input(z.strictObject({ userId: Id }))
    .mutation(async ({ ctx: { system, origin, log, requestId, userId: by }, input: { userId } }) => {
      const secret = await makeResetLink(system, userId);
      if (secret === null) throw notFound("person");
      log.info({ requestId, userId, by }, "operator: a link for a new password was made");
      return { url: `${origin}/reset/${secret}` };
    }),

  organizations: operator()
    .input(Page)
    .query(async ({ ctx: { system }, input: { search, after, limit } }) => {
      const rows = await system.organization.findMany({
        where: { ...(search ? { name: { contains: search, mode: "insensitive" } } : {}), ...(after ? { id: { gt: after } } : {}) },
        orderBy: { id: "asc" },
        take: limit + 1,
        select: { id: true, name: true, createdAt: true, storageLimitBytes: true, maxRunning: true, maxQueued: true, _count: { select: { memberships: true } } },
      });
      const page = rows.slice(0, limit);
      return {
        organizations: await Promise.all(
          page.map(async ({ createdAt, storageLimitBytes, _count, ...row }) => ({
            ...row,
            createdAt: createdAt.toISOString(),
            people: _count.memberships,
            storedBytes: await storedBytes(system, row.id),
            storageLimitBytes: storageLimitBytes === null ? null : Number(storageLimitBytes),
          })),
        ),
        next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
      };
    }),

  /** What an organization may have; null gives it the installation's number. */
  setQuota: operator()
    .input(
      z.strictObject({
        orgId: Id,
        storageLimitBytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable(),
        maxRunning: z.int().min(0).max(10_000).nullable(),
        maxQueued: z.int().min(0).max(10_000).nullable(),
      }),
    )
    .mutation(async ({ ctx: { system }, input: { orgId, ...data } }) => {
      const { count } = await system.organization.updateMany({ where: { id: orgId }, data });
      if (count === 0) throw notFound("organization");
    }),
});

async function setDisabled(db: Database, by: string, { userId, disabled }: { userId: string; disabled: boolean }): Promise<void> {
  if (userId === by) throw new AppError("FORBIDDEN", say("You cannot close your own account: ask another operator."));
  const { count } = await db.user.updateMany({ where: { id: userId }, data: { disabledAt: disabled ? new Date() : null } });
  if (count === 0) throw notFound("person");
  if (disabled) await db.session.deleteMany({ where: { userId } });
}
