import { say } from "../language/say.ts";
import { defineComparison } from "./broadcast.ts";

export const greater = defineComparison({
  type: "greater",
  title: "Greater",
  name: "gt",
  symbol: ">",
  doc: "Asks for each number whether it is greater than a value, or than another tensor: makes conditions for If and While.",
  formula: "y = (x > other)",
  when: "Use it to make conditions and masks. No gradient flows through it; for a soft step use Sigmoid.",
  keywords: ["threshold"],
  outcome: say("True where it is greater."),
  onnx: "Greater",
});
