import { say } from "../language/say.ts";
import { defineComparison } from "./broadcast.ts";

export const equal = defineComparison({
  type: "equal",
  title: "Equal",
  name: "eq",
  symbol: "==",
  doc: "Asks for each number whether it equals a value, or the number of another tensor.",
  formula: "y = (x = other)",
  when: "Use it on whole numbers, such as to find padding tokens. Measured numbers are rarely exactly equal: compare their distance instead.",
  keywords: ["same", "padding mask"],
  outcome: say("True where they are equal."),
  onnx: "Equal",
});
