import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32 } from "./kit.ts";
import { p } from "./params.ts";

export const globalAvgPool = defineLayer({
  type: "global_avg_pool",
  title: "GlobalAvgPool",
  category: "pooling",
  doc: "Averages each channel over all places, so that an image, sequence or volume of any size becomes one row of numbers.",
  formula: "y[n, c] = mean over i of x[n, c, i]",
  when: "Between the last convolution and the Linear that classifies. For a coarse map instead of one number, take AdaptiveAvgPool.",
  source: "https://pytorch.org/docs/2.13/generated/torch.mean.html",
  keywords: ["gap", "pool", "global average pooling", "flatten"],
  params: { keepdim: p.bool({ default: false, doc: "Keeps the averaged axes with size 1." }) },
  inputs: { x: { doc: "[N, channels, ...] with at least one axis behind the channels." } },
  summary: ({ keepdim }) => (keepdim ? "keeps axes" : ""),
  infer: ({ keepdim }, { x: { shape } }) =>
    shape.length < 3
      ? {
          problem: say("GlobalAvgPool needs [N, channels, ...] with something to average but receives {shape}.", { shape: printShape(shape) }),
          port: "x",
          fixes: [{ kind: "remove-node", label: say("Remove this GlobalAvgPool") }],
        }
      : { outputs: { y: float32(keepdim ? [...shape.slice(0, 2), ...shape.slice(2).map(() => 1)] : shape.slice(0, 2)) } },
  lower: ({ keepdim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::mean.dim", [x, { ints: placesOf(x.type.shape) }, keepdim], y ?? x.type) }),
  onnx: ({ keepdim }, { x }, b) => {
    const axes = placesOf(x.type.shape);
    const [y = ""] = keepdim ? b.node("GlobalAveragePool", [x.name]) : b.node("ReduceMean", [x.name, b.constant(axes, [axes.length], "int64")], { keepdims: 0 });
    return { y };
  },
  torch: ({ keepdim }, { inputs: { x } }) => ({
    forward: (_, inputs) => `${inputs.x}.mean(dim=(${placesOf(x.shape).join(", ")}${x.shape.length === 3 ? "," : ""})${keepdim ? ", keepdim=True" : ""})`,
  }),
  examples: [{ inputs: { x: [2, 3, 4, 5] } }, { params: { keepdim: true }, inputs: { x: [2, 3, 4, 5] } }, { inputs: { x: [2, 3, 6] } }],
});

/** The axes behind the channels. */
function placesOf(shape: readonly unknown[]): number[] {
  return shape.slice(2).map((_, i) => i + 2);
}
