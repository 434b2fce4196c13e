import { say } from "../language/say.ts";
import { defineComparison } from "./broadcast.ts";

export const less = defineComparison({
  type: "less",
  title: "Less",
  name: "lt",
  symbol: "<",
  doc: "Asks for each number whether it is smaller than a value, or than another tensor.",
  formula: "y = (x < other)",
  when: "Use it to make conditions and masks, such as of steps before a length. No gradient flows through it.",
  keywords: ["smaller", "threshold"],
  outcome: say("True where it is smaller."),
  onnx: "Less",
});
