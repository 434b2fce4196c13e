import { defineLogical } from "./logical.ts";

export const logicalOr = defineLogical({
  type: "logical_or",
  title: "Or",
  symbol: "|",
  doc: "Joins two conditions: true where at least one is.",
  formula: "y = a ∨ b",
  when: "Use it to join masks where any reason is enough.",
  keywords: ["either", "any", "union"],
});
