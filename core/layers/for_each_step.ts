import { evaluate } from "../graph/dims.ts";
import type { Body, Node } from "../graph/document.ts";
import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { singleInputs, sketchBody } from "./composed.ts";
import { defineLayer, type InferProblem, type InputPorts, type OnnxBuilder, type ProgramBuilder, startBody, type Value } from "./kit.ts";
import {
  type Batch,
  byOutput,
  carryProblem,
  inLoopOrder,
  type Loop,
  loopArguments,
  loopPorts,
  loopVariables,
  outputsOf,
  readLoop,
  startNames,
  startValues,
  turnArguments,
} from "./loop.ts";
import { p } from "./params.ts";
import { describeType, drawnBodies, inputNames } from "./zone.ts";

const MAX_STEPS = 10_000;
const INDEX: TensorType = { dtype: "int64", shape: [] };

const sequence: InputPorts = { x: { doc: "The sequence, [B, T, ...].", dtype: "any" } };
const own: InputPorts = {
  lengths: { doc: "How many steps of each sample count: behind them what goes round stays, and what is collected is 0.", dtype: "int64", optional: true },
};
const loopOf = (node: Node) => readLoop(node, { title: "ForEachStep", own, roles: ["body"], takesSteps: true, hasIndex: true });
/** Of a sequence cut along `dim` the batch is the first axis that is left. */
const batchAxis = (dim: number): Batch => ({ port: "x", axis: dim === 0 ? 1 : 0 });

