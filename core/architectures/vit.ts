import { type Architecture, type Choices, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part, sequential } from "./draw.ts";

type Sizes = { image: number; patch: number; layers: number; heads: number; width: number; inner: number };
const NORM = { eps: 1e-6 };
/** The original leaves nothing out by default; the nodes stand ready. */
const DROPOUT = 0;

/** @see Dosovitskiy, Beyer, Kolesnikov, and others, An image is worth 16×16 words: transformers for image recognition at scale, 2020 */
export const vitB16: Architecture = {
  id: "vit_b_16",
  title: "ViT-B/16",
  doc: "Cuts an image into 196 patches and reads them as a sentence, with twelve layers of attention. Strong with much data or published weights; from few images a ResNet learns better.",
  task: "Image classification",
  source: "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/vision_transformer.py",
  licence: "BSD-3-Clause",
  input: [3, 224, 224],
  parameters: 86_567_656,
  firstWeights:
    "Class token, positions, attention and norms as the original draws them; convolution and Linear layers as PyTorch's do by default, where the original draws Xavier's and starts its head at 0.",
  choices: IMAGE_CHOICES,
  build: (choices) => drawVit(choices, { image: 224, patch: 16, layers: 12, heads: 12, width: 768, inner: 3072 }),
};

/** A vision transformer of any size. */
export function drawVit({ classes = 1000, channels = 3 }: Choices = {}, sizes: Sizes) {
  const { image, patch, width } = sizes;
  const d = new Drawing();
  const x = d.input("x", imageInput(channels, image));
  d.put("conv_proj", layer("conv2d", { out_channels: width, kernel_size: patch, stride: patch }));
  d.put("flatten", layer("flatten", { start_dim: 2 }));
  const patches = d.put("transpose", layer("transpose"));
  const token = d.put("class_token", layer("parameter", { shape: [1, 1, width], init: "zeros" }, "class_token"), {});
  const tokens = d.put("expand", layer("expand", { size: ["B", -1, -1] }), { x: token, like: x });
  d.put("concat", layer("concat"), { x: [tokens, patches] });
  d.put("encoder", encoder((image / patch) ** 2 + 1, sizes));
  d.put("first", layer("select", { dim: 1, index: 0 }));
  d.put("heads", chain("heads", [["head", layer("linear", { out_features: classes })]]));
  d.output();
  return d.graph();
}

function encoder(steps: number, sizes: Sizes): Part {
  const d = new Drawing();
  const x = d.input();
  const positions = d.put("pos_embedding", layer("parameter", { shape: [1, steps, sizes.width], init: "normal", scale: 0.02 }, "pos_embedding"), {});
  d.put("sum", layer("add"), { a: x, b: positions });
  d.put("dropout", layer("dropout", { p: DROPOUT }));
  d.put(
    "layers",
    chain(
      "layers",
      Array.from({ length: sizes.layers }, (_, i) => [`encoder_layer_${i}`, encoderBlock(sizes)]),
    ),
  );
  d.put("ln", layer("layer_norm", NORM));
  d.output();
  return block("Encoder", d.body());
}

function encoderBlock({ heads, width, inner }: Sizes): Part {
  const d = new Drawing();
  const x = d.input();
  d.put("ln_1", layer("layer_norm", NORM));
  d.put("self_attention", layer("multihead_attention", { num_heads: heads, dropout: DROPOUT }), { query: "ln_1" });
  const attended = d.put("dropout", layer("dropout", { p: DROPOUT }));
  const sum = d.put("sum1", layer("add"), { a: attended, b: x });
  d.put("ln_2", layer("layer_norm", NORM));
  const mlp = d.put(
    "mlp",
    sequential("mlp", [
      layer("linear", { out_features: inner }),
      layer("gelu"),
      layer("dropout", { p: DROPOUT }),
      layer("linear", { out_features: width }),
      layer("dropout", { p: DROPOUT }),
    ]),
  );
  d.put("sum2", layer("add"), { a: sum, b: mlp });
  d.output();
  return block("EncoderBlock", d.body());
}
