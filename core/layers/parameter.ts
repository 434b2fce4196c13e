import { say } from "../language/say.ts";
import type { Init } from "../program/program.ts";
import { defineLayer } from "./kit.ts";
import { p, pythonTuple } from "./params.ts";

const INITS = ["normal", "uniform", "zeros", "ones", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"] as const;
type InitName = (typeof INITS)[number];

export const parameter = defineLayer({
  type: "parameter",
  title: "Parameter",
  category: "io",
  doc: "Holds numbers that learn and belong to no layer: a class token, a query, a scale, a table of positions.",
  formula: "y = the learned numbers",
  when: "Use it for what a model should learn besides its layers. Fixed numbers are Constant; a matrix to multiply with is Linear.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.parameter.Parameter.html",
  keywords: ["learned", "weight", "trainable", "token", "query", "embedding", "scale"],
  params: {
    shape: p.ints({ min: 1, default: [1, 16], doc: "Its sizes, with 1 where it should stretch over the batch; empty for a single number.", placeholder: "1, 16" }),
    init: p.choice({ options: INITS, default: "normal", doc: "How it begins; xavier and kaiming look at the sizes of a matrix." }),
    scale: p.float({ min: 0, max: 1000, default: 0.02, doc: "The standard deviation of normal, the bound of uniform; the others do without." }),
  },
  inputs: {},
  outputs: { y: { doc: "The numbers, as they are now." } },
  summary: ({ shape, init }) => [shape.join("×"), init].filter(Boolean).join(", "),
  infer: ({ shape, init, scale }) => {
    if (shape.length > 8) return { problem: say("Parameter has at most 8 axes."), code: "GRAPH_PARAM", param: "shape" };
    if (shape.length < 2 && /^(xavier|kaiming)/.test(init))
      return {
        problem: say("{init} needs a shape of at least two axes, as of a matrix.", { init }),
        code: "GRAPH_PARAM",
        param: "init",
        fixes: [{ kind: "set-param", label: say("Set init to normal"), name: "init", value: "normal" }],
      };
    return { outputs: { y: { dtype: "float32", shape } }, weights: { "": { shape, init: planInit(init, shape, scale) } } };
  },
  lower: (_, _inputs, b) => ({ y: b.weight("") }),
  onnx: (_, _inputs, b) => ({ y: b.weight("") }),
  torch: ({ shape, init, scale }) => ({
    module: `nn.Parameter(${pythonInit(init, `torch.empty(${pythonTuple(shape)})`, scale)})`,
    forward: (self) => self,
  }),
  examples: [
    { params: { shape: [1, 4] }, inputs: {} },
    { params: { shape: [2, 3], init: "uniform", scale: 0.5 }, inputs: {} },
    { params: { shape: [3], init: "ones" }, inputs: {} },
    { params: { shape: [], init: "normal", scale: 1 }, inputs: {} },
    { params: { shape: [4, 3, 2], init: "xavier_uniform" }, inputs: {} },
    { params: { shape: [4, 3], init: "xavier_normal" }, inputs: {} },
    { params: { shape: [4, 3, 2], init: "kaiming_uniform" }, inputs: {} },
    { params: { shape: [4, 3], init: "kaiming_normal" }, inputs: {} },
  ],
});

/**
 * In the order of operations of `torch.nn.init`, so that bounds are the same doubles.
 * @see https://pytorch.org/docs/2.13/nn.init.html
 */
function planInit(init: InitName, shape: number[], scale: number): Init {
  const [rows = 1, columns = 1, ...field] = shape;
  const receptive = field.reduce((a, b) => a * b, 1);
  const fanIn = columns * receptive;
  const fanOut = rows * receptive;
  const xavier = Math.sqrt(2 / (fanIn + fanOut));
  const kaiming = Math.sqrt(2) / Math.sqrt(fanIn);
  const uniform = (bound: number): Init => ({ kind: "uniform", low: -bound, high: bound });
  const normal = (std: number): Init => ({ kind: "normal", mean: 0, std });
  switch (init) {
    case "normal":
      return normal(scale);
    case "uniform":
      return uniform(scale);
    case "zeros":
    case "ones":
      return { kind: "constant", value: init === "ones" ? 1 : 0 };
    case "xavier_uniform":
      return uniform(Math.sqrt(3) * xavier);
    case "xavier_normal":
      return normal(xavier);
    case "kaiming_uniform":
      return uniform(Math.sqrt(3) * kaiming);
    case "kaiming_normal":
      return normal(kaiming);
  }
}

function pythonInit(init: InitName, empty: string, scale: number): string {
  if (init === "normal") return `nn.init.normal_(${empty}, std=${scale})`;
  if (init === "uniform") return `nn.init.uniform_(${empty}, ${-scale}, ${scale})`;
  return `nn.init.${init}_(${empty})`;
}
