import { defineLayer, isSameType, startBody } from "./kit.ts";
import { p } from "./params.ts";
import { describeType, needOutput, resultOf } from "./zone.ts";

const MAX_TIMES = 10_000;

export const repeatZone = defineLayer({
  type: "repeat",
  title: "Repeat",
  category: "control",
  doc: "Sends x through its body several times with the same weights, a fixed number of times, or as often as the data says.",
  keywords: ["loop", "for", "stack", "iterate", "share weights"],
  params: { times: p.int({ min: 0, max: MAX_TIMES, default: 4, doc: "How many turns, while times is not connected." }) },
  inputs: { x: { doc: "What goes round.", dtype: "any" }, times: { doc: "How many turns; of several numbers the greatest counts.", dtype: "int64", optional: true } },
  bodies: { body: { doc: "One turn: from x to y of the same shape.", start: startBody() } },
  summary: ({ times }) => `${times} times`,
  infer: (_, { x }, bodies) => {
    const body = bodies("body", { x });
    if (!body) return null;
    if (!body.y) return needOutput("Repeat", "body");
    if (!isSameType(body.y, x)) return { problem: `The body of Repeat must give what it takes, ${describeType(x)}, but gives ${describeType(body.y)}.`, code: "GRAPH_BODY" };
    return { outputs: { y: x } };
  },
  lower: ({ times: fixed }, { x, times }, b) => {
    const [y = x] = b.repeat([x], times ? b.call("aten::max", [times], { dtype: "int64", shape: [] }) : fixed, ([carried = x]) => [resultOf(b.body("body", { x: carried }))], {
      maxIterations: MAX_TIMES,
    });
    return { y };
  },
  onnx: ({ times: fixed }, { x, times }, b) => {
    const bool = { dtype: "bool" as const, shape: [] };
    const turn = b.subgraph([{ dtype: "int64", shape: [] }, bool, x.type], ([, goesOn, carried = x]) => [
      { name: b.node("Identity", [goesOn?.name ?? ""])[0] ?? "", type: bool },
      resultOf(b.body("body", { x: carried })),
    ]);
    const count = times ? (b.node("ReduceMax", [times.name], { keepdims: 0 })[0] ?? "") : b.constant([fixed], [], "int64");
    const [y = ""] = b.node("Loop", [count, null, x.name], { body: turn });
    return { y };
  },
  torch: ({ times: fixed }) => ({
    lines: ({ x, times }, call) => [`for _ in range(${times === undefined ? fixed : `int(${times}.max())`}):`, `    ${x} = ${call("body", { x: String(x) })}`, `return ${x}`],
  }),
  cost: ({ times }, _, { body }) => ({ multiplyAdds: times * (body?.multiplyAdds ?? 0) }),
  examples: [
    { params: { times: 3 }, inputs: { x: [2, 4] }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) } },
    { inputs: { x: [2, 4], times: { dtype: "int64", shape: [2] } }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) } },
  ],
});
