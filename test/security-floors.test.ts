import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Versions below which an advisory applies to how we use the package (docs/architecture.md lists what each does for us). */
const FLOORS: [name: string, floor: string][] = [
  ["next", "16.4.6"],
  ["@trpc/server", "11.8.0"],
  ["react", "19.2.9"],
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

test("no page uses a server action, whose endpoints are public", async () => {
  const { globSync } = await import("node:fs");
  const pages = globSync("app/**/*.{ts,tsx}");
  expect(pages.length).toBeGreaterThan(5);
  for (const page of pages) expect(readFileSync(page, "utf8"), page).not.toMatch(/^\s*["']use server["']/m);
});
