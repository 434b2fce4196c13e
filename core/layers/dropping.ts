import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";
import { type Axes, needImage, SPATIAL_INPUT } from "./window.ts";

/** What one kind of dropout says of itself: one tensor in, the same shape out, nothing done after training. */
type Dropping = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  keywords?: string[];
  /** Takes the share and whether it is training. */
  aten: "aten::dropout" | "aten::feature_dropout" | "aten::alpha_dropout" | "aten::feature_alpha_dropout";
  input: string;
  /** The least number of axes, and how many there must be behind the channels. */
  rank?: number;
  axes?: Axes;
  examples: number[][];
};

export function defineDropout(a: Dropping) {
  return defineLayer({
    type: a.type,
    title: a.title,
    category: "regularization",
    doc: a.doc,
    formula: a.formula,
    when: a.when,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${a.title}.html`,
    keywords: ["overfitting", "regularize", "noise", ...(a.keywords ?? [])],
    trait: "neutral",
    params: { p: p.float({ min: 0, max: 1, step: 0.05, default: 0.5, doc: "The share that is switched off." }) },
    inputs: { x: { doc: a.input } },
    summary: ({ p }) => `${Math.round(p * 1000) / 10} %`,
    infer: (_, { x }) => {
      const wrong = a.axes === undefined ? null : needImage(a.title, a.axes, x.shape);
      if (wrong) return wrong;
      if (x.shape.length < (a.rank ?? 0))
        return { problem: say("{title} needs [N, channels, ...] but receives {shape}.", { title: a.title, shape: printShape(x.shape) }), port: "x" };
      return { outputs: { y: x } };
    },
    lower: ({ p }, { x }, b) => ({ y: b.call(a.aten, [x, p, { flag: "training" }], x.type) }),
    onnx: (_, { x }, b) => {
      // A downloaded model is for inference, where dropout does nothing.
      const [y = ""] = b.node("Identity", [x.name]);
      return { y };
    },
    torch: ({ p }) => ({ module: pythonCall(`nn.${a.title}`, [], { p: [p, 0.5] }), forward: (self, { x }) => `${self}(${x})` }),
    examples: a.examples.flatMap((x, i) => [{ inputs: { x } }, ...(i === 0 ? [{ params: { p: 0.1 }, inputs: { x } }] : [])]),
  });
}

/** Dropout1d, Dropout2d and Dropout3d. */
export function defineChannelDropout(axes: Axes) {
  const thing = { 1: "sequence", 2: "image", 3: "volume" }[axes];
  return defineDropout({
    type: `dropout${axes}d`,
    title: `Dropout${axes}d`,
    doc: `While training, switches off whole channels of a${axes === 2 ? "n" : ""} ${thing} at random; afterwards it does nothing.`,
    formula: "y[n, c] = x[n, c] · m[n, c] / (1 − p) while training, with m 0 for the share p of the channels, else 1; y = x afterwards",
    when: "Between convolutions, where neighbours say nearly the same and Dropout would hide too little. Between Linear layers take Dropout.",
    keywords: ["spatial dropout", "channels"],
    aten: "aten::feature_dropout",
    input: SPATIAL_INPUT[axes],
    axes,
    examples: [[3, 6, 4, 4, 2].slice(0, axes + 2)],
  });
}