export const forEachStep = defineLayer({
  type: "for_each_step",
  title: "ForEachStep",
  category: "control",
  doc: "Runs its body on each step of a sequence in turn; what it remembers goes round, what it says at each step is collected.",
  keywords: ["loop", "scan", "recurrent", "rnn", "cell", "sequence", "time", "carry", "lengths", "for"],
  formula: "h ← body(x[:, t], h); y[:, t] = what the body gives",
  when: "To build a recurrent cell of your own, or to compute step by step. LSTM and GRU are there ready-made and faster, and Conv1d or attention see all steps at once.",
  params: {
    dim: p.int({ min: 0, max: 7, default: 1, doc: "The axis of the steps." }),
    reverse: p.bool({ default: false, doc: "From the last step to the first; what is collected keeps its place." }),
  },
  inputs: { ...sequence, ...own } as InputPorts,
  outputs: { y: { doc: "What the body gives at every step, along the axis of the steps." } },
  bodies: {
    body: {
      doc: "One step as x. An Input and an Output of one name go round and start at what is connected, else at zeros of the Input's shape; another Input stays as it is, one named index counts steps; another Output is collected.",
      start: startBody(),
    },
  },
  carries: (node) => loopOf(node).carries,
  ports: (node) => {
    const { inputs, outputs } = loopPorts(loopOf(node), own, {
      carry: say("What it is after the last step."),
      item: say("What the body gives at every step, along the axis of the steps."),
    });
    return { inputs: { ...sequence, ...inputs }, outputs };
  },
  summary: ({ dim, reverse }) => [...(dim === 1 ? [] : [`along axis ${dim}`]), ...(reverse ? ["backwards"] : [])].join(", "),
  infer: ({ dim }, given, bodies, node) => {
    const loop = loopOf(node);
    const { x, lengths, ...inputs } = singleInputs<TensorType>(given);
    if (!x) return null;
    const steps = x.shape[dim];
    if (steps === undefined || x.shape.length < 2)
      return {
        problem: say("ForEachStep goes along axis {dim} of a sequence that has a batch too, but receives {shape}.", { dim, shape: printShape(x.shape) }),
        port: "x",
        fixes: x.shape.length >= 2 ? [{ kind: "set-param", label: say("Go along axis 1"), name: "dim", value: 1 }] : [],
      };
    const step: TensorType = { dtype: x.dtype, shape: x.shape.toSpliced(dim, 1) };
    const [batch = 1] = step.shape;
    if (lengths && (lengths.shape.length !== 1 || lengths.shape[0] !== batch))
      return { problem: say("lengths must hold one number for each sample, [{batch}], but is {shape}.", { batch, shape: printShape(lengths.shape) }), port: "lengths" };
    const read = loopArguments(loop, inputs, batch);
    if ("problem" in read) return read;
    const results = bodies("body", { ...read.args, x: step, index: INDEX });
    if (!results) return null;
    const wrong = carryProblem(loop, read.args, results) ?? (lengths ? needBatch(loop, results, batch) : null);
    if (wrong) return wrong;
    const outputs: { [port: string]: TensorType } = {};
    for (const { output } of loop.carries) if (results[output]) outputs[output] = results[output];
    for (const name of loop.items) {
      const item = results[name];
      if (!item) continue;
      if (item.shape.length < dim)
        return {
          problem: say("{name} of ForEachStep is collected along axis {dim}, but each step gives {item}.", { name, dim, item: describeType(item) }),
          code: "GRAPH_BODY",
          hint: say("Keep the batch axis."),
        };
      outputs[name] = { dtype: item.dtype, shape: item.shape.toSpliced(dim, 0, steps) };
    }
    return { outputs };
  },
  lower: ({ dim, reverse }, given, b, { outputs }, node) => {
    const loop = loopOf(node);
    const { x, lengths, ...inputs } = singleInputs(given);
    if (!x) throw new Error("A checked ForEachStep has a sequence.");
    const results = b.repeat(
      startValues(loop, { ...inputs, x }, b, outputs, batchAxis(dim)),
      { size: [x, dim] },
      (carried, index, [step = x]) => {
        const next = inLoopOrder(loop, b.body("body", turnArguments(loop, inputs, carried, { x: step, index })));
        return lengths ? keepWithin(b, index, lengths, carried, next) : next;
      },
      {
        maxIterations: MAX_STEPS,
        scan: [{ value: x, axis: dim }],
        stack: loop.items.flatMap((name) => (outputs[name] ? [{ axis: dim, type: outputs[name] }] : [])),
        reverse,
      },
    );
    return byOutput(loop, results);
  },
  onnx: ({ dim, reverse }, given, b, { outputs }, node) => {
    const loop = loopOf(node);
    const { x, lengths, ...inputs } = singleInputs(given);
    if (!x) throw new Error("A checked ForEachStep has a sequence.");
    const init = startNames(loop, { ...inputs, x }, b, outputs, batchAxis(dim));
    const direction = reverse ? 1 : 0;
    // ONNX's Scan does not count its steps, so a number goes round.
    const counts = lengths !== undefined || inputNames(drawnBodies(node, ["body"])).includes("index");
    const start = counts ? [{ name: reverse ? lastIndex(b, x.name, dim) : b.constant([0], [], "int64"), type: INDEX }] : [];
    const slice: TensorType = { dtype: x.type.dtype, shape: x.type.shape.toSpliced(dim, 1) };
    const body = b.subgraph([...start.map(({ type }) => type), ...init.map(({ type }) => type), slice], (all) => {
      const index = counts ? all[0] : undefined;
      const carried = all.slice(start.length, -1);
      const step = all.at(-1);
      let next = inLoopOrder(loop, b.body("body", turnArguments(loop, inputs, carried, { ...(step ? { x: step } : {}), ...(index ? { index } : {}) })));
      if (index && lengths) {
        const on = b.node("Less", [index.name, lengths.name])[0] ?? "";
        next = next.map((value, i) => {
          const rank = value.type.shape.length;
          const mask =
            rank === 1
              ? on
              : (b.node("Unsqueeze", [
                  on,
                  b.constant(
                    Array.from({ length: rank - 1 }, (_, axis) => axis + 1),
                    [rank - 1],
                    "int64",
                  ),
                ])[0] ?? "");
          return { name: b.node("Where", [mask, value.name, carried[i]?.name ?? b.constant([0], [], value.type.dtype)])[0] ?? "", type: value.type };
        });
      }
      return [...(index ? [{ name: b.node(reverse ? "Sub" : "Add", [index.name, b.constant([1], [], "int64")])[0] ?? "", type: INDEX }] : []), ...next];
    });
    const results = b.node(
      "Scan",
      [...start, ...init, x].map(({ name }) => name),
      {
        body,
        num_scan_inputs: 1,
        scan_input_axes: [dim],
        scan_input_directions: [direction],
        ...(loop.items.length > 0 ? { scan_output_axes: loop.items.map(() => dim), scan_output_directions: loop.items.map(() => direction) } : {}),
      },
      start.length + outputsOf(loop).length,
    );
    return byOutput(loop, results.slice(start.length));
  },
  torch: ({ dim, reverse }, types, node) => ({
    lines: (given, call, fresh) => {
      const loop = loopOf(node);
      const { x, lengths, ...inputs } = singleInputs(given);
      const { before, carried, items, left, results } = loopVariables(loop, { ...inputs, x: String(x) }, fresh, types, batchAxis(dim));
      const index = fresh("t");
      const on = fresh("on");
      const renamed = new Map(lengths === undefined ? [] : carried.map((variable) => [variable, fresh(`new_${variable}`)]));
      const mask = (rank: number) => `${on}${rank > 1 ? `[:${", None".repeat(rank - 1)}]` : ""}`;
      return [
        ...before,
        `for ${index} in ${reverse ? `range(${x}.shape[${dim}] - 1, -1, -1)` : `range(${x}.shape[${dim}])`}:`,
        `    ${left((variable) => renamed.get(variable) ?? variable)} = ${call("body", turnArguments(loop, inputs, carried, { x: `${x}.select(${dim}, ${index})`, index: `torch.tensor(${index}, device=${x}.device)` }))}`,
        ...(lengths === undefined ? [] : [`    ${on} = ${index} < ${lengths}`]),
        ...loop.carries.flatMap(({ output }, i) => {
          const [variable, next] = [carried[i] ?? "", renamed.get(carried[i] ?? "")];
          return next === undefined ? [] : [`    ${variable} = torch.where(${mask(types.outputs[output]?.shape.length ?? 1)}, ${next}, ${variable})`];
        }),
        ...items.map(({ name, list, item }) => {
          const rank = (types.outputs[name]?.shape.length ?? 2) - 1;
          return `    ${list}.append(${lengths === undefined ? item : `${item}.masked_fill(~${mask(rank)}, 0)`})`;
        }),
        `return ${results((list) => `torch.stack(${list}${reverse ? "[::-1]" : ""}, ${dim})`)}`,
      ];
    },
  }),
  cost: ({ dim }, { inputs }, { body }) => {
    const { x } = singleInputs<TensorType>(inputs);
    return { multiplyAdds: evaluate(x?.shape[dim] ?? 1, 1) * (body?.multiplyAdds ?? 0) };
  },
  examples: [
    { inputs: { x: [2, 5, 3] }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) } },
    {
      params: { dim: 2, reverse: true },
      inputs: { x: [2, 3, 4], lengths: { dtype: "int64", shape: [2] } },
      bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }) },
    },
    { params: { reverse: true }, inputs: { x: [2, 5, 3] }, bodies: { body: averagingBody() } },
    {
      inputs: { x: [2, 4, 3], h: [2, 3], bias: [2, 3] },
      bodies: {
        body: sketchBody(
          ["x", "h", "bias", "index"],
          {
            sum: ["add", {}, { a: "x", b: "h" }],
            fc: ["linear", { out_features: 3 }],
            shifted: ["add", {}, { a: "fc", b: "bias" }],
            place: ["cast", {}, "index"],
            numbered: ["add", {}, { a: "shifted", b: "place" }],
            tanh: ["tanh"],
            level: ["mean", { dim: [1] }],
          },
          { h: "tanh", y: "numbered", level: "level" },
        ),
      },
    },
  ],
});

