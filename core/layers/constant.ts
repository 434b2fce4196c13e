import { say } from "../language/say.ts";
import { pythonNumber } from "./dtypes.ts";
import { defineLayer, type InferProblem } from "./kit.ts";
import { p } from "./params.ts";

const MAX_VALUES = 4096;

export const constant = defineLayer({
  type: "constant",
  title: "Constant",
  category: "io",
  doc: "Holds numbers that never change; they travel with the model's weights but do not learn.",
  formula: "y = values",
  when: "Use it for known tables, class weights and fixed filters. Numbers that should learn are Parameter; many equal ones are Zeros or Ones.",
  source: "https://pytorch.org/docs/2.13/generated/torch.tensor.html",
  keywords: ["value", "number", "literal", "table", "buffer", "tensor"],
  gradient: false,
  params: {
    values: p.floats({ max: MAX_VALUES, default: [1], doc: "The numbers, row by row; a single one fills the whole shape.", placeholder: "1, 0, −1" }),
    shape: p.ints({ min: 1, default: [], doc: "Its sizes; empty for one number without axes.", placeholder: "2, 3" }),
    dtype: p.choice({ options: ["float32", "int64", "bool"], default: "float32", doc: "float32 for measures, int64 for whole numbers, bool for conditions: true where not 0." }),
  },
  inputs: {},
  outputs: { y: { doc: "The numbers." } },
  summary: ({ values, shape }) => (values.length === 1 ? `${values[0]}${shape.length > 0 ? ` × ${shape.join("×")}` : ""}` : shape.join("×")),
  infer: ({ values, shape, dtype }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const wrong = (problem: string, param: string, fixes: InferProblem["fixes"] = []): InferProblem => ({ problem, code: "GRAPH_PARAM", param, fixes });
    if (shape.length > 8) return wrong(say("Constant has at most 8 axes."), "shape");
    if (count > MAX_VALUES)
      return {
        ...wrong(`Constant would hold ${count} numbers; the limit is ${MAX_VALUES}.`, "shape"),
        code: "GRAPH_OVERFLOW",
        hint: say("For many equal numbers use Zeros or Ones."),
      };
    if (values.length !== 1 && values.length !== count)
      return wrong(
        say("Constant has {count} values for the {count2} places of its shape.", { count: values.length, count2: count }),
        "shape",
        values.length > 0 ? [{ kind: "set-param", label: say("Set shape to {count}", { count: values.length }), name: "shape", value: [values.length] }] : [],
      );
    const broken = dtype === "int64" ? values.find((value) => !Number.isSafeInteger(value)) : undefined;
    if (broken !== undefined)
      return wrong(say("Constant of int64 needs whole numbers, but one is {broken}.", { broken }), "values", [
        { kind: "set-param", label: say("Make it float32"), name: "dtype", value: "float32" },
      ]);
    if (dtype === "float32" && values.some((value) => !Number.isFinite(Math.fround(value)))) return wrong(say("Constant has a number too large for float32."), "values");
    return { outputs: { y: { dtype, shape } }, weights: { value: { shape, dtype, trainable: false, init: { kind: "values", values: spread(values, count, dtype) } } } };
  },
  lower: (_, _inputs, b) => ({ y: b.weight("value") }),
  onnx: (_, _inputs, b) => ({ y: b.weight("value") }),
  torch: ({ values, shape, dtype }) => ({
    module: `nn.ParameterDict({"value": nn.Parameter(${pythonTensor(values, shape, dtype)}, requires_grad=False)})`,
    forward: (self) => `${self}["value"]`,
  }),
  examples: [
    { params: { values: [0.5, -1, 2, 3, 4, 5], shape: [2, 3] }, inputs: {} },
    { params: { values: [7], shape: [2], dtype: "int64" }, inputs: {} },
    { params: { values: [1, 0, 1], shape: [3], dtype: "bool" }, inputs: {} },
    { inputs: {} },
  ],
});

function spread(values: number[], count: number, dtype: string): number[] {
  const all = values.length === count ? values : Array<number>(count).fill(values[0] ?? 0);
  return dtype === "bool" ? all.map((value) => (value === 0 ? 0 : 1)) : all;
}

function pythonTensor(values: number[], shape: number[], dtype: string): string {
  if (values.length === 1) return `torch.full((${shape.map((size) => `${size},`).join(" ")}), ${pythonNumber(values[0] ?? 0)}, dtype=torch.${dtype})`;
  const flat = `torch.tensor([${values.map(pythonNumber).join(", ")}], dtype=torch.${dtype})`;
  return shape.length === 1 ? flat : `${flat}.reshape(${shape.join(", ")})`;
}
