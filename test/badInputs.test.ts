import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Numbers of the list of bad inputs that this source names: at the beginning of a test's name, or of a row of a table of such tests. */
function numbersIn(source: string): number[] {
  const named = source.matchAll(/^\s+(?:it|test)(?:\.each\(.*\))?\("(\d+): |^test\("(\d+): |^\s+\]\)\("(\d+): |^\s+\] as const\)\("(\d+): /gm);
  const rows = source.includes('("%i: ') ? source.matchAll(/^\s+\[\s*(\d+),\s*["`]/gm) : [];
  return [...named, ...rows].map(([, ...numbers]) => Number(numbers.find((number) => number !== undefined)));
}

test("each of the 66 bad inputs is named by a test", () => {
  const named = new Set(globSync("test/**/*.test.ts").flatMap((file) => numbersIn(readFileSync(file, "utf8"))));
  expect(Array.from({ length: 66 }, (_, at) => at + 1).filter((number) => !named.has(number))).toEqual([]);
});
