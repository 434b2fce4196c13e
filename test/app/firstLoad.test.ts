import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { z } from "zod";

/** Of the production build: `npm test` makes it before it starts. */
const build = join(import.meta.dirname, "../../.next");
const KB = 1000;

const Root = z.object({ rootMainFiles: z.array(z.string()) });
const Pages = z.record(z.string(), z.object({ entryJSFiles: z.record(z.string(), z.array(z.string())) }));

/** Gzipped bytes of all scripts that a page's HTML names, by the page's route. */
function firstLoads(): Map<string, number> {
  const { rootMainFiles } = Root.parse(JSON.parse(readFileSync(join(build, "build-manifest.json"), "utf8")));
  const sizes = new Map<string, number>();
  const sizeOf = (file: string): number => {
    const size = sizes.get(file) ?? gzipSync(readFileSync(join(build, file))).length;
    sizes.set(file, size);
    return size;
  };
  const loads = new Map<string, number>();
  for (const manifest of globSync("server/app/**/page_client-reference-manifest.js", { cwd: build })) {
    const sandbox: { __RSC_MANIFEST?: unknown; process: { env: object } } = { process: { env: {} } };
    runInNewContext(readFileSync(join(build, manifest), "utf8"), { ...sandbox, globalThis: sandbox });
    for (const [page, { entryJSFiles }] of Object.entries(Pages.parse(sandbox.__RSC_MANIFEST))) {
      // A page stands in the layouts around it; what is shown instead of it when something is wrong comes only then.
      const own = Object.entries(entryJSFiles).filter(([entry]) => /\/(page|layout)$/.test(entry));
      const files = new Set([...rootMainFiles, ...own.flatMap(([, names]) => names)]);
      loads.set(
        page,
        [...files].reduce((sum, file) => sum + sizeOf(file), 0),
      );
    }
  }
  return loads;
}

describe("first-load JavaScript, gzipped", () => {
  const loads = firstLoads();

  it("of the studio is at most 260 KB", () => {
    expect(loads.get("/models/[modelId]/page")).toBeLessThanOrEqual(260 * KB);
  });

  it("of a page where one only signs in is at most 210 KB, so it carries neither studio nor charts", () => {
    expect(loads.get("/sign-in/page")).toBeLessThanOrEqual(210 * KB);
  });

  it("is known for every page", () => {
    expect(loads.size).toBeGreaterThan(15);
    expect(Math.min(...loads.values())).toBeGreaterThan(100 * KB);
  });
});
