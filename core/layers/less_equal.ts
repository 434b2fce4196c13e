import { say } from "../language/say.ts";
import { defineComparison } from "./broadcast.ts";

export const lessEqual = defineComparison({
  type: "less_equal",
  title: "LessEqual",
  name: "le",
  symbol: "<=",
  doc: "Asks for each number whether it is at most a value, or at most another tensor.",
  formula: "y = (x ≤ other)",
  when: "Use it for conditions where equal counts as well. No gradient flows through it.",
  keywords: ["at most", "threshold"],
  outcome: say("True where it is smaller or equal."),
  onnx: "LessOrEqual",
});
