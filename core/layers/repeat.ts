import type { Node } from "../graph/document.ts";
import type { TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { singleInputs, sketchBody } from "./composed.ts";
import { defineLayer, type InputPorts, startBody } from "./kit.ts";
import { batchOf, byOutput, carryProblem, inLoopOrder, loopArguments, loopPorts, loopVariables, moveFirstAxis, readLoop, startNames, startValues, turnArguments } from "./loop.ts";
import { p } from "./params.ts";
import { describeType } from "./zone.ts";

const MAX_TIMES = 10_000;
const INDEX: TensorType = { dtype: "int64", shape: [] };
/** Items of the turns lie side by side here, behind the batch. */
const ITEM_AXIS = 1;

const own: InputPorts = { times: { doc: "How many turns; of several numbers the greatest counts.", dtype: "int64", optional: true } };
const loopOf = (node: Node) => readLoop(node, { title: "Repeat", own, roles: ["body"], hasIndex: true });

export const repeatZone = defineLayer({
  type: "repeat",
  title: "Repeat",
  category: "control",
  doc: "Sends x through its body several times with the same weights, a fixed number of times, or as often as the data says.",
  keywords: ["loop", "for", "stack", "iterate", "share weights", "carry"],
  formula: "x ← body(x), times over; y = x",
  when: "For refinement, message passing or weight sharing in depth. Where each turn needs its own weights use Stack; where the data decides when to stop, While.",
  params: { times: p.int({ min: 0, max: MAX_TIMES, default: 4, doc: "How many turns, while times is not connected." }) },
  inputs: { x: { doc: "What goes round.", dtype: "any" }, ...own } as InputPorts,
  bodies: {
    body: {
      doc: "One turn. An Input and an Output of one name go round, as x and y do; another Input stays as it is, one named index counts turns; another Output is collected.",
      start: startBody(),
    },
  },
  carries: (node) => loopOf(node).carries,
  ports: (node) => loopPorts(loopOf(node), own, { carry: say("What came round last."), item: say("Of every turn one, side by side along axis 1.") }),
  summary: ({ times }) => `${times} times`,
  infer: ({ times: fixed }, given, bodies, node) => {
    const loop = loopOf(node);
    const { times, ...inputs } = singleInputs<TensorType>(given);
    const batch = batchOf(inputs);
    const read = loopArguments(loop, inputs, batch && (inputs[batch.port]?.shape[0] ?? null));
    if ("problem" in read) return read;
    const { args } = read;
    const results = bodies("body", { ...args, index: INDEX });
    if (!results) return null;
    const wrong = carryProblem(loop, args, results);
    if (wrong) return wrong;
    const outputs: { [port: string]: TensorType } = {};
    for (const { output } of loop.carries) if (results[output]) outputs[output] = results[output];
    for (const name of loop.items) {
      const item = results[name];
      if (!item) continue;
      if (times)
        return {
          problem: say("{name} of Repeat would hold one item for each turn, and how many there are is known only at run time.", { name }),
          code: "GRAPH_BODY",
          hint: say("Give the body an Input named {name}, so that it goes round, or set times as a number.", { name }),
        };
      if (fixed === 0) return { problem: say("{name} of Repeat holds one item for each turn, and there is none.", { name }), code: "GRAPH_PARAM", param: "times" };
      if (item.shape.length < ITEM_AXIS)
        return {
          problem: say("{name} of Repeat is collected behind the batch, but is {item}.", { name, item: describeType(item) }),
          code: "GRAPH_BODY",
          hint: say("Keep the batch axis."),
        };
      outputs[name] = { dtype: item.dtype, shape: item.shape.toSpliced(ITEM_AXIS, 0, fixed) };
    }
    return { outputs };
  },
  lower: ({ times: fixed }, given, b, { inputs: types, outputs }, node) => {
    const loop = loopOf(node);
    const { times, ...inputs } = singleInputs(given);
    const { times: _, ...inputTypes } = singleInputs(types);
    const results = b.repeat(
      startValues(loop, inputs, b, outputs, batchOf(inputTypes)),
      times ? b.call("aten::max", [times], { dtype: "int64", shape: [] }) : fixed,
      (carried, index) => inLoopOrder(loop, b.body("body", turnArguments(loop, inputs, carried, { index }))),
      { maxIterations: MAX_TIMES, stack: loop.items.flatMap((name) => (outputs[name] ? [{ axis: ITEM_AXIS, type: outputs[name] }] : [])) },
    );
    return byOutput(loop, results);
  },
  onnx: ({ times: fixed }, given, b, { inputs: types, outputs }, node) => {
    const loop = loopOf(node);
    const { times, ...inputs } = singleInputs(given);
    const { times: _, ...inputTypes } = singleInputs(types);
    const init = startNames(loop, inputs, b, outputs, batchOf(inputTypes));
    const bool = { dtype: "bool" as const, shape: [] };
    const turn = b.subgraph([INDEX, bool, ...init.map(({ type }) => type)], ([index, goesOn, ...carried]) => [
      { name: b.node("Identity", [goesOn?.name ?? ""])[0] ?? "", type: bool },
      ...inLoopOrder(loop, b.body("body", turnArguments(loop, inputs, carried, index && { index }))),
    ]);
    const count = times ? (b.node("ReduceMax", [times.name], { keepdims: 0 })[0] ?? "") : b.constant([fixed], [], "int64");
    const results = b.node("Loop", [count, null, ...init.map(({ name }) => name)], { body: turn }, init.length + loop.items.length);
    return byOutput(
      loop,
      results.map((name, i) => (i < init.length ? name : moveFirstAxis(b, name, ITEM_AXIS, outputs[loop.items[i - init.length] ?? ""]?.shape.length ?? 0))),
    );
  },
  torch: ({ times: fixed }, types, node) => ({
    lines: (given, call, fresh) => {
      const loop = loopOf(node);
      const { times, ...inputs } = singleInputs(given);
      const { times: _, ...inputTypes } = singleInputs(types.inputs);
      const { before, carried, items, left, results } = loopVariables(loop, inputs, fresh, types, batchOf(inputTypes));
      const index = fresh("turn");
      const some = Object.values(inputs)[0];
      const body = call("body", turnArguments(loop, inputs, carried, { index: `torch.tensor(${index}, device=${some}.device)` }));
      return [
        ...before,
        `for ${body.includes(`(${index},`) ? index : "_"} in range(${times === undefined ? fixed : `int(${times}.max())`}):`,
        `    ${left()} = ${body}`,
        ...items.map(({ list, item }) => `    ${list}.append(${item})`),
        `return ${results((list) => `torch.stack(${list}, ${ITEM_AXIS})`)}`,
      ];
    },
  }),
  cost: ({ times }, _, { body }) => ({ multiplyAdds: times * (body?.multiplyAdds ?? 0) }),
  examples: [
    { params: { times: 3 }, inputs: { x: [2, 4] }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) } },
    {
      params: { times: 2 },
      inputs: { x: [2, 4], memory: [2, 4], bias: [2, 4] },
      bodies: {
        body: sketchBody(
          ["x", "memory", "bias", "index"],
          {
            sum: ["add", {}, { a: "x", b: "memory" }],
            fc: ["linear", { out_features: 4 }],
            shifted: ["add", {}, { a: "fc", b: "bias" }],
            turn: ["cast", {}, "index"],
            numbered: ["add", {}, { a: "shifted", b: "turn" }],
            tanh: ["tanh"],
          },
          { y: "tanh", memory: "sum", seen: "numbered" },
        ),
      },
    },
    { inputs: { x: [2, 4], times: { dtype: "int64", shape: [2] } }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) } },
  ],
});
