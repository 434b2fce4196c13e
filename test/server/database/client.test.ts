import { expect, test } from "vitest";
import { Prisma } from "../../../prisma/generated/client.ts";
import { readSnapshot } from "../../../server/database/client.ts";
import { openTestDatabase } from "../postgres.ts";

const { db } = await openTestDatabase();

// An error event that nobody hears would end this process, and the test run with it.
test("a connection that the server cuts fails what was asked over it, and nothing else", async () => {
  await expect(db.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`).rejects.toThrow();
  await expect(
    db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 AS one`;
      await tx.$queryRaw`SELECT pg_terminate_backend(pg_backend_pid())`;
    }),
  ).rejects.toThrow();
  await expect(readSnapshot(db, (ask) => ask(Prisma.sql`SELECT pg_terminate_backend(pg_backend_pid())`))).rejects.toThrow();
  const between = readSnapshot(db, async (ask) => {
    const [{ pid } = { pid: 0 }] = await ask<{ pid: number }>(Prisma.sql`SELECT pg_backend_pid() AS pid`);
    await db.$queryRaw`SELECT pg_terminate_backend(${pid}::int)`;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return ask(Prisma.sql`SELECT 1 AS one`);
  });
  await expect(between).rejects.toThrow();
  expect(await db.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});