/** Where lengths are given, samples are told apart by the first axis. */
function needBatch(loop: Loop, results: { [name: string]: TensorType }, batch: TensorType["shape"][number]): InferProblem | null {
  for (const name of outputsOf(loop)) {
    const type = results[name];
    if (type && type.shape[0] !== batch)
      return {
        problem: say("With lengths, {name} of ForEachStep must hold one row for each sample, but is {type}.", { name, type: describeType(type) }),
        code: "GRAPH_BODY",
        hint: say("Keep the batch as the first axis."),
      };
  }
  return null;
}

/** Behind a sample's last step what goes round keeps its value, and items are 0. */
function keepWithin(b: ProgramBuilder, index: Value, lengths: Value, carried: Value[], next: Value[]): Value[] {
  const on = b.call("aten::lt.Tensor", [index, lengths], { dtype: "bool", shape: lengths.type.shape });
  const off = next.length > carried.length ? b.call("aten::logical_not", [on], on.type) : on;
  const beside = (mask: Value, rank: number) =>
    rank === 1
      ? mask
      : b.call("aten::reshape", [mask, { ints: [-1, ...Array<number>(rank - 1).fill(1)] }], { dtype: "bool", shape: [...mask.type.shape, ...Array<number>(rank - 1).fill(1)] });
  return next.map((value, i) => {
    const before = carried[i];
    const rank = value.type.shape.length;
    return before ? b.call("aten::where.self", [beside(on, rank), value, before], value.type) : b.call("aten::masked_fill.Scalar", [value, beside(off, rank), 0], value.type);
  });
}

function lastIndex(b: OnnxBuilder, x: string, dim: number): string {
  const [steps = ""] = b.node("Shape", [x], { start: dim, end: dim + 1 });
  const [count = ""] = b.node("Reshape", [steps, b.constant([], [0], "int64")]);
  return b.node("Sub", [count, b.constant([1], [], "int64")])[0] ?? "";
}

/** Keeps a running state h, which starts at zeros, and says it at every step. */
function averagingBody(): Body {
  const at = (row: number) => ({ x: 0, y: row * 96 });
  const wire = (id: string, from: string, to: string, port = "x") => ({ id, from: { node: from, port: "y" }, to: { node: to, port } });
  return {
    nodes: [
      { id: "input_1", type: "input", params: {}, at: at(0) },
      { id: "h_in", type: "input", name: "h", params: { shape: [3] }, at: at(1) },
      { id: "add_1", type: "add", params: {}, at: at(2) },
      { id: "tanh_1", type: "tanh", params: {}, at: at(3) },
      { id: "h_out", type: "output", name: "h", params: {}, at: at(4) },
      { id: "output_1", type: "output", params: {}, at: at(5) },
    ],
    edges: [
      wire("wire_1", "input_1", "add_1", "a"),
      wire("wire_2", "h_in", "add_1", "b"),
      wire("wire_3", "add_1", "tanh_1"),
      wire("wire_4", "tanh_1", "h_out"),
      wire("wire_5", "tanh_1", "output_1"),
    ],
  };
}
