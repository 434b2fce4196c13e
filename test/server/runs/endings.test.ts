import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { readConfig } from "../../../server/config.ts";
import { type Mail, openMailer } from "../../../server/mail.ts";
import { mailEndings } from "../../../server/runs/endings.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);

async function endedRun(tenant: Awaited<ReturnType<typeof makeTenant>>, end: { status: "finished" | "failed" | "cancelled"; elapsedMs: number }): Promise<string> {
  const { runId } = await callerOf(context(tenant.session)).runs.start({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });
  await claim(db, runId);
  const failure = end.status === "failed" ? { code: "INTERNAL", message: "The loss is not a number." } : undefined;
  await db.run.update({ where: { id: runId }, data: { ...end, ...(failure ? { failure } : {}), endedAt: new Date(), leaseUntil: null, owner: null } });
  return runId;
}

test("whoever started a run is told by mail when it ends: once, in words, and only at an address of their own", async () => {
  const tenant = await makeTenant(db, { name: "Own" });
  const mails: Mail[] = [];
  const mailer = { send: async (mail: Mail) => void mails.push(mail), close: () => {} };
  const options = { afterS: 60, pageUrl: "https://loom.example" };
  await db.user.update({ where: { id: tenant.userId }, data: { email: "own@example.org", emailVerifiedAt: new Date() } });

  const runId = await endedRun(tenant, { status: "finished", elapsedMs: 90_000 });
  await endedRun(tenant, { status: "failed", elapsedMs: 3_600_000 });
  await endedRun(tenant, { status: "finished", elapsedMs: 2_000 });
  await endedRun(tenant, { status: "cancelled", elapsedMs: 500_000 });
  // Two processes at once tell of each run once.
  const sent = await Promise.all([mailEndings(db, mailer, options), mailEndings(db, mailer, options)]);
  expect(sent[0] + sent[1]).toBe(2);
  expect(mails.map(({ to, subject }) => `${to} ${subject}`).sort()).toEqual(["own@example.org Run 1 of Own model finished", "own@example.org Run 2 of Own model failed"]);
  expect(mails.find(({ subject }) => subject.endsWith("finished"))?.text).toBe(`Run 1 of Own model finished after 1 min 30 s.\n\nhttps://loom.example/runs/${runId}\n`);
  expect(await mailEndings(db, mailer, options)).toBe(0);

  await db.user.update({ where: { id: tenant.userId }, data: { emailVerifiedAt: null } });
  await endedRun(tenant, { status: "finished", elapsedMs: 90_000 });
  expect(await mailEndings(db, mailer, options)).toBe(0);
});

/** A post office on a port of its own: it speaks as much of SMTP (RFC 5321) as a letter needs, and keeps what it is given. */
async function postOffice() {
  const letters: { from: string; to: string; text: string }[] = [];
  const server = createServer((socket) => {
    const say = (line: string) => socket.write(`${line}\r\n`);
    let letter = { from: "", to: "", text: "" };
    let isText = false;
    say("220 post.test ESMTP");
    createInterface({ input: socket }).on("line", (line) => {
      if (isText) {
        if (line !== ".") {
          letter.text += `${line.replace(/^\.\./, ".")}\n`;
          return;
        }
        isText = false;
        letters.push(letter);
        letter = { from: "", to: "", text: "" };
        say("250 kept");
      } else if (/^EHLO/i.test(line)) say("250 post.test");
      else if (/^MAIL FROM:/i.test(line)) {
        letter.from = line.slice(10);
        say("250 ok");
      } else if (/^RCPT TO:/i.test(line)) {
        letter.to = line.slice(8);
        say(letter.to.includes("nobody@") ? "550 no such person" : "250 ok");
      } else if (/^DATA/i.test(line)) {
        isText = true;
        say("354 go on");
      } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
      else say("250 ok");
    });
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { letters, url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

test("the mail goes through a post office as a letter that can be read, and one that is refused keeps no other from going", async () => {
  const post = await postOffice();
  const mailer = openMailer(readConfig({ SMTP_URL: post.url, MAIL_FROM: "Tensorloom <loom@example.org>" }));
  if (!mailer) throw new Error("There is a post office, so there is a mailer.");
  const options = { afterS: 0, pageUrl: "https://loom.example" };
  try {
    const [gone, here] = [await makeTenant(db, { name: "Gone" }), await makeTenant(db, { name: "Größe" })];
    await db.user.update({ where: { id: gone.userId }, data: { email: "nobody@example.org", emailVerifiedAt: new Date() } });
    await db.user.update({ where: { id: here.userId }, data: { email: "here@example.org", emailVerifiedAt: new Date() } });
    await endedRun(gone, { status: "finished", elapsedMs: 90_000 });
    const runId = await endedRun(here, { status: "failed", elapsedMs: 90_000 });
    await mailEndings(db, mailer, options).catch(() => {});
    await mailEndings(db, mailer, options);
    expect(post.letters).toHaveLength(1);
    const [letter] = post.letters;
    expect(letter).toMatchObject({ from: "<loom@example.org>", to: "<here@example.org>" });
    const text = letter?.text.replace(/=\n/g, "") ?? "";
    expect(text).toMatch(/^Subject: Run 1 of =\?UTF-8\?|^Subject: =\?UTF-8\?/m);
    expect(text).toContain(`https://loom.example/runs/${runId}`);
    expect(text).toContain("The loss is not a number.");
  } finally {
    mailer.close();
    post.close();
  }
});

test("of a trainer that gives no sign of life the page knows before ten seconds are over", async () => {
  const tenant = await makeTenant(db, { name: "Silent" });
  const caller = callerOf(context(tenant.session));
  const { runId } = await caller.runs.start({ modelId: tenant.modelId, settings: tenant.settings, idempotencyKey: randomUUID() });
  expect(await caller.runs.trainer({ runId })).toEqual({ silentMs: null });
  await claim(db, runId);
  const leaseMs = context(tenant.session).config.LEASE_MS;
  const heardAgo = (ms: number) =>
    db.$executeRaw`UPDATE "Run" SET "leaseUntil" = clock_timestamp() + make_interval(secs => ${(leaseMs - ms) / 1000}::float8) WHERE "id" = ${runId}::uuid`;
  // As long as a lease is renewed in time, nothing is said: a third of it is usual.
  await heardAgo(leaseMs / 3);
  expect(await caller.runs.trainer({ runId })).toEqual({ silentMs: null });
  // The page asks every two seconds.
  await heardAgo(8_000);
  expect((await caller.runs.trainer({ runId })).silentMs).toBeGreaterThanOrEqual(8_000);
});

test("the page is told of its person's own runs that ended since it last asked", async () => {
  const [own, other] = [await makeTenant(db, { name: "First" }), await makeTenant(db, { name: "Second" })];
  const caller = callerOf(context(own.session));
  await endedRun(own, { status: "finished", elapsedMs: 1 });
  const { now, endings } = await caller.runs.endings({});
  expect(endings).toEqual([]);
  await endedRun(other, { status: "finished", elapsedMs: 1 });
  await endedRun(own, { status: "failed", elapsedMs: 1 });
  const next = await caller.runs.endings({ since: now });
  expect(next.endings).toMatchObject([{ number: 2, modelName: "First model", status: "failed", message: "The loss is not a number." }]);
  expect((await caller.runs.endings({ since: next.now })).endings).toEqual([]);
});
