import { defineLogical } from "./logical.ts";

export const logicalAnd = defineLogical({
  type: "logical_and",
  title: "And",
  symbol: "&",
  doc: "Joins two conditions: true where both are.",
  formula: "y = a ∧ b",
  when: "Use it to join masks, such as not padding and not in the future.",
  keywords: ["both", "all", "intersection"],
});
