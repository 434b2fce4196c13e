import { say } from "../language/say.ts";
import { defineComparison } from "./broadcast.ts";

export const greaterEqual = defineComparison({
  type: "greater_equal",
  title: "GreaterEqual",
  name: "ge",
  symbol: ">=",
  doc: "Asks for each number whether it is at least a value, or at least another tensor.",
  formula: "y = (x ≥ other)",
  when: "Use it for conditions where equal counts as well. No gradient flows through it.",
  keywords: ["threshold", "at least"],
  outcome: say("True where it is greater or equal."),
  onnx: "GreaterOrEqual",
});
