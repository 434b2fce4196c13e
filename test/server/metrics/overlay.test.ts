import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { decodeOverlay } from "../../../app/dashboard/compare/overlay.ts";
import { queryOverlay } from "../../../server/metrics/overlay.ts";
import { appendMetrics } from "../../../server/metrics/store.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant, type Tenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);
let tenant: Tenant;
beforeAll(async () => {
  tenant = await makeTenant(db);
});

test("each stretch of each curve says the last, lowest and highest of exactly its points, and together they are all points of the window", async () => {
  const series = fc.record({
    count: fc.integer({ min: 1, max: 1500 }),
    gap: fc.constantFrom(1, 1, 3),
    from: fc.integer({ min: 0, max: 50 }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });
  const question = fc.record({
    mostStretches: fc.integer({ min: 8, max: 300 }),
    window: fc.option(fc.tuple(fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 0, max: 4000 }))),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(series, { minLength: 1, maxLength: 3 }), question, async (drawn, { mostStretches, window }) => {
      const raw = new Map<string, Map<number, number>>();
      for (const { count, gap, from, seed } of drawn) {
        const { runId } = await callerOf(context(tenant.session)).runs.start({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });
        const token = await claim(db, runId);
        const steps = Array.from({ length: count }, (_, at) => from + at * gap + (gap > 1 ? (at * seed) % gap : 0));
        // Some values are not numbers.
        const values = steps.map((step) => ((step * seed) % 37 === 0 ? null : Math.fround(Math.sin(step * seed) * 10)));
        await db.$transaction((tx) => appendMetrics(tx, { id: runId, orgId: tenant.orgId }, token, [{ key: "train/loss", steps, values }]));
        raw.set(runId, new Map(steps.map((step, at) => [step, values[at] ?? Number.NaN])));
        await db.$executeRaw`UPDATE "Run" SET "status" = 'cancelled', "endedAt" = now(), "leaseUntil" = NULL, "owner" = NULL WHERE "id" = ${runId}::uuid`;
      }
      const [low, high] = window ? [Math.min(...window), Math.max(...window)] : [0, 1e9];
      const overlay = decodeOverlay(
        await queryOverlay(db, tenant.orgId, { runIds: [...raw.keys()], key: "train/loss", mostStretches, ...(window ? { fromStep: low, toStep: high } : {}) }),
      );
      for (const [runId, points] of raw) {
        const curve = overlay.find((one) => one.runId === runId);
        const inside = [...points.keys()].filter((step) => step >= low && step <= high);
        if (!curve) {
          expect(inside).toEqual([]);
          continue;
        }
        expect(curve.steps.length).toBeLessThanOrEqual(mostStretches);
        expect(curve.steps.length > 0 || inside.length === 0).toBe(true);
        if (inside.length > 0) expect(curve.steps.at(-1)).toBeGreaterThanOrEqual(inside.at(-1) as number);
        // The first stretch may begin before the window: with the bucket that its first point lies in.
        const all = [...points.keys()];
        let at = all.length;
        for (let i = curve.steps.length - 1; i > 0; i--) {
          const [end, before] = [curve.steps[i] as number, curve.steps[i - 1] as number];
          const part = all.filter((step) => step > before && step <= end).map((step) => points.get(step) as number);
          const numbers = part.filter((value) => !Number.isNaN(value));
          expect([...curve.values.slice(i * 3, i * 3 + 3)]).toEqual([
            part.at(-1),
            numbers.length ? Math.min(...numbers) : Number.NaN,
            numbers.length ? Math.max(...numbers) : Number.NaN,
          ]);
          at = all.indexOf(end);
        }
        expect(at).toBeGreaterThanOrEqual(0);
        if (curve.steps.length > 0 && inside.length > 0) expect(points.get(curve.steps[0] as number)).toEqual(curve.values[0]);
      }
    }),
    { numRuns: 12 },
  );
}, 300_000);
