import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterAll, expect, test } from "vitest";
import { ensureWorkspace } from "../../server/auth/workspace.ts";
import { openTestDatabase } from "./postgres.ts";
import { browserAt, serveWeb } from "./visitor.ts";
import { temporaryFiles } from "./world.ts";

/** A mail server of as much SMTP as is spoken to it (RFC 5321, AUTH PLAIN), which keeps what it is handed. */
const handed: { login: string; from: string; to: string[]; text: string }[] = [];
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  let [mail, reading, rest] = [{ login: "", from: "", to: [] as string[], text: "" }, false, ""];
  let login = "";
  const say = (line: string) => socket.write(`${line}\r\n`);
  say("220 mail.example.org ESMTP");
  socket.setEncoding("utf8").on("data", (part: string) => {
    rest += part;
    for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (reading && line === ".") {
        reading = false;
        handed.push({ ...mail, login });
        say("250 kept");
      } else if (reading) mail.text += `${line.replace(/^\.\./, ".")}\n`;
      else if (/^EHLO/i.test(line)) socket.write("250-mail.example.org\r\n250 AUTH PLAIN\r\n");
      else if (/^AUTH PLAIN /i.test(line)) {
        login = Buffer.from(line.slice(11), "base64").toString("utf8");
        say("235 yes");
      } else if (/^MAIL FROM/i.test(line)) {
        mail = { login: "", from: /<(.*?)>/.exec(line)?.[1] ?? "", to: [], text: "" };
        say("250 yes");
      } else if (/^RCPT TO/i.test(line)) {
        mail.to.push(/<(.*?)>/.exec(line)?.[1] ?? "");
        say("250 yes");
      } else if (/^DATA/i.test(line)) {
        reading = true;
        say("354 go on");
      } else say(/^QUIT/i.test(line) ? "221 bye" : "250 yes");
    }
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

const { db } = await openTestDatabase();
await ensureWorkspace(db);
const { base } = await serveWeb(db, temporaryFiles(), {
  AUTH: "required",
  SIGN_UP: "open",
  SMTP_URL: `smtp://loom:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`,
  MAIL_FROM: "Tensorloom <loom@example.org>",
});
const [email, password] = ["vera@example.org", "four quiet words here"];

/** The text of the newest mail, put together again from its lines. */
const newest = (count: number) => expect.poll(() => handed.length, { timeout: 15_000 }).toBe(count);
const bodyOf = (at: number) => (handed[at]?.text ?? "").replaceAll("=\n", "").replaceAll("=3D", "=");

test("what is mailed goes over SMTP, signed in and in words alone: an address is proven, a password set anew, an invitation taken by its link", async () => {
  const vera = browserAt(base).client();
  await vera.account.signUp.mutate({ name: "Vera", email, password });
  await newest(1);
  expect(handed[0]).toMatchObject({ login: "\0loom\0p@ss", from: "loom@example.org", to: [email] });
  expect(handed[0]?.text).toMatch(/^From: Tensorloom <loom@example\.org>$/m);
  expect(handed[0]?.text).toMatch(/^Content-Type: text\/plain/m);
  const verify = new RegExp(`${base}/verify/([\\w-]{43})`).exec(bodyOf(0))?.[1] ?? "";
  expect((await vera.account.me.query()).verified).toBe(false);
  await browserAt(base).client().account.useLink.mutate({ kind: "verify", secret: verify });
  expect((await vera.account.me.query()).verified).toBe(true);

  const lost = browserAt(base).client();
  await lost.account.requestReset.mutate({ email });
  await newest(2);
  const reset = new RegExp(`${base}/reset/([\\w-]{43})`).exec(bodyOf(1))?.[1] ?? "";
  await lost.account.useLink.mutate({ kind: "reset", secret: reset, password: "another four quiet words" });
  await expect(lost.account.signIn.mutate({ email, password })).rejects.toMatchObject({ data: { code: "SIGN_IN_WRONG" } });
  await vera.account.signIn.mutate({ email, password: "another four quiet words" });

  const { link } = await vera.organization.invite.mutate({ email: "ina@example.org", role: "viewer" });
  await newest(3);
  // The link went to its address, and to nobody else.
  expect([link, handed[2]?.to]).toEqual([null, ["ina@example.org"]]);
  const invitation = new RegExp(`${base}/join/([\\w-]{43})`).exec(bodyOf(2))?.[1] ?? "";
  const ina = browserAt(base).client();
  await ina.account.signUp.mutate({ name: "Ina", email: "ina@example.org", password, invitation });
  expect(await ina.workspace.me.query()).toMatchObject({ role: "viewer", org: { name: "Vera's team" } });
  expect((await ina.account.me.query()).verified).toBe(true);
});
