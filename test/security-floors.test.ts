import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Versions below which an advisory applies to how we use the package (docs/architecture.md lists what each does for us). */
const FLOORS: [name: string, floor: string][] = [
  ["next", "16.4.6"],
  ["@trpc/server", "11.8.0"],
  ["react", "19.2.9"],
  ["react-dom", "19.2.9"],
  ["sharp", "0.35.5"],
];

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, { version?: string }> };

function isAtLeast(version: string, floor: string): boolean {
  const [a, b] = [version, floor].map((text) => text.split(/[.-]/).slice(0, 3).map(Number)) as [number[], number[]];
  for (const i of [0, 1, 2]) if (a[i] !== b[i]) return a[i]! > b[i]!;
  return true;
}

test.each(FLOORS)("every installed copy of %s is at or above %s", (name, floor) => {
  const copies = Object.entries(lock.packages).filter(([path]) => path.endsWith(`node_modules/${name}`));
  expect(copies.length).toBeGreaterThan(0);
  for (const [path, { version }] of copies) expect(isAtLeast(version!, floor), `${path} is ${version}`).toBe(true);
});

test("packages are pinned to exact versions", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, Record<string, string>>;
  for (const kind of ["dependencies", "devDependencies"]) for (const [name, range] of Object.entries(manifest[kind]!)) expect(range, name).toMatch(/^\d/);
});

test("no page uses a server action, whose endpoints are public", () => {
  const pages = globSync("app/**/*.{ts,tsx}");
  expect(pages.length).toBeGreaterThan(5);
  for (const page of pages) expect(readFileSync(page, "utf8"), page).not.toMatch(/^\s*["']use server["']/m);
});

const sources = (...rooms: string[]) =>
  rooms
    .flatMap((room) => globSync(`${room}/**/*.{ts,tsx,mjs}`, { exclude: (name) => name.includes("generated") }))
    .map((file) => [file.replaceAll("\\", "/"), readFileSync(file, "utf8")] as const);
const filesWith = (pattern: RegExp, ...rooms: string[]) => sources(...rooms).flatMap(([file, text]) => (pattern.test(text) ? [file] : []));

test("packages whose advisories we chose to do without are not installed, or not ours to load", () => {
  const installed = Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1));
  for (const name of ["better-auth", "superjson", "jsonwebtoken", "js-yaml-loader", "node-serialize"]) expect(installed).not.toContain(name);
  // ONNX Runtime's page build names protobufjs for a backend that we do not load; nothing of ours parses with it.
  expect(filesWith(/from "protobufjs|import\("protobufjs/, "app", "core", "server", "native")).toEqual([]);
});

test("S-13: nothing of Next that reads for a visitor or runs for one: no optimizer, no picture maker, no rewrites, no cache between people", () => {
  const config = readFileSync("next.config.js", "utf8");
  expect(config).toContain("images: { unoptimized: true }");
  expect(config).not.toMatch(/rewrites|redirects|headers|cacheComponents|experimental|remotePatterns/);
  expect(filesWith(/from "next\/(image|og|cache|headers.*draftMode)"|^\s*["']use cache["']|unstable_cache/m, "app", "server")).toEqual([]);
});

test("no address that a visitor gives is ever fetched: what fetches takes addresses from the settings or from the catalog of pretrained networks", () => {
  expect(
    filesWith(/\bfetch\(|"node:https"|undici|\bhttps?\.(get|request)\(/, "server")
      .filter((file) => !file.startsWith("server/setup"))
      .sort(),
  ).toEqual(["server/http/oauth.ts", "server/hub/fetch.ts", "server/storage/s3.ts"]);
});

test("S-8: no text is written as HTML, and no code is made of text", () => {
  expect(filesWith(/dangerouslySetInnerHTML|\.innerHTML\s*=|insertAdjacentHTML|document\.write/, "app")).toEqual(["app/layout.tsx"]);
  expect(filesWith(/(?<![.\w])eval\(|new Function\(/, "app", "core", "server")).toEqual([]);
});

test("no SQL is put together of texts", () => {
  expect(filesWith(/\$(queryRawUnsafe|executeRawUnsafe)|Prisma\.raw\((?!`"\$\{)/, "server")).toEqual([]);
});
