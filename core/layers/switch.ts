import type { Node } from "../graph/document.ts";
import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { singleInputs, sketchBody } from "./composed.ts";
import { defineLayer, type InputPorts, startBody } from "./kit.ts";
import { p, readParams } from "./params.ts";
import { gatheredTypes, onnxRoutes, rowsOf } from "./routing.ts";
import { byName, drawnBodies, inputNames, nameTaken, outputNames, portsIn, portsOut, resultOf, sameResults } from "./zone.ts";

const MAX_CASES = 16;
const own: InputPorts = { index: { doc: "For each sample the number of its case, from 0.", dtype: "int64" } };
const params = { cases: p.int({ min: 2, max: MAX_CASES, default: 2, doc: "How many bodies there are to choose from." }) };

function rolesOf(node: Node): string[] {
  return Array.from({ length: readParams(params, node.params).values.cases as number }, (_, i) => `case_${i}`);
}
const casesOf = (node: Node) => drawnBodies(node, rolesOf(node));
const resultsOf = (node: Node) => outputNames(casesOf(node)[0]);

export const switchZone = defineLayer({
  type: "switch",
  title: "Switch",
  category: "control",
  doc: "Sends each sample of a batch through one of several bodies, whichever its index names: experts, of which each computes only its own samples.",
  keywords: ["case", "route", "router", "mixture of experts", "branch", "per sample", "gather", "scatter", "dynamic"],
  formula: "y[i] = case_k(x[i]) where k = index[i]",
  when: "Where samples of one batch need different treatment, as in routed experts or trees. The choice itself has no gradient: weigh the result by the router's probability to train it. For one choice for the whole batch use If.",
  params,
  inputs: { x: { doc: "The samples.", dtype: "any" }, ...own } as InputPorts,
  bodies: Object.fromEntries(
    Array.from({ length: MAX_CASES }, (_, i) => [
      `case_${i}`,
      { doc: `Runs on the samples whose index is ${i}, all at once, and not at all where there are none. All cases have the same outputs.`, start: startBody() },
    ]),
  ),
  roles: rolesOf,
  ports: (node) => ({ inputs: { ...portsIn(inputNames(casesOf(node)), own), ...own }, outputs: portsOut(resultsOf(node)) }),
  summary: ({ cases }) => `${cases} cases`,
  infer: (_, given, bodies, node) => {
    const { index, ...inputs } = singleInputs<TensorType>(given);
    const rows = rowsOf("Switch", inputs);
    if ("problem" in rows) return rows;
    if (index && (index.shape.length !== 1 || index.shape[0] !== rows.batch))
      return {
        problem: say("index of Switch must hold one number for each sample, [{batch}], but is {shape}.", { batch: rows.batch, shape: printShape(index.shape) }),
        port: "index",
        hint: say("ArgMax over the scores of a router gives such numbers."),
      };
    if (inputNames(casesOf(node)).includes("index")) return nameTaken("Switch", "index");
    const results = rolesOf(node).map((role): [string, ReturnType<typeof bodies>] => [role, bodies(role, rows.types)]);
    const known = results.flatMap(([role, types]): [string, { [name: string]: TensorType }][] => (types ? [[role, types]] : []));
    const [first] = known;
    if (!first || known.length < results.length) return null;
    const wrong = sameResults("Switch", Object.fromEntries(known));
    if (wrong) return wrong;
    const whole = gatheredTypes("Switch", rows, first[1]);
    return "problem" in whole ? whole : { outputs: whole.types };
  },
  lower: (_, given, b, { inputs: types, outputs }, node) => {
    const { index, ...inputs } = singleInputs(given);
    const { index: __, ...inputTypes } = singleInputs(types);
    const rows = rowsOf("Switch", inputTypes);
    if (!index || "problem" in rows) throw new Error("A checked Switch has an index and samples.");
    const ports = Object.keys(rows.types);
    const names = resultsOf(node);
    const results = b.switch(
      index,
      ports.map((port) => resultOf(inputs, port)),
      ports.map((port) => resultOf(rows.types, port)),
      rolesOf(node).map((role) => (some) => {
        const own = b.body(role, byName(ports, some));
        return names.map((name) => resultOf(own, name));
      }),
      names.map((name) => resultOf(outputs, name)),
    );
    return byName(names, results);
  },
  onnx: (_, given, b, { inputs: types, outputs }, node) => {
    const { index, ...inputs } = singleInputs(given);
    const { index: __, ...inputTypes } = singleInputs(types);
    const rows = rowsOf("Switch", inputTypes);
    if (!index || "problem" in rows) throw new Error("A checked Switch has an index and samples.");
    const names = resultsOf(node);
    const results = onnxRoutes(
      b,
      index.name,
      inputs,
      rows,
      rolesOf(node).map((role) => (some) => {
        const own = b.body(role, some);
        return names.map((name) => resultOf(own, name));
      }),
      names.map((name) => resultOf(outputs, name)),
    );
    return byName(names, results);
  },
  torch: (_, __, node) => ({
    lines: (given, call, fresh) => {
      const { index, ...inputs } = singleInputs(given);
      const names = resultsOf(node);
      const [rows, parts, order] = [fresh("rows"), fresh("parts"), fresh("order")];
      const roles = rolesOf(node);
      return [
        `if not ((${index} >= 0) & (${index} < ${roles.length})).all():`,
        `    raise IndexError("every index must be from 0 to ${roles.length - 1}")`,
        `${rows} = [(${index} == case).nonzero().squeeze(1) for case in range(${roles.length})]`,
        `${parts} = []`,
        ...roles.flatMap((role, i) => [
          `if ${rows}[${i}].numel() > 0:`,
          `    ${parts}.append(${call(role, Object.fromEntries(Object.entries(inputs).map(([port, variable]) => [port, `${variable}[${rows}[${i}]]`])))})`,
        ]),
        `${order} = torch.cat(${rows}).argsort()`,
        `return ${names.length === 1 ? `torch.cat(${parts})[${order}]` : names.map((_, i) => `torch.cat([part[${i}] for part in ${parts}])[${order}]`).join(", ")}`,
      ];
    },
  }),
  cost: (_, __, bodies) => ({ multiplyAdds: Math.max(0, ...Object.values(bodies).map(({ multiplyAdds }) => multiplyAdds)) }),
  examples: [
    {
      inputs: { x: [4, 3], index: { dtype: "int64", shape: [4] } },
      params: { cases: 3 },
      bodies: {
        case_0: startBody({ type: "linear", params: { out_features: 4 } }),
        case_1: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }),
        case_2: startBody({ type: "linear", params: { out_features: 4 } }, { type: "relu" }),
      },
    },
    {
      inputs: { x: [4, 3], z: [4, 2, 3], index: { dtype: "int64", shape: [4] } },
      params: { cases: 3 },
      bodies: {
        case_0: sketchBody(["x", "z"], { mean: ["mean", {}, "z"], sum: ["add", {}, { a: "x", b: "mean" }] }, { y: "sum", rest: "z" }),
        case_1: sketchBody(["x", "z"], { fc: ["linear", { out_features: 3 }, "z"] }, { y: "x", rest: "fc" }),
        case_2: sketchBody(["x", "z"], { fc: ["linear", { out_features: 3 }, "x"], tanh: ["tanh", {}, "z"] }, { y: "fc", rest: "tanh" }),
      },
    },
  ],
});
