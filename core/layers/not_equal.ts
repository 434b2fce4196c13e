import { say } from "../language/say.ts";
import { defineComparison } from "./broadcast.ts";

export const notEqual = defineComparison({
  type: "not_equal",
  title: "NotEqual",
  name: "ne",
  symbol: "!=",
  doc: "Asks for each number whether it differs from a value, or from the number of another tensor.",
  formula: "y = (x ≠ other)",
  when: "Use it on whole numbers, such as to find tokens that are not padding. Measured numbers nearly always differ a little.",
  keywords: ["different", "padding mask"],
  outcome: say("True where they differ."),
  onnx: ["Equal", "Not"],
});
