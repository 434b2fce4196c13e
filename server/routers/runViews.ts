import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { readView, writeView } from "../../core/runs/view.ts";
import { org, router } from "../auth/procedure.ts";
import { AppError, notFound } from "../errors.ts";
import { Id, Name } from "../input.ts";

const MOST_VIEWS = 200;
/** A view as the search part of an address; what is not understood of it is left out. */
const ViewText = z
  .string()
  .max(4000)
  .transform((text) => writeView(readView(new URLSearchParams(text))).toString());

/** Tables of runs that were kept under a name, for everybody of the organization. */
export const runViews = router({
  list: org("viewer").query(({ ctx: { db, orgId } }) => db.runView.findMany({ where: { orgId }, orderBy: { name: "asc" }, select: { id: true, name: true, view: true } })),

  /** Keeps a view under a name; one that is there already by that name is replaced. */
  save: org("member")
    .input(z.strictObject({ name: Name, view: ViewText }))
    .mutation(async ({ ctx: { db, orgId, userId }, input: { name, view } }) => {
      const known = await db.runView.findUnique({ where: { orgId_name: { orgId, name } }, select: { id: true } });
      if (!known && (await db.runView.count({ where: { orgId } })) >= MOST_VIEWS)
        throw new AppError("CONFIG_RANGE", say("{MOST_VIEWS} views are kept already: delete one first.", { MOST_VIEWS }));
      return db.runView.upsert({ where: { orgId_name: { orgId, name } }, create: { orgId, name, view, createdBy: userId }, update: { view }, select: { id: true } });
    }),

  delete: org("member")
    .input(z.strictObject({ viewId: Id }))
    .mutation(async ({ ctx: { db, orgId }, input: { viewId } }) => {
      const { count } = await db.runView.deleteMany({ where: { id: viewId, orgId } });
      if (count === 0) throw notFound("view");
    }),
});
