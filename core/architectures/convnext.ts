import { type Architecture, type Choices, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part, stack } from "./draw.ts";

type Sizes = { image: number; depths: readonly number[]; widths: readonly number[] };
const NORM = { eps: 1e-6 };
const LAST_NORM = { eps: 1e-12 };

/** @see Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, A ConvNet for the 2020s, 2022 */
export const convnextTiny: Architecture = {
  id: "convnext_tiny",
  title: "ConvNeXt-Tiny",
  doc: "A residual network that learned from transformers: large kernels for each channel by itself, norms per pixel, few activations. As accurate as a small vision transformer, and simpler.",
  task: "Image classification",
  source: "https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/convnext/modeling_convnext.py",
  licence: "Apache-2.0",
  input: [3, 224, 224],
  parameters: 28_589_128,
  firstWeights:
    "Norms as the original's; convolution and Linear layers as PyTorch's do by default, where the original takes a normal distribution of deviation 0.02. What scales a block's share begins at 0, the original's at 0.000001.",
  choices: IMAGE_CHOICES,
  build: (choices) => drawConvnext(choices, { image: 224, depths: [3, 3, 9, 3], widths: [96, 192, 384, 768] }),
};

/** A ConvNeXt of any size. Weights are called as in `ConvNextForImageClassification`. */
export function drawConvnext({ classes = 1000, channels = 3 }: Choices = {}, { image, depths, widths }: Sizes) {
  const d = new Drawing();
  d.input("x", imageInput(channels, image));
  d.put(
    "convnext",
    chain("ConvNextModel", [
      [
        "embeddings",
        chain("ConvNextEmbeddings", [
          ["patch_embeddings", layer("conv2d", { out_channels: widths[0] ?? 1, kernel_size: 4, stride: 4 })],
          ["layernorm", normPerPixel(widths[0] ?? 1)],
        ]),
      ],
      [
        "encoder",
        chain("ConvNextEncoder", [
          [
            "stages",
            chain(
              "stages",
              depths.map((depth, i) => [String(i), stage(depth, widths[i] ?? 1, widths[i - 1])]),
            ),
          ],
        ]),
      ],
      ["pool", layer("mean", { dim: [-2, -1] })],
      ["layernorm", layer("layer_norm", LAST_NORM)],
    ]),
  );
  d.put("classifier", layer("linear", { out_features: classes }));
  d.output();
  return d.graph();
}

/** `before`: the channels of the stage before, from which this one halves the image. */
function stage(depth: number, width: number, before: number | undefined): Part {
  const halving = before === undefined ? [] : ([["downsampling_layer", halve(before, width)]] as const);
  return chain("ConvNextStage", [...halving, ["layers", stack("ConvNextLayer", depth, convnextLayer(width))]]);
}

function halve(before: number, width: number): Part {
  return chain("downsampling_layer", [
    ["0", normPerPixel(before)],
    ["1", layer("conv2d", { out_channels: width, kernel_size: 2, stride: 2 })],
  ]);
}

function convnextLayer(width: number) {
  const d = new Drawing();
  const x = d.input();
  d.put("dwconv", layer("conv2d", { out_channels: width, kernel_size: 7, padding: 3, groups: width }));
  d.put("channels_last", layer("permute", { dims: [0, 2, 3, 1] }));
  d.put("layernorm", layer("layer_norm", NORM));
  d.put("pwconv1", layer("linear", { out_features: 4 * width }));
  d.put("act", layer("gelu"));
  const share = d.put("pwconv2", layer("linear", { out_features: width }));
  const scale = d.put("layer_scale_parameter", layer("parameter", { shape: [width], init: "zeros" }, "layer_scale"), {});
  d.put("scaled", layer("mul"), { a: scale, b: share });
  const result = d.put("channels_first", layer("permute", { dims: [0, 3, 1, 2] }));
  d.put("sum", layer("add"), { a: x, b: result });
  d.output();
  return d.body();
}

/** LayerNorm over the channels of each pixel, where these come first. */
function normPerPixel(width: number): Part {
  const d = new Drawing();
  d.input();
  d.put("channels_last", layer("permute", { dims: [0, 2, 3, 1] }));
  const normed = d.put("norm", layer("layer_norm", { ...NORM, elementwise_affine: false }));
  const weight = d.put("weight", layer("parameter", { shape: [width], init: "ones" }, "weight"), {});
  const scaled = d.put("scaled", layer("mul"), { a: normed, b: weight });
  const bias = d.put("bias", layer("parameter", { shape: [width], init: "zeros" }, "bias"), {});
  d.put("sum", layer("add"), { a: scaled, b: bias });
  d.put("channels_first", layer("permute", { dims: [0, 3, 1, 2] }));
  d.output();
  return block("ConvNextLayerNorm", d.body());
}
