import { defineLayer, isOneElement, isSameType, startBody } from "./kit.ts";
import { describeType, needCondition, needOutput, resultOf, toScalar } from "./zone.ts";

export const ifZone = defineLayer({
  type: "if",
  title: "If",
  category: "control",
  doc: "Runs one of two bodies, whichever the condition says at that moment: the other costs nothing.",
  keywords: ["branch", "condition", "switch", "dynamic", "early exit"],
  params: {},
  inputs: { condition: { doc: "A single true or false, from Greater.", dtype: "bool" }, x: { doc: "Goes into the body that runs.", dtype: "any" } },
  bodies: {
    // biome-ignore lint/suspicious/noThenProperty: the name of a role; what it holds is no function, so nothing takes it for a promise.
    then: { doc: "Runs where the condition is true: from x to y.", start: startBody() },
    else: { doc: "Runs where it is false: from x to y.", start: startBody() },
  },
  summary: () => "",
  infer: (_, { condition, x }, bodies) => {
    const then = bodies("then", { x });
    const otherwise = bodies("else", { x });
    if (!isOneElement(condition)) return needCondition("The condition of If", condition, "condition");
    if (!then || !otherwise) return null;
    if (!then.y) return needOutput("If", "then");
    if (!otherwise.y) return needOutput("If", "else");
    if (!isSameType(then.y, otherwise.y))
      return { problem: `Both bodies of If must give the same, but then gives ${describeType(then.y)} and else ${describeType(otherwise.y)}.`, code: "GRAPH_BODY" };
    return { outputs: { y: then.y } };
  },
  lower: (_, { condition, x }, b, { outputs }) => {
    const [y = x] = b.if(
      condition,
      () => [resultOf(b.body("then", { x }))],
      () => [resultOf(b.body("else", { x }))],
      Object.values(outputs),
    );
    return { y };
  },
  onnx: (_, { condition, x }, b) => {
    const [y = ""] = b.node("If", [toScalar(b, condition)], {
      then_branch: b.subgraph([], () => [resultOf(b.body("then", { x }))]),
      else_branch: b.subgraph([], () => [resultOf(b.body("else", { x }))]),
    });
    return { y };
  },
  torch: () => ({
    lines: ({ condition, x }, call) => [`if ${condition}:`, `    return ${call("then", { x: String(x) })}`, `return ${call("else", { x: String(x) })}`],
  }),
  cost: (_, __, { then, else: otherwise }) => ({ multiplyAdds: Math.max(then?.multiplyAdds ?? 0, otherwise?.multiplyAdds ?? 0) }),
  examples: [
    {
      inputs: { condition: { dtype: "bool", shape: [1] }, x: [2, 3] },
      // biome-ignore lint/suspicious/noThenProperty: the name of a role; what it holds is no function, so nothing takes it for a promise.
      bodies: { then: startBody({ type: "linear", params: { out_features: 4 } }), else: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) },
    },
  ],
});
