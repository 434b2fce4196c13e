import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { ChartLayout } from "../../core/runs/charts.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import { org, router } from "../auth/procedure.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { Id, Name } from "../input.ts";

export const projects = router({
  list: org("viewer").query(({ ctx }) => listProjects(ctx.db, ctx.orgId)),

  create: org("member")
    .input(z.strictObject({ name: Name }))
    .mutation(({ ctx: { db, orgId }, input: { name } }) => db.project.create({ data: { orgId, name }, select: { id: true } })),

  rename: org("member")
    .input(z.strictObject({ projectId: Id, name: Name }))
    .mutation(async ({ ctx: { db, orgId }, input: { projectId, name } }) => {
      const { count } = await db.project.updateMany({ where: { id: projectId, orgId, deletedAt: null }, data: { name } });
      if (count === 0) throw notFound("project");
    }),

  /** How the charts of the project's runs are laid out, for everybody; null: as they come. */
  saveCharts: org("member")
    .input(z.strictObject({ projectId: Id, charts: ChartLayout.nullable() }))
    .mutation(async ({ ctx: { db, orgId }, input: { projectId, charts } }) => {
      const { count } = await db.project.updateMany({ where: { id: projectId, orgId, deletedAt: null }, data: { charts: charts ?? Prisma.DbNull } });
      if (count === 0) throw notFound("project");
    }),

  delete: org("member")
    .input(z.strictObject({ projectId: Id }))
    .mutation(({ ctx, input }) => deleteProject(ctx.db, ctx.orgId, input.projectId)),
});

async function listProjects(db: Database, orgId: string) {
  const rows = await db.project.findMany({
    where: { orgId, deletedAt: null },
    orderBy: { createdAt: "desc" },
    select: {
      id: true,
      name: true,
      createdAt: true,
      models: {
        where: { orgId, deletedAt: null },
        orderBy: { updatedAt: "desc" },
        select: {
          id: true,
          name: true,
          updatedAt: true,
          _count: { select: { runs: true } },
          runs: { where: { orgId }, orderBy: { number: "desc" }, take: 1, select: { id: true, number: true, status: true } },
        },
      },
    },
  });
  return rows.map(({ createdAt, models, ...project }) => ({
    ...project,
    createdAt: createdAt.toISOString(),
    models: models.map(({ id, name, updatedAt, _count, runs }) => ({
      id,
      name,
      updatedAt: updatedAt.toISOString(),
      runCount: _count.runs,
      lastRun: runs[0] ?? null,
    })),
  }));
}

async function deleteProject(db: Database, orgId: string, projectId: string): Promise<void> {
  const active = await db.run.count({ where: { orgId, status: { in: ["queued", "running", "paused"] }, model: { projectId, orgId } } });
  if (active > 0) throw new AppError("RUN_ACTIVE", say("{active} of this project's runs have not ended: cancel them first.", { active }));
  const deletedAt = new Date();
  const [{ count }] = await db.$transaction([
    db.project.updateMany({ where: { id: projectId, orgId, deletedAt: null }, data: { deletedAt } }),
    db.model.updateMany({ where: { projectId, orgId, deletedAt: null }, data: { deletedAt } }),
  ]);
  if (count === 0) throw notFound("project");
}
