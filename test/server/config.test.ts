import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigError, readConfig, readEnvironment, settings } from "../../server/config.ts";

test("nothing set is a working configuration that only this machine can reach", () => {
  expect(readConfig({})).toMatchObject({ PORT: 3000, HOST: "127.0.0.1", AUTH: "local", DATABASE_URL: null });
  expect(readConfig(Object.fromEntries(Object.keys(settings).map((name) => [name, ""])))).toEqual(readConfig({}));
});

test.each(["0.0.0.0", "::", "192.168.1.4", "example.org"])("AUTH=local on HOST=%s does not start, and the sentence says what to do", (HOST) => {
  expect(() => readConfig({ HOST })).toThrow(/AUTH=required/);
  expect(readConfig({ HOST, AUTH: "required" }).HOST).toBe(HOST);
});

test.each(["localhost", "127.0.0.1", "127.0.1.1", "::1"])("AUTH=local on HOST=%s does", (HOST) => {
  expect(readConfig({ HOST }).AUTH).toBe("local");
});

test("every wrong setting is named with its value, all in one refusal", () => {
  expect(() => readConfig({ PORT: "http", AUTH: "none", DATABASE_URL: "mysql://x/y" })).toThrow(ConfigError);
  expect(() => readConfig({ PORT: "http", AUTH: "none", DATABASE_URL: "mysql://x/y" })).toThrow(/PORT="http"[\s\S]*AUTH="none"|AUTH="none"[\s\S]*PORT="http"/);
  for (const PORT of ["-1", "65536", "1.5", "3000x"]) expect(() => readConfig({ PORT }), PORT).toThrow(/PORT=/);
});

test("a .env file fills gaps and never overrides the environment", () => {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-env-"));
  try {
    writeFileSync(join(folder, ".env"), '# a note\nTENSORLOOM_GAP="4000"\nPATH=/nowhere\n');
    const environment = readEnvironment(join(folder, ".env"));
    expect(environment.TENSORLOOM_GAP).toBe("4000");
    expect(environment.PATH).toBe(process.env.PATH);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
