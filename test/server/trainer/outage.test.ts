import { describe, expect, it } from "vitest";
import { isFenced, isOutage } from "../../../server/trainer/outage.ts";

/** As Prisma's adapter wraps what PostgreSQL says. */
const said = (originalCode: string) => Object.assign(new Error("raw query failed"), { code: "P2010", meta: { driverAdapterError: { cause: { originalCode } } } });

describe("an error of the database", () => {
  it.each(["57P01", "57P03", "08006", "40001", "40P01", "53300", "23503"])("%s is worth another try", (code) => {
    expect(isOutage(said(code))).toBe(true);
  });

  it.each(["22P02", "23505", "42703", "TL001", "TL002"])("%s will be the same next time", (code) => {
    expect(isOutage(said(code))).toBe(false);
  });

  it("without a code is an outage; a bug of ours is not", () => {
    expect(isOutage(new Error("Connection terminated unexpectedly"))).toBe(true);
    expect(isOutage(new TypeError("x is not a function"))).toBe(false);
  });

  it("TL001 alone means that a later lease exists", () => {
    expect([isFenced(said("TL001")), isFenced(said("57P01")), isFenced(null)]).toEqual([true, false, false]);
  });
});
