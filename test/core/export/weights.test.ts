import { describe, expect, it } from "vitest";
import { type Tensor, tensorOf } from "../../../core/export/tensor.ts";
import { pickWeights, WeightsError } from "../../../core/export/weights.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { chain } from "../../../core/templates/sketch.ts";

const program = lowerModel(
  chain([
    ["input", "input", { shape: [2] }],
    ["fc", "linear", { out_features: 3 }],
    ["output", "output"],
  ]),
);
const weight: [string, Tensor] = ["fc.weight", tensorOf("float32", [3, 2], [1, 2, 3, 4, 5, 6])];
const bias: [string, Tensor] = ["fc.bias", tensorOf("float32", [3], [1, 2, 3])];
const moments: [string, Tensor] = ["optimizer.fc.bias.exp_avg", tensorOf("float32", [3], [0, 0, 0])];

describe("weights of a graph", () => {
  it("are picked in the program's order out of a file that holds more", () => {
    expect([...pickWeights(program, new Map([moments, bias, weight])).keys()]).toEqual(["fc.weight", "fc.bias"]);
  });
  it("name all that is missing, superfluous or of another shape", () => {
    const pick = () => pickWeights(program, new Map([["fc.weight", tensorOf("float32", [2, 3], [1, 2, 3, 4, 5, 6])], moments]), { exact: true });
    expect(pick).toThrow(WeightsError);
    expect(pick).toThrow(
      "These weights belong to another graph: fc.bias is missing; optimizer.fc.bias.exp_avg has no place in the graph; fc.weight should be float32 [3, 2] but is float32 [2, 3].",
    );
  });
});
