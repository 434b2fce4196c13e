import { defineLayer, isOneElement, isSameType, startBody } from "./kit.ts";
import { p } from "./params.ts";
import { describeType, needCondition, needOutput, resultOf, toScalar } from "./zone.ts";

export const whileZone = defineLayer({
  type: "while",
  title: "While",
  category: "control",
  doc: "Sends x through its body again and again for as long as its condition holds: the number of turns depends on the data.",
  keywords: ["loop", "dynamic", "adaptive computation", "iterate"],
  params: { max_iterations: p.int({ min: 1, max: 10_000, default: 16, doc: "It stops after so many turns at the latest." }) },
  inputs: { x: { doc: "What goes round.", dtype: "any" } },
  bodies: {
    condition: { doc: "Asked before each turn: from x to a single true or false.", start: startBody({ type: "mean", params: { dim: [] } }, { type: "greater" }) },
    body: { doc: "One turn: from x to y of the same shape.", start: startBody() },
  },
  summary: ({ max_iterations }) => `up to ${max_iterations} times`,
  infer: (_, { x }, bodies) => {
    const condition = bodies("condition", { x });
    const body = bodies("body", { x });
    if (!condition || !body) return null;
    if (!condition.y) return needOutput("While", "condition");
    if (condition.y.dtype !== "bool" || !isOneElement(condition.y)) return needCondition("The condition of While", condition.y);
    if (!body.y) return needOutput("While", "body");
    if (!isSameType(body.y, x)) return { problem: `The body of While must give what it takes, ${describeType(x)}, but gives ${describeType(body.y)}.`, code: "GRAPH_BODY" };
    return { outputs: { y: x } };
  },
  lower: ({ max_iterations }, { x }, b) => {
    const [y = x] = b.while(
      [x],
      ([carried = x]) => resultOf(b.body("condition", { x: carried })),
      ([carried = x]) => [resultOf(b.body("body", { x: carried }))],
      { maxIterations: max_iterations, limit: "stop" },
    );
    return { y };
  },
  onnx: ({ max_iterations }, { x }, b) => {
    const start = toScalar(b, resultOf(b.body("condition", { x })));
    const bool = { dtype: "bool" as const, shape: [] };
    const turn = b.subgraph([{ dtype: "int64", shape: [] }, bool, x.type], ([, , carried = x]) => {
      const next = resultOf(b.body("body", { x: carried }));
      return [{ name: toScalar(b, resultOf(b.body("condition", { x: next }))), type: bool }, next];
    });
    const [y = ""] = b.node("Loop", [b.constant([max_iterations], [], "int64"), start, x.name], { body: turn });
    return { y };
  },
  torch: ({ max_iterations }) => ({
    lines: ({ x }, call) => [
      `for _ in range(${max_iterations}):`,
      `    if not ${call("condition", { x: String(x) })}:`,
      "        break",
      `    ${x} = ${call("body", { x: String(x) })}`,
      `return ${x}`,
    ],
  }),
  cost: ({ max_iterations }, _, { condition, body }) => ({ multiplyAdds: max_iterations * ((condition?.multiplyAdds ?? 0) + (body?.multiplyAdds ?? 0)) }),
  examples: [
    {
      params: { max_iterations: 5 },
      inputs: { x: [2, 3] },
      bodies: {
        condition: startBody({ type: "mean", params: { dim: [] } }, { type: "greater", params: { value: -0.2 } }),
        body: startBody({ type: "linear", params: { out_features: 3 } }, { type: "tanh" }),
      },
    },
  ],
});
