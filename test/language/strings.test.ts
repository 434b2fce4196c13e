import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findStrings, printStrings, STRINGS_FILE } from "./strings.ts";

describe("the catalogue of strings", () => {
  const found = findStrings();

  it("holds every text that is said, and no other: npm run strings writes it", () => {
    expect(printStrings(found)).toBe(readFileSync(STRINGS_FILE, "utf8"));
    expect(found.strings.size).toBeGreaterThan(3_000);
  });

  it("has nothing outside: no element, label, notice or problem of a page is written past say()", () => {
    expect(found.outside).toEqual([]);
  });

  it("fills every gap of every text", () => {
    expect(found.wrong).toEqual([]);
  });
});
