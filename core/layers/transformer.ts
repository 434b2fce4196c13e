import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { divisorFixes } from "./convolution.ts";
import type { InferProblem } from "./kit.ts";
import { p, type pythonCall, type Values } from "./params.ts";

/** What the layers of transformers have in common. Parts are named as PyTorch names them, so that weights are called alike. */

export const transformerParams = {
  nhead: p.int({ min: 1, default: 8, doc: "How many heads of attention; must divide the features." }),
  dim_feedforward: p.int({ min: 1, default: 2048, doc: "Width of the two-layer network at each step; usually four times the features." }),
  dropout: p.float({ min: 0, max: 1, step: 0.05, default: 0.1, doc: "While training, switches off this share in attention and behind each part." }),
  activation: p.choice({ options: ["relu", "gelu"], default: "relu", doc: "The bend of the two-layer network." }),
  layer_norm_eps: p.float({ min: 0, default: 1e-5, doc: "Added to the variances against division by zero." }),
  norm_first: p.bool({ default: false, doc: "Normalizes in front of each part instead of behind it; deep networks then train without warm-up." }),
};

/** What may be wrong with the sequence that a transformer reads. */
export function needFeatures(title: string, { shape }: TensorType, nhead: number, port = "x"): InferProblem | null {
  const features = shape[2];
  if (shape.length !== 3 || typeof features !== "number")
    return { problem: say("{title} needs [N, steps, features] with a known number of features but receives {shape}.", { title, shape: printShape(shape) }), port };
  if (features % nhead !== 0)
    return {
      problem: say("{title} cannot split {features} features into {nhead} heads.", { title, features, nhead }),
      code: "GRAPH_PARAM",
      param: "nhead",
      fixes: divisorFixes("nhead", nhead, features),
    };
  return null;
}

type Sketched = [type: string, params?: { [name: string]: number | boolean | string }, wires?: string | { [port: string]: string | string[] }];
export type Parts = { [id: string]: Sketched };

/** One part with its residual connection and its norm, before or after; `write` gives the nodes of the part, whose last stands for its result. */
export function residualPart(
  i: number,
  from: string,
  { norm_first, dropout, layer_norm_eps }: { norm_first: boolean; dropout: number; layer_norm_eps: number },
  dropoutId: string,
  write: (x: string) => Parts,
): { parts: Parts; result: string } {
  const norm = (x: string): Parts => ({ [`norm${i}`]: ["layer_norm", { eps: layer_norm_eps }, x] });
  const inner = write(norm_first ? `norm${i}` : from);
  const last = Object.keys(inner).at(-1) ?? from;
  const around: Parts = { ...inner, [dropoutId]: ["dropout", { p: dropout }, last], [`sum${i}`]: ["add", {}, { a: from, b: dropoutId }] };
  return norm_first ? { parts: { ...norm(from), ...around }, result: `sum${i}` } : { parts: { ...around, ...norm(`sum${i}`) }, result: `norm${i}` };
}

/** The two-layer network at each step. */
export function feedForward(x: string, features: number, { dim_feedforward, activation, dropout }: { dim_feedforward: number; activation: string; dropout: number }): Parts {
  return {
    linear1: ["linear", { out_features: dim_feedforward }, x],
    activation: [activation, {}, "linear1"],
    dropout: ["dropout", { p: dropout }, "activation"],
    linear2: ["linear", { out_features: features }, "dropout"],
  };
}

/** The arguments of PyTorch's layers after the width and the heads. */
export function transformerArguments({
  dim_feedforward,
  dropout,
  activation,
  layer_norm_eps,
  norm_first,
}: Omit<Values<typeof transformerParams>, "nhead">): Parameters<typeof pythonCall>[2] {
  return {
    dim_feedforward: [dim_feedforward, 2048],
    dropout: [dropout, 0.1],
    activation: [activation, "relu"],
    layer_norm_eps: [layer_norm_eps, 1e-5],
    batch_first: [true, false],
    norm_first: [norm_first, false],
  };
}
