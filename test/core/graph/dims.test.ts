import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, countElements, evaluate, floorDivide, multiply, subtract } from "../../../core/graph/dims.ts";
import type { Dim } from "../../../core/graph/shape.ts";
import { slide } from "../../../core/layers/window.ts";

describe("sizes known only at run time", () => {
  it("keep their name through a padded window of stride 1", () => {
    expect(slide("T", { kernel: 3, stride: 1, pads: 2, dilation: 1 })).toBe("T");
    expect(slide("T", { kernel: 5, stride: 1, pads: 8, dilation: 2 })).toBe("T");
  });

  it("have one way of being written", () => {
    expect(slide("T", { kernel: 3, stride: 1, pads: 0, dilation: 1 })).toBe("T-2");
    expect(slide("T", { kernel: 3, stride: 2, pads: 0, dilation: 1 })).toBe("floor((T-1)/2)");
    expect(add("T", "B")).toBe("B+T");
    expect(subtract(add("T", "B"), "T")).toBe("B");
    expect(multiply("T", 4)).toBe("4*T");
    expect(floorDivide(multiply("T", 4), 4)).toBe("T");
    expect(floorDivide(multiply("T", 2), 4)).toBe("floor(T/2)");
    expect(countElements(["T", 3, "T"])).toBe("3*T*T");
    expect(subtract("T", "T")).toBe(0);
  });

  it("join strided windows into one division", () => {
    const once = slide("T", { kernel: 3, stride: 2, pads: 2, dilation: 1 });
    expect(slide(once, { kernel: 3, stride: 2, pads: 2, dilation: 1 })).toBe("floor((T+3)/4)");
  });
});

/** An expression, and what it is worth where every symbol is `n`. */
type Expression = { dim: Dim; at: (n: number) => number };

const expression = fc.letrec<{ e: Expression }>((tie) => ({
  e: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.integer({ min: -9, max: 9 }).map((value): Expression => ({ dim: value, at: () => value })),
    fc.constantFrom("T", "B", "Seq").map((dim): Expression => ({ dim, at: (n) => n })),
    fc.tuple(tie("e"), tie("e")).map(([a, b]): Expression => ({ dim: add(a.dim, b.dim), at: (n) => a.at(n) + b.at(n) })),
    fc.tuple(tie("e"), tie("e")).map(([a, b]): Expression => ({ dim: subtract(a.dim, b.dim), at: (n) => a.at(n) - b.at(n) })),
    fc.tuple(tie("e"), tie("e")).map(([a, b]): Expression => ({ dim: multiply(a.dim, b.dim), at: (n) => a.at(n) * b.at(n) })),
    fc.tuple(tie("e"), fc.integer({ min: 1, max: 6 })).map(([a, k]): Expression => ({ dim: floorDivide(a.dim, k), at: (n) => Math.floor(a.at(n) / k) })),
  ),
})).e;

describe("arithmetic on sizes", () => {
  it("gives what arithmetic on the numbers gives", () => {
    fc.assert(
      fc.property(expression, fc.integer({ min: 1, max: 40 }), ({ dim, at }, n) => {
        const value = at(n);
        fc.pre(Math.abs(value) < 2 ** 50);
        // `evaluate` never answers below 1 for what is still symbolic.
        expect([evaluate(dim, n), value]).toSatisfy(([ours, theirs]) => ours === (typeof dim === "number" ? theirs : Math.max(1, theirs)));
      }),
      { numRuns: 2000 },
    );
  });

  it("reads what it writes", () => {
    fc.assert(
      fc.property(expression, ({ dim }) => {
        expect(add(dim, 0)).toSatisfy((again) => again === dim);
      }),
      { numRuns: 1000 },
    );
  });
});
