import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { runningNormArguments, runningNormWeights } from "./initializers.ts";
import { countPerSample, defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";
import { type Axes, needChannels, needImage, SPATIAL_INPUT } from "./window.ts";

/** BatchNorm1d over [N, C] or [N, C, L], BatchNorm2d over [N, C, H, W], BatchNorm3d over [N, C, D, H, W]. */
export function defineBatchNorm(axes: Axes) {
  const title = `BatchNorm${axes}d`;
  return defineLayer({
    type: `batch_norm${axes}d`,
    title,
    category: "normalization",
    trait: "statistics",
    doc: "Brings every channel to mean 0 and variance 1 over the batch, so that deep networks train faster; afterwards it uses running averages.",
    formula: "y = (x − mean) / √(variance + eps) · weight + bias, with mean and variance of each channel over the batch and all places",
    when: "Behind convolutions and Linear layers, where batches hold 16 samples or more. For small batches take GroupNorm, for sequences LayerNorm.",
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["bn", "batch normalization", "normalize"],
    params: {
      eps: p.float({ min: 1e-12, default: 1e-5, doc: "Added to the variance against division by zero." }),
      momentum: p.float({ min: 0, max: 1, default: 0.1, doc: "Share of each batch in the running averages." }),
      affine: p.bool({ default: true, doc: "Learns a scale and a shift for each channel." }),
      track_running_stats: p.bool({ default: true, doc: "Keeps running averages for evaluation; without them each batch is its own measure." }),
    },
    inputs: { x: { doc: axes === 1 ? "[N, features] or [N, channels, length]." : SPATIAL_INPUT[axes] } },
    summary: () => "",
    infer: ({ affine, track_running_stats }, { x }) => {
      const wrong = axes === 1 && x.shape.length === 2 ? null : needImage(title, axes, x.shape);
      if (wrong)
        return axes === 1 ? { ...wrong, problem: say("{title} needs [N, features] or [N, channels, length] but receives {shape}.", { title, shape: printShape(x.shape) }) } : wrong;
      const unknown = needChannels(title, x.shape);
      if (unknown) return unknown;
      return { outputs: { y: x }, weights: runningNormWeights(Number(x.shape[1]), { affine, track_running_stats }) };
    },
    lower: (params, { x }, b) => {
      if (params.track_running_stats) b.call("aten::add_.Scalar", [b.weight("num_batches_tracked"), { flag: "training" }], { dtype: "int64", shape: [] });
      return { y: b.call("aten::batch_norm", runningNormArguments(b, x, params), x.type) };
    },
    onnx: ({ eps, affine, track_running_stats }, { x }, b) => {
      const channels = Number(x.type.shape[1]);
      const scale = affine ? b.weight("weight") : b.constant(Array<number>(channels).fill(1), [channels], "float32");
      const shift = affine ? b.weight("bias") : b.constant(Array<number>(channels).fill(0), [channels], "float32");
      const moments = track_running_stats ? { mean: b.weight("running_mean"), variance: b.weight("running_var") } : batchMoments();
      const [y = ""] = b.node("BatchNormalization", [x.name, scale, shift, moments.mean, moments.variance], { epsilon: { float: eps } });
      return { y };

      function batchMoments() {
        const over = b.constant(
          x.type.shape.map((_, axis) => axis).filter((axis) => axis !== 1),
          [x.type.shape.length - 1],
          "int64",
        );
        const [centre = ""] = b.node("ReduceMean", [x.name, over], { keepdims: 1 });
        const [off = ""] = b.node("Sub", [x.name, centre]);
        const [square = ""] = b.node("Mul", [off, off]);
        const [mean = ""] = b.node("ReduceMean", [x.name, over], { keepdims: 0 });
        const [variance = ""] = b.node("ReduceMean", [square, over], { keepdims: 0 });
        return { mean, variance };
      }
    },
    torch: ({ eps, momentum, affine, track_running_stats }, { inputs: { x } }) => ({
      module: pythonCall(`nn.${title}`, [x.shape[1] ?? 0], {
        eps: [eps, 1e-5],
        momentum: [momentum, 0.1],
        affine: [affine, true],
        track_running_stats: [track_running_stats, true],
      }),
      forward: (self, { x }) => `${self}(${x})`,
    }),
    cost: (_, { inputs: { x } }) => ({ multiplyAdds: countPerSample(x.shape) }),
    examples: [
      { inputs: { x: axes === 1 ? [4, 6] : [3, 4, 5, 5, 2].slice(0, axes + 2) } },
      { params: { affine: false, track_running_stats: false, eps: 1e-3 }, inputs: { x: [3, 4, 7, 5, 2].slice(0, axes + 2) } },
    ],
  });
}
