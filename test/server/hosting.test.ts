import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hashSecret, makeSecret } from "../../server/auth/secrets.ts";
import { createOwnerLink } from "../../server/auth/session.ts";
import { ensureWorkspace } from "../../server/auth/workspace.ts";
import { readConfig, settings } from "../../server/config.ts";
import { allowed } from "../allowed.ts";
import { openTestDatabase } from "./postgres.ts";
import { serveWeb } from "./visitor.ts";
import { makeTenant, temporaryFiles } from "./world.ts";

/** What docs/hosting.md tells people to write, taken from there. */
const page = readFileSync("docs/hosting.md", "utf8");
const blocks = [...page.matchAll(/(?:^ {4}.*\n|^\n)+/gm)].map(([text]) => text.replaceAll(/^ {4}/gm, "").trim()).filter(Boolean);
const block = (start: RegExp) => {
  const found = blocks.filter((text) => start.test(text));
  expect(found.length).toBe(1);
  return found[0] ?? "";
};
const folder = mkdtempSync(join(tmpdir(), "tensorloom-hosting-"));
afterAll(() => rmSync(folder, { recursive: true }));
const has = (tool: string) => {
  try {
    execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

test("every setting that the page gives is one of ours, and they are read together", () => {
  const given = Object.fromEntries(
    [...[block(/^AUTH=required/), block(/^S3_ENDPOINT=/)].join("\n").matchAll(/^([A-Z0-9_]+)=(.*?)(?:\s+#.*)?$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
  expect(Object.keys(given).length).toBe(14);
  for (const name of [...Object.keys(given), ...["AGENT_NAME", "MAX_RUNS", "DATABASE_URL", "DATA_DIR", "SIGN_UP"]]) expect(Object.keys(settings)).toContain(name);
  const config = readConfig({ ...given, SECRET: "a".repeat(44), S3_ACCESS_KEY_ID: "a", S3_SECRET_ACCESS_KEY: "b" });
  expect(config).toMatchObject({ AUTH: "required", PUBLIC_URL: expect.stringMatching(/^https:/), TRUSTED_PROXIES: ["127.0.0.1"] });
});

test.skipIf(!has("systemd-analyze"))("systemd takes both units as they stand there", () => {
  for (const name of ["tensorloom", "tensorloom-agent"]) {
    const unit = block(new RegExp(`^\\[Unit\\]\\nDescription=Tensorloom${name.includes("agent") ? " agent" : ""}\\n`));
    const [, script = ""] = /^ExecStart=\S+ (\S+)$/m.exec(unit) ?? [];
    expect(readFileSync(script, "utf8").length).toBeGreaterThan(100);
    const file = join(folder, `${name}.service`);
    const verify = (text: string) => {
      writeFileSync(file, text);
      const said = execFileSync("sh", ["-c", `systemd-analyze verify --man=no ${file} 2>&1 || true`], { encoding: "utf8" });
      return said.split("\n").filter((line) => line.includes(`${name}.service`));
    };
    // The program may lie elsewhere on this machine; what is looked at is how the unit is written.
    const here = unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`);
    expect(verify(here)).toEqual([]);
    expect(verify(here.replace("ProtectHome", "ProtectHouse")).join()).toContain("ProtectHouse");
  }
});

describe.skipIf(!has("nginx") || !has("openssl"))("behind nginx with TLS, by the configuration that stands there (needs nginx and openssl)", () => {
  async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    return port;
  }

  test("cookies are bound to the host, visitors are told apart, streams and large files come through", { timeout: 120_000 }, async () => {
    const { db } = await openTestDatabase();
    await ensureWorkspace(db);
    const tls = await freePort();
    const host = `localhost:${tls}`;
    const { port } = await serveWeb(db, temporaryFiles(), { AUTH: "required", PUBLIC_URL: `https://${host}`, TRUSTED_PROXIES: "127.0.0.1" });
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"], {
      cwd: folder,
      stdio: "ignore",
    });
    mkdirSync(join(folder, "temp"));
    const server = block(/^server \{/)
      .replace("listen 443", `listen 127.0.0.1:${tls}`)
      .replace(/ssl_certificate .*;/, `ssl_certificate ${folder}/cert.pem;`)
      .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${folder}/key.pem;`)
      .replace("http://127.0.0.1:3000", `http://127.0.0.1:${port}`)
      // The port is nobody's own here; where it is 443 the two are the same.
      .replace("Host $host;", "Host $http_host;");
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/temp/${kind};`).join(" ");
    const user = process.getuid?.() === 0 ? "user root;" : "";
    writeFileSync(join(folder, "nginx.conf"), `daemon off; ${user} pid ${folder}/pid; error_log ${folder}/error.log; events {} http { access_log off; ${temp} ${server} }`);
    const nginx = spawn("nginx", ["-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log"), "-p", folder], { stdio: "inherit" });
    try {
      const ask = (
        path: string,
        { method = "GET", headers = {}, body, until }: { method?: string; headers?: Record<string, string>; body?: string | Buffer; until?: RegExp } = {},
      ) =>
        new Promise<{ status: number; headers: import("node:http").IncomingHttpHeaders; text: string; ms: number }>((resolve, reject) => {
          const began = performance.now();
          const sent = request({ host: "127.0.0.1", port: tls, path, method, headers: { host, ...headers }, rejectUnauthorized: false }, (answer) => {
            let text = "";
            const done = () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, ms: performance.now() - began });
            answer.setEncoding("utf8").on("data", (part: string) => {
              text += part;
              if (!until?.test(text)) return;
              done();
              sent.destroy();
            });
            answer.on("end", done);
            answer.on("error", () => {});
          });
          sent.on("error", reject);
          sent.end(body);
        });
      await expect
        .poll(
          () =>
            new Promise((done) =>
              connect(tls, "127.0.0.1")
                .on("connect", () => done(true))
                .on("error", () => done(false)),
            ),
          { timeout: allowed(10_000) },
        )
        .toBe(true);
      expect((await ask("/readyz")).status).toBe(200);
      const inside = await ask(`/sign-in/${await createOwnerLink(db)}`, { method: "POST", headers: { origin: `https://${host}` } });
      expect([inside.status, inside.headers["set-cookie"]?.[0]]).toEqual([303, expect.stringMatching(/^__Host-tensorloom=.*; Secure$/)]);
      expect((await ask("/readyz", { headers: { host: "evil.example" } })).status).toBe(421);

      // What a visitor says of where they come from is not believed: nginx puts its own word.
      const guess = {
        method: "POST",
        headers: { "content-type": "application/json", "x-forwarded-for": "10.9.8.7" },
        body: '{"email":"nobody@example.org","password":"a wrong guess"}',
      };
      expect((await ask("/api/trpc/account.signIn", guess)).status).toBe(401);
      expect(JSON.stringify(await db.attempt.findMany())).not.toContain("10.9.8.7");

      const tenant = await makeTenant(db, { name: "Hosted" });
      const secret = makeSecret();
      await db.session.create({ data: { userId: tenant.userId, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + 3_600_000) } });
      const cookie = `__Host-tensorloom=${secret}`;
      const watch = encodeURIComponent(JSON.stringify({ modelId: tenant.modelId, clientId: "proxied" }));
      const stream = await ask(`/api/trpc/models.watch?input=${watch}`, { headers: { cookie, accept: "text/event-stream" }, until: /"epoch"/ });
      expect([stream.status, stream.headers["content-type"]]).toEqual([200, expect.stringContaining("text/event-stream")]);
      const large = Buffer.alloc(40 << 20, 7);
      const sent = await ask("/api/uploads", {
        method: "POST",
        headers: { cookie, "content-type": "application/octet-stream", "content-length": String(large.length) },
        body: large,
      });
      expect([sent.status, JSON.parse(sent.text)]).toEqual([201, { uploadId: expect.any(String), sizeBytes: large.length }]);
    } finally {
      const ended = once(nginx, "exit");
      nginx.kill("SIGTERM");
      await ended;
    }
  });
});
