import type { Node } from "../graph/document.ts";
import type { TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { singleInputs, sketchBody } from "./composed.ts";
import { defineLayer, type InputPorts, isOneElement, startBody } from "./kit.ts";
import { batchOf, byOutput, carryProblem, inLoopOrder, loopArguments, loopPorts, loopVariables, readLoop, startNames, startValues, turnArguments } from "./loop.ts";
import { p } from "./params.ts";
import { needCondition, needOutput, resultOf, toScalar } from "./zone.ts";

const loopOf = (node: Node) => readLoop(node, { title: "While", own: {}, roles: ["condition", "body"], hasIndex: false });

export const whileZone = defineLayer({
  type: "while",
  title: "While",
  category: "control",
  doc: "Sends x through its body again and again for as long as its condition holds: the number of turns depends on the data.",
  keywords: ["loop", "dynamic", "adaptive computation", "iterate", "carry"],
  formula: "while condition(x): x ← body(x); y = x",
  when: "Where the data decide how long to compute, as in adaptive computation time. The condition is asked once for the whole batch; with a known number of turns Repeat is simpler.",
  params: {
    max_iterations: p.int({ min: 1, max: 10_000, default: 16, doc: "It takes so many turns at most." }),
    at_limit: p.choice({
      options: ["stop", "fail"],
      default: "stop",
      doc: "What happens where the condition still holds after that: it stops there, or the run fails with LOOP_LIMIT at this node. An ONNX file always stops.",
    }),
  },
  inputs: { x: { doc: "What goes round.", dtype: "any" } } as InputPorts,
  bodies: {
    condition: { doc: "Asked before each turn: gives a single true or false as y.", start: startBody({ type: "mean", params: { dim: [] } }, { type: "greater" }) },
    body: { doc: "One turn. An Input and an Output of one name go round, as x and y do; another Input stays as it is.", start: startBody() },
  },
  carries: (node) => loopOf(node).carries,
  ports: (node) => loopPorts(loopOf(node), {}, { carry: say("What came round last."), item: say("What came last.") }),
  summary: ({ max_iterations }) => `up to ${max_iterations} times`,
  infer: (_, given, bodies, node) => {
    const loop = loopOf(node);
    const inputs = singleInputs<TensorType>(given);
    const batch = batchOf(inputs);
    const read = loopArguments(loop, inputs, batch && (inputs[batch.port]?.shape[0] ?? null));
    if ("problem" in read) return read;
    const condition = bodies("condition", read.args);
    const body = bodies("body", read.args);
    if (!condition || !body) return null;
    if (!condition.y) return needOutput("While", "condition");
    if (condition.y.dtype !== "bool" || !isOneElement(condition.y)) return needCondition("The condition of While", condition.y);
    const wrong = carryProblem(loop, read.args, body);
    if (wrong) return wrong;
    const [lone] = loop.items;
    if (lone !== undefined)
      return {
        problem: say("{lone} of While has nowhere to go: it has no Input of that name in the body.", { lone }),
        code: "GRAPH_BODY",
        hint: say("How many turns there are is not known before, so everything goes round. Add an Input named {which} inside.", { which: lone === "y" ? "x" : lone }),
      };
    return { outputs: byOutput(loop, inLoopOrder(loop, body)) };
  },
  lower: ({ max_iterations, at_limit }, given, b, { inputs: types, outputs }, node) => {
    const loop = loopOf(node);
    const inputs = singleInputs(given);
    const results = b.while(
      startValues(loop, inputs, b, outputs, batchOf(singleInputs(types))),
      (carried) => resultOf(b.body("condition", turnArguments(loop, inputs, carried))),
      (carried) => inLoopOrder(loop, b.body("body", turnArguments(loop, inputs, carried))),
      { maxIterations: max_iterations, limit: at_limit },
    );
    return byOutput(loop, results);
  },
  onnx: ({ max_iterations }, given, b, { inputs: types, outputs }, node) => {
    const loop = loopOf(node);
    const inputs = singleInputs(given);
    const init = startNames(loop, inputs, b, outputs, batchOf(singleInputs(types)));
    const ask = (carried: typeof init) => toScalar(b, resultOf(b.body("condition", turnArguments(loop, inputs, carried))));
    const start = ask(init);
    const bool = { dtype: "bool" as const, shape: [] };
    const turn = b.subgraph([{ dtype: "int64", shape: [] }, bool, ...init.map(({ type }) => type)], ([, , ...carried]) => {
      const next = inLoopOrder(loop, b.body("body", turnArguments(loop, inputs, carried)));
      return [{ name: ask(next), type: bool }, ...next];
    });
    return byOutput(loop, b.node("Loop", [b.constant([max_iterations], [], "int64"), start, ...init.map(({ name }) => name)], { body: turn }, init.length));
  },
  torch: ({ max_iterations, at_limit }, types, node) => ({
    lines: (given, call, fresh) => {
      const loop = loopOf(node);
      const inputs = singleInputs(given);
      const { before, carried, left, results } = loopVariables(loop, inputs, fresh, types, batchOf(singleInputs(types.inputs)));
      return [
        ...before,
        `for _ in range(${max_iterations}):`,
        `    if not ${call("condition", turnArguments(loop, inputs, carried))}:`,
        "        break",
        `    ${left()} = ${call("body", turnArguments(loop, inputs, carried))}`,
        ...(at_limit === "fail"
          ? [
              "else:",
              `    if ${call("condition", turnArguments(loop, inputs, carried))}:`,
              `        raise RuntimeError("The loop still wanted to go on after ${max_iterations} turns.")`,
            ]
          : []),
        `return ${results((list) => list)}`,
      ];
    },
  }),
  cost: ({ max_iterations }, _, { condition, body }) => ({ multiplyAdds: max_iterations * ((condition?.multiplyAdds ?? 0) + (body?.multiplyAdds ?? 0)) }),
  examples: [
    {
      params: { max_iterations: 200, at_limit: "fail" },
      inputs: { x: [2, 3] },
      bodies: {
        condition: startBody({ type: "mean", params: { dim: [] } }, { type: "greater", params: { value: 0.2 } }),
        body: startBody({ type: "tanh" }),
      },
    },
    {
      params: { max_iterations: 5 },
      inputs: { x: [2, 3] },
      bodies: {
        condition: startBody({ type: "mean", params: { dim: [] } }, { type: "greater", params: { value: -0.2 } }),
        body: startBody({ type: "linear", params: { out_features: 3 } }, { type: "tanh" }),
      },
    },
    {
      params: { max_iterations: 4 },
      inputs: { x: [2, 3], total: [2, 3], step: [2, 3] },
      bodies: {
        condition: sketchBody(["total"], { mean: ["mean", { dim: [] }], less: ["less", { value: 1.5 }] }, { y: "less" }),
        body: sketchBody(
          ["x", "total", "step"],
          { fc: ["linear", { out_features: 3 }], tanh: ["tanh"], more: ["add", {}, { a: "total", b: "step" }], sum: ["add", {}, { a: "more", b: "tanh" }] },
          { x: "tanh", total: "sum" },
        ),
      },
    },
  ],
});
