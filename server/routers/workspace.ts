import { statfs } from "node:fs/promises";
import { z } from "zod";
import { org, router } from "../auth/procedure.ts";
import { memoryLimitBytes } from "../trainer/load.ts";

/** An agent that has not been heard of for so long is taken for dead. */
const AGENT_SILENCE_SECONDS = 10;

/** What the engine told of itself, as the agent passed it on. */
const Engine = z.looseObject({
  libtorch: z.string(),
  cuda: z.boolean(),
  cudaDevices: z.array(z.string()),
  cores: z.number(),
  build: z.string(),
});

export const workspace = router({
  /** Who is asking, and where. */
  me: org("viewer").query(({ ctx: { who, config } }) => ({ user: who.user, org: who.org, role: who.role, auth: config.AUTH })),

  /** Whether runs can be trained now, and how many are on their way. */
  status: org("viewer").query(async ({ ctx: { db, orgId, config } }) => {
    const [agents, counts] = await Promise.all([
      db.$queryRaw<{ engine: unknown }[]>`SELECT "engine" FROM "Agent" WHERE "seenAt" > now() - make_interval(secs => ${AGENT_SILENCE_SECONDS}) ORDER BY "startedAt" DESC`,
      db.run.groupBy({ by: ["status"], where: { orgId, status: { in: ["queued", "running"] } }, _count: true }),
    ]);
    const count = (status: "queued" | "running") => counts.find((row) => row.status === status)?._count ?? 0;
    const engine = Engine.nullable().parse(agents.find((agent) => agent.engine !== null)?.engine ?? null);
    const disk = await statfs(config.DATA_DIR).catch(() => null);
    return {
      agentAlive: agents.length > 0,
      engine,
      queued: count("queued"),
      running: count("running"),
      /** What the tensors of one run may take on the CPU, and what is free for its checkpoints. */
      memoryLimitBytes: memoryLimitBytes(config),
      diskFreeBytes: disk && disk.bavail * disk.bsize,
    };
  }),
});
