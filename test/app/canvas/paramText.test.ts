import { expect, it } from "vitest";
import { parseParam, printParam } from "../../../app/canvas/paramText.ts";
import { p } from "../../../core/layers/params.ts";

const size = p.size({ axes: 2, min: 1, default: 3, words: ["same"], doc: "" });
const dims = p.dims({ default: [1, 28, 28], doc: "" });

it("sizes are read however people write them", () => {
  expect(parseParam("3", size)).toEqual({ value: 3 });
  for (const text of ["3×5", "3 x 5", "3, 5", "3 5"]) expect(parseParam(text, size)).toEqual({ value: [3, 5] });
  expect(parseParam("same", size)).toEqual({ value: "same" });
  expect(parseParam("0", size)).toHaveProperty("problem");
  expect(parseParam("", size)).toHaveProperty("problem");
  expect(parseParam("3 5 7", size)).toHaveProperty("problem");
});

it("shapes may hold symbols and brackets", () => {
  expect(parseParam("[T, 16]", dims)).toEqual({ value: ["T", 16] });
  expect(printParam(["T", 16], dims.control)).toBe("T, 16");
});

it("what is printed is read back", () => {
  for (const value of [3, [3, 5], "same"]) expect(parseParam(printParam(value, size.control), size)).toEqual({ value });
  const eps = p.float({ default: 1e-5, doc: "" });
  expect(printParam(1e-5, eps.control)).toBe("1e-5");
  expect(parseParam("1e-5", eps)).toEqual({ value: 1e-5 });
});

it("a complaint says what is needed", () => {
  expect(parseParam("none", p.int({ default: 1, min: 1, doc: "" }))).toEqual({ problem: "Needs a whole number ≥ 1." });
});
