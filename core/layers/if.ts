import type { Node } from "../graph/document.ts";
import type { TensorType } from "../graph/shape.ts";
import { singleInputs, sketchBody } from "./composed.ts";
import { defineLayer, type InputPorts, isOneElement, startBody, type Value } from "./kit.ts";
import { byName, drawnBodies, inputNames, nameTaken, needCondition, outputNames, portsIn, portsOut, resultOf, sameResults, toScalar } from "./zone.ts";

const own: InputPorts = { condition: { doc: "A single true or false, from Greater.", dtype: "bool" } };
const ROLES = ["then", "else"];
const resultsOf = (node: Node) => outputNames(drawnBodies(node, ROLES)[0]);

export const ifZone = defineLayer({
  type: "if",
  title: "If",
  category: "control",
  doc: "Runs one of two bodies, whichever the condition says at that moment: the other costs nothing.",
  keywords: ["branch", "condition", "switch", "dynamic", "early exit"],
  formula: "y = then(x) if condition else else(x)",
  when: "Where one answer decides for the whole batch. To choose for each sample use Switch; to weigh two results number by number, Where.",
  params: {},
  inputs: { ...own, x: { doc: "Goes into the body that runs.", dtype: "any" } } as InputPorts,
  bodies: {
    then: { doc: "Runs where the condition is true: from x to y.", start: startBody() },
    else: { doc: "Runs where it is false. Its outputs are those of then; of the inputs it takes what it needs.", start: startBody() },
  },
  ports: (node) => ({ inputs: { ...own, ...portsIn(inputNames(drawnBodies(node, ROLES)), own) }, outputs: portsOut(resultsOf(node)) }),
  summary: () => "",
  infer: (_, given, bodies, node) => {
    const { condition, ...inputs } = singleInputs<TensorType>(given);
    const then = bodies("then", inputs);
    const otherwise = bodies("else", inputs);
    if (condition && !isOneElement(condition)) return needCondition("The condition of If", condition, "condition");
    if (inputNames(drawnBodies(node, ROLES)).includes("condition")) return nameTaken("If", "condition");
    if (!then || !otherwise) return null;
    const wrong = sameResults("If", { then, else: otherwise });
    return wrong ?? { outputs: then };
  },
  lower: (_, given, b, { outputs }, node) => {
    const { condition, ...inputs } = singleInputs(given);
    if (!condition) throw new Error("A checked If has a condition.");
    const names = resultsOf(node);
    const run = (role: string) => () => {
      const results = b.body(role, inputs);
      return names.map((name) => resultOf(results, name));
    };
    const results: Value[] = b.if(
      condition,
      run("then"),
      run("else"),
      names.map((name) => resultOf(outputs, name)),
    );
    return byName(names, results);
  },
  onnx: (_, given, b, __, node) => {
    const { condition, ...inputs } = singleInputs(given);
    if (!condition) throw new Error("A checked If has a condition.");
    const names = resultsOf(node);
    const run = (role: string) =>
      b.subgraph([], () => {
        const results = b.body(role, inputs);
        return names.map((name) => resultOf(results, name));
      });
    const results = b.node("If", [toScalar(b, condition)], { then_branch: run("then"), else_branch: run("else") }, names.length);
    return byName(names, results);
  },
  torch: () => ({
    lines: (given, call) => {
      const { condition, ...inputs } = singleInputs(given);
      return [`if ${condition}:`, `    return ${call("then", inputs)}`, `return ${call("else", inputs)}`];
    },
  }),
  cost: (_, __, { then, else: otherwise }) => ({ multiplyAdds: Math.max(then?.multiplyAdds ?? 0, otherwise?.multiplyAdds ?? 0) }),
  examples: [
    {
      inputs: { condition: { dtype: "bool", shape: [1] }, x: [2, 3] },
      bodies: { then: startBody({ type: "linear", params: { out_features: 4 } }), else: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) },
    },
    {
      inputs: { condition: { dtype: "bool", shape: [1] }, x: [2, 3], z: [2, 3] },
      bodies: {
        then: sketchBody(["x", "z"], { sum: ["add", {}, { a: "x", b: "z" }], fc: ["linear", { out_features: 3 }] }, { y: "fc", rest: "sum" }),
        else: sketchBody(["x"], { tanh: ["tanh", {}, "x"] }, { y: "x", rest: "tanh" }),
      },
    },
  ],
});
