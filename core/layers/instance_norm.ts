import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { runningNormArguments, runningNormWeights } from "./initializers.ts";
import { countPerSample, defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";
import { type Axes, needChannels, needImage, SPATIAL_INPUT } from "./window.ts";

/** InstanceNorm1d over [N, C, L], InstanceNorm2d over [N, C, H, W], InstanceNorm3d over [N, C, D, H, W]. */
export function defineInstanceNorm(axes: Axes) {
  const title = `InstanceNorm${axes}d`;
  return defineLayer({
    type: `instance_norm${axes}d`,
    title,
    category: "normalization",
    doc: "Brings every channel of each sample to mean 0 and variance 1 by itself: takes contrast and style out.",
    formula: "y = (x − mean) / √(variance + eps) · weight + bias, with mean and variance of each channel of each sample",
    when: "For style transfer and image translation, where the contrast of one image must not touch another's. For recognition BatchNorm does better.",
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["normalize", "style", "contrast"],
    params: {
      eps: p.float({ min: 0, default: 1e-5, doc: "Added to the variance against division by zero." }),
      momentum: p.float({ min: 0, max: 1, default: 0.1, doc: "Share of each batch in the running averages." }),
      affine: p.bool({ default: false, doc: "Learns a scale and a shift for each channel." }),
      track_running_stats: p.bool({ default: false, doc: "Keeps running averages and uses them for evaluation." }),
    },
    inputs: { x: { doc: SPATIAL_INPUT[axes] } },
    summary: ({ affine }) => (affine ? "affine" : ""),
    infer: ({ affine, track_running_stats }, { x }) => {
      const wrong = needImage(title, axes, x.shape) ?? needChannels(title, x.shape);
      if (wrong) return wrong;
      if (x.shape.slice(2).every((size) => size === 1)) {
        return {
          problem: say("{title} needs more than one place in each channel, or every number becomes 0; it receives {shape}.", { title, shape: printShape(x.shape) }),
          port: "x",
          hint: say("Put it before the pooling, or take LayerNorm."),
          fixes: [{ kind: "remove-node", label: say("Remove this {title}", { title }) }],
        };
      }
      return { outputs: { y: x }, weights: runningNormWeights(Number(x.shape[1]), { affine, track_running_stats }) };
    },
    lower: (params, { x }, b) => ({ y: b.call("aten::instance_norm", runningNormArguments(b, x, params), x.type) }),
    onnx: ({ eps, affine, track_running_stats }, { x }, b) => {
      const channels = Number(x.type.shape[1]);
      const all = (value: number) => b.constant(Array<number>(channels).fill(value), [channels], "float32");
      const scale = affine ? b.weight("weight") : all(1);
      const shift = affine ? b.weight("bias") : all(0);
      const [y = ""] = track_running_stats
        ? b.node("BatchNormalization", [x.name, scale, shift, b.weight("running_mean"), b.weight("running_var")], { epsilon: { float: eps } })
        : b.node("InstanceNormalization", [x.name, scale, shift], { epsilon: { float: eps } });
      return { y };
    },
    torch: ({ eps, momentum, affine, track_running_stats }, { inputs: { x } }) => ({
      module: pythonCall(`nn.${title}`, [x.shape[1] ?? 0], {
        eps: [eps, 1e-5],
        momentum: [momentum, 0.1],
        affine: [affine, false],
        track_running_stats: [track_running_stats, false],
      }),
      forward: (self, { x }) => `${self}(${x})`,
    }),
    cost: (_, { inputs: { x } }) => ({ multiplyAdds: countPerSample(x.shape) }),
    examples: [
      { inputs: { x: [3, 4, 5, 5, 2].slice(0, axes + 2) } },
      { params: { affine: true, eps: 1e-3 }, inputs: { x: [2, 3, 7, 4, 2].slice(0, axes + 2) } },
      { params: { affine: true, track_running_stats: true, momentum: 0.3 }, inputs: { x: [2, 3, 7, 4, 2].slice(0, axes + 2) } },
    ],
  });
}
