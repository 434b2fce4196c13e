import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axisOf, defineLayer, type InferProblem, type Inferred, type Layer } from "./kit.ts";
import { p } from "./params.ts";

/** What Softmax and its kin say of themselves: one axis `dim`, the same shape out. */
type AlongAxis = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  keywords: string[];
  trait?: Layer["trait"];
  aten: "aten::softmax.int" | "aten::log_softmax.int";
  /** Takes −x instead of x. */
  negate?: boolean;
  onnx: "Softmax" | "LogSoftmax";
};

/** Softmax, Softmin and LogSoftmax. */
export function defineAlongAxis(a: AlongAxis) {
  return defineLayer({
    type: a.type,
    title: a.title,
    category: "activation",
    doc: a.doc,
    formula: a.formula,
    when: a.when,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${a.title}.html`,
    keywords: a.keywords,
    trait: a.trait,
    params: { dim: p.int({ default: -1, doc: "The axis that sums to 1; −1 is the last." }) },
    inputs: { x: { doc: "Scores." } },
    summary: ({ dim }) => `axis ${dim}`,
    infer: ({ dim }, { x }): Inferred => needAxis(a.title, dim, x) ?? { outputs: { y: x } },
    lower: ({ dim }, { x }, b) => ({ y: b.call(a.aten, [a.negate ? b.call("aten::neg", [x], x.type) : x, dim], x.type) }),
    onnx: ({ dim }, { x }, b) => {
      const [scores = ""] = a.negate ? b.node("Neg", [x.name]) : [x.name];
      const [y = ""] = b.node(a.onnx, [scores], { axis: dim });
      return { y };
    },
    torch: ({ dim }) => ({ module: `nn.${a.title}(dim=${dim})`, forward: (self, { x }) => `${self}(${x})` }),
    examples: [{ inputs: { x: [2, 5] } }, { params: { dim: 1 }, inputs: { x: [2, 3, 4] } }],
  });
}

/** Why a tensor has no axis `dim`, or null where it has. */
export function needAxis(title: string, dim: number, { shape }: TensorType): InferProblem | null {
  if (axisOf(dim, shape.length) !== null) return null;
  return {
    problem: say("{title} has no axis {dim} in {shape}.", { title, dim, shape: printShape(shape) }),
    code: "GRAPH_PARAM",
    param: "dim",
    fixes: [{ kind: "set-param", label: say("Use the last axis"), name: "dim", value: -1 }],
  };
}
