import { type Architecture, type Choices, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part, stack } from "./draw.ts";

/** `grid`: how many patches the table of positions was learned for, along each side. */
type Sizes = { image: number; patch: number; grid: number; layers: number; heads: number; width: number };
const NORM = { eps: 1e-6 };

/** @see Oquab, Darcet, Moutakanni, and others, DINOv2: learning robust visual features without supervision, 2023 */
export const dinov2Small: Architecture = {
  id: "dinov2_small",
  title: "DINOv2-S",
  doc: "A small vision transformer that learned from 142 million pictures without labels. Its published weights tell things apart that nobody named, so a single Linear layer behind it often does.",
  task: "Image classification",
  source: "https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/dinov2/modeling_dinov2.py",
  licence: "Apache-2.0",
  input: [3, 224, 224],
  parameters: 22_825_192,
  firstWeights: "Norms and scales as the original's; tokens, positions, convolution and Linear layers otherwise, where the original takes a normal distribution of deviation 0.02.",
  choices: IMAGE_CHOICES,
  build: (choices) => drawDinov2(choices, { image: 224, patch: 14, grid: 37, layers: 12, heads: 6, width: 384 }),
};

/** A DINOv2 of any size. Weights are called as in the files of `Dinov2ForImageClassification`; the mask token, which only its own training uses, is left out. */
export function drawDinov2({ classes = 1000, channels = 3 }: Choices = {}, sizes: Sizes) {
  const d = new Drawing();
  d.input("x", imageInput(channels, sizes.image));
  const tokens = d.put(
    "dinov2",
    chain("Dinov2Model", [
      ["embeddings", embeddings(sizes)],
      ["encoder", chain("Dinov2Encoder", [["layer", stack("Dinov2Layer", sizes.layers, encoderLayer(sizes))]])],
      ["layernorm", layer("layer_norm", NORM)],
    ]),
  );
  const token = d.put("first", layer("select", { dim: 1, index: 0 }), tokens);
  d.put("patches", layer("slice", { slice: "[:, 1:]" }), tokens);
  const mean = d.put("mean", layer("mean", { dim: [1] }));
  d.put("both", layer("concat"), { x: [token, mean] });
  d.put("classifier", layer("linear", { out_features: classes }));
  d.output();
  return d.graph();
}

/** Patches and the class token, each with its place. The table of places is stretched to the patches that there are. */
function embeddings({ image, patch, grid, width }: Sizes): Part {
  const d = new Drawing();
  const x = d.input();
  const side = image / patch;
  const token = d.put("cls_token", layer("parameter", { shape: [1, 1, width], init: "normal", scale: 0.02 }, "cls_token"), {});
  const places = d.put("position_embeddings", layer("parameter", { shape: [1, grid ** 2 + 1, width], init: "normal", scale: 0.02 }, "position_embeddings"), {});
  const first = d.put("first_place", layer("slice", { slice: "[:, :1]" }), places);
  d.put("placed_token", layer("add"), { a: token, b: first });
  const tokens = d.put("expand", layer("expand", { size: ["B", -1, -1] }), { x: "placed_token", like: x });
  const patches = d.put(
    "patch_embeddings",
    chain("Dinov2PatchEmbeddings", [
      ["projection", layer("conv2d", { out_channels: width, kernel_size: patch, stride: patch })],
      ["flatten", layer("flatten", { start_dim: 2 })],
      ["transpose", layer("transpose")],
    ]),
    x,
  );
  let rest = d.put("other_places", layer("slice", { slice: "[:, 1:]" }), places);
  if (side !== grid) {
    d.put("places_of_channels", layer("transpose"));
    d.put("table", layer("unflatten", { dim: -1, unflattened_size: [grid, grid] }));
    d.put("stretched", layer("upsample", { size: [side], mode: "bicubic" }));
    d.put("in_a_row", layer("flatten", { start_dim: 2 }));
    rest = d.put("places_of_patches", layer("transpose"));
  }
  const placed = d.put("placed_patches", layer("add"), { a: patches, b: rest });
  d.put("concat", layer("concat"), { x: [tokens, placed] });
  d.output();
  return block("Dinov2Embeddings", d.body());
}

function encoderLayer({ heads, width }: Sizes) {
  const d = new Drawing();
  const x = d.input();
  d.put("norm1", layer("layer_norm", NORM));
  d.put(
    "attention",
    chain("Dinov2Attention", [
      ["attention", selfAttention(heads, width)],
      ["output", chain("Dinov2SelfOutput", [["dense", layer("linear", { out_features: width })]])],
    ]),
  );
  const attended = d.put("layer_scale1", layerScale(width));
  const sum = d.put("sum1", layer("add"), { a: x, b: attended });
  d.put("norm2", layer("layer_norm", NORM));
  d.put(
    "mlp",
    chain("Dinov2MLP", [
      ["fc1", layer("linear", { out_features: 4 * width })],
      ["activation", layer("gelu")],
      ["fc2", layer("linear", { out_features: width })],
    ]),
  );
  const thought = d.put("layer_scale2", layerScale(width));
  d.put("sum2", layer("add"), { a: sum, b: thought });
  d.output();
  return d.body();
}

function selfAttention(heads: number, width: number): Part {
  const d = new Drawing();
  const x = d.input();
  const split = (name: string) => {
    d.put(name, layer("linear", { out_features: width }, name), x);
    d.put(`${name}_heads`, layer("unflatten", { dim: -1, unflattened_size: [heads, width / heads] }));
    return d.put(`${name}_layer`, layer("transpose"));
  };
  const [query, key, value] = [split("query"), split("key"), split("value")];
  d.put("product", layer("scaled_dot_product_attention"), { query, key, value });
  d.put("steps_first", layer("transpose"));
  d.put("joined", layer("flatten", { start_dim: 2 }));
  d.output();
  return block("Dinov2SelfAttention", d.body());
}

function layerScale(width: number): Part {
  const d = new Drawing();
  const x = d.input();
  const scale = d.put("lambda1", layer("parameter", { shape: [width], init: "ones" }, "lambda1"), {});
  d.put("scaled", layer("mul"), { a: x, b: scale });
  d.output();
  return block("Dinov2LayerScale", d.body());
}
