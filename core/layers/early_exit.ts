import type { Node } from "../graph/document.ts";
import type { TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { singleInputs } from "./composed.ts";
import { defineLayer, float32, type InputPorts, startBody } from "./kit.ts";
import { p } from "./params.ts";
import { gatheredTypes, onnxRoutes, rowsOf } from "./routing.ts";
import { byName, describeType, drawnBodies, inputNames, needOutput, portsIn, resultOf } from "./zone.ts";

const ROLES = ["exit", "rest"];
/** What a leaving sample takes along to the end: the scores of the exit. */
const LEFT = "scores of the exit";
const inputsOf = (node: Node) => inputNames(drawnBodies(node, ROLES));

const outputs = {
  y: { doc: "The final scores: the exit's for samples that leave, the rest's for the others. While training, the rest's for all." },
  exit: { doc: "The scores at the exit of all samples, for a loss of their own." },
  taken: { doc: "Which share of the batch the exit is sure of." },
};

export const earlyExit = defineLayer({
  type: "early_exit",
  title: "EarlyExit",
  category: "control",
  doc: "Lets a sample leave as soon as a small classifier on the way is sure of it; only the others go through the rest of the network.",
  keywords: ["branchynet", "dynamic", "anytime", "cascade", "adaptive computation", "confidence", "fast inference"],
  formula: "p = max softmax(exit(x)); y = exit(x) where p ≥ threshold, else rest(x)",
  when: "To answer easy samples fast. While training every sample goes all the way and y is the rest's, so give the output exit a loss of its own, or the exit learns nothing.",
  params: { threshold: p.float({ min: 0, max: 1, step: 0.01, default: 0.9, doc: "How sure the exit must be for a sample to leave." }) },
  inputs: { x: { doc: "The features at the exit.", dtype: "any" } } as InputPorts,
  outputs,
  bodies: {
    exit: { doc: "A small classifier: from the features to scores [B, classes].", start: startBody({ type: "flatten" }, { type: "linear", params: { out_features: 10 } }) },
    rest: {
      doc: "The rest of the network: from the same features to scores of the same classes.",
      start: startBody({ type: "flatten" }, { type: "linear", params: { out_features: 10 } }),
    },
  },
  ports: (node) => ({ inputs: portsIn(inputsOf(node)), outputs }),
  summary: ({ threshold }) => `leaves at ${threshold}`,
  infer: (_, given, bodies) => {
    const inputs = singleInputs<TensorType>(given);
    const rows = rowsOf("EarlyExit", inputs);
    if ("problem" in rows) return rows;
    const exit = bodies("exit", inputs);
    const rest = bodies("rest", rows.types);
    if (!exit || !rest) return null;
    if (!exit.y) return needOutput("EarlyExit", "exit");
    if (!rest.y) return needOutput("EarlyExit", "rest");
    const whole = gatheredTypes("EarlyExit", rows, { y: rest.y });
    if ("problem" in whole) return whole;
    const [scores, end] = [exit.y, resultOf(whole.types)];
    if (scores.dtype !== "float32" || scores.shape.length !== 2 || typeof scores.shape[1] !== "number" || scores.shape[0] !== rows.batch)
      return {
        problem: say("The exit of EarlyExit must give scores [{batch}, classes] but gives {scores}.", { batch: rows.batch, scores: describeType(scores) }),
        code: "GRAPH_BODY",
        hint: say("End it with Flatten and Linear."),
      };
    if (end.dtype !== scores.dtype || end.shape.join() !== scores.shape.join())
      return {
        problem: say("Both bodies of EarlyExit must give scores of the same classes, but exit gives {scores} and rest {end}.", {
          scores: describeType(scores),
          end: describeType(end),
        }),
        code: "GRAPH_BODY",
      };
    return { outputs: { y: end, exit: scores, taken: float32([]) } };
  },
  lower: ({ threshold }, given, b, { inputs: types, outputs }) => {
    const inputs = singleInputs(given);
    const rows = rowsOf("EarlyExit", singleInputs(types));
    if ("problem" in rows) throw new Error("A checked EarlyExit has samples.");
    const type = resultOf(outputs);
    const [batch = 1] = type.shape;
    const exit = resultOf(b.body("exit", inputs));
    const sure = b.call("aten::amax", [b.call("aten::softmax.int", [exit, 1], type), { ints: [1] }], float32([batch]));
    const ports = Object.keys(rows.types);
    const [y = exit] = b.if(
      { flag: "training" },
      () => [resultOf(b.body("rest", inputs))],
      () => {
        const stays = b.call("aten::lt.Scalar", [sure, threshold], { dtype: "bool", shape: [batch] });
        const index = b.call("aten::to.dtype", [stays, "int64"], { dtype: "int64", shape: [batch] });
        return b.switch(
          index,
          [exit, ...ports.map((port) => resultOf(inputs, port))],
          [float32([rows.own, ...type.shape.slice(1)]), ...ports.map((port) => resultOf(rows.types, port))],
          [([left = exit]) => [left], ([, ...some]) => [resultOf(b.body("rest", byName(ports, some)))]],
          [type],
        );
      },
      [type],
    );
    const leaves = b.call("aten::ge.Scalar", [sure, threshold], { dtype: "bool", shape: [batch] });
    const taken = b.call("aten::mean", [b.call("aten::to.dtype", [leaves, "float32"], float32([batch]))], float32([]));
    return { y, exit, taken };
  },
  onnx: ({ threshold }, given, b, { inputs: types, outputs }) => {
    const one = (op: string, inputs: string[], attributes?: Parameters<typeof b.node>[2]) => b.node(op, inputs, attributes)[0] ?? "";
    const inputs = singleInputs(given);
    const rows = rowsOf("EarlyExit", singleInputs(types));
    if ("problem" in rows) throw new Error("A checked EarlyExit has samples.");
    const type = resultOf(outputs);
    const exit = resultOf(b.body("exit", inputs));
    const sure = one("ReduceMax", [one("Softmax", [exit.name], { axis: 1 }), b.constant([1], [1], "int64")], { keepdims: 0 });
    const leaves = one("GreaterOrEqual", [sure, b.constant([threshold], [], "float32")]);
    const index = one("Cast", [one("Not", [leaves])], { to: 7 });
    const left = float32([rows.own, ...type.shape.slice(1)]);
    const [y = ""] = onnxRoutes(
      b,
      index,
      { ...inputs, [LEFT]: exit },
      { ...rows, types: { ...rows.types, [LEFT]: left } },
      [(some) => [resultOf(some, LEFT)], (some) => [resultOf(b.body("rest", some))]],
      [type],
    );
    return { y, exit: exit.name, taken: one("ReduceMean", [one("Cast", [leaves], { to: 1 })], { keepdims: 0 }) };
  },
  torch: ({ threshold }) => ({
    lines: (given, call, fresh) => {
      const inputs = singleInputs(given);
      const [exit, leaves, stays, y] = [fresh("exit"), fresh("leaves"), fresh("stays"), fresh("y")];
      const rest = call("rest", Object.fromEntries(Object.entries(inputs).map(([port, variable]) => [port, `${variable}[${stays}]`])));
      return [
        `${exit} = ${call("exit", inputs)}`,
        `${leaves} = torch.softmax(${exit}, 1).amax(1) >= ${threshold}`,
        "if self.training:",
        `    ${y} = ${call("rest", inputs)}`,
        "else:",
        `    ${y} = ${exit}.clone()`,
        `    ${stays} = (~${leaves}).nonzero().squeeze(1)`,
        `    if ${stays}.numel() > 0:`,
        `        ${y}[${stays}] = ${rest}`,
        `return ${y}, ${exit}, ${leaves}.float().mean()`,
      ];
    },
  }),
  examples: [
    {
      params: { threshold: 0.4 },
      inputs: { x: [4, 3] },
      bodies: {
        exit: startBody({ type: "linear", params: { out_features: 4 } }),
        rest: startBody({ type: "linear", params: { out_features: 8 } }, { type: "relu" }, { type: "linear", params: { out_features: 4 } }),
      },
    },
  ],
});
