import type { Body } from "../graph/document.ts";
import type { Architecture } from "./architecture.ts";
import { block, Drawing, layer, type Part, stack } from "./draw.ts";

type Sizes = { vocabulary: number; positions: number; layers: number; heads: number; width: number };
const NORM = { eps: 1e-5 };
const DROPOUT = 0.1;
const STD = 0.02;

/** @see Radford, Wu, Child, Luan, Amodei, Sutskever, Language models are unsupervised multitask learners, 2019 */
export const gpt2: Architecture = {
  id: "gpt2",
  title: "GPT-2 small",
  doc: "Twelve layers of attention that look back only, and the table of words used again to score the next one. Reads token numbers and gives scores for what follows at each step.",
  task: "Language model",
  source: "https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gpt2/modeling_gpt2.py",
  licence: "Apache-2.0",
  input: ["T"],
  parameters: 124_439_808,
  firstWeights:
    "All projections and norms as the original draws them. The tables of words and positions are PyTorch's Embedding, of deviation 1 where the original takes 0.02: start from published weights, or expect a high loss at first.",
  choices: { classes: { label: "Vocabulary", default: 50_257 } },
  build: ({ classes = 50_257 } = {}) => drawGpt2({ vocabulary: classes, positions: 1024, layers: 12, heads: 12, width: 768 }),
};

/** A decoder in the manner of GPT-2, of any size. Weights are called as in `GPT2Model`, and `lm_head.weight` is `wte.weight`. */
export function drawGpt2(sizes: Sizes) {
  const { vocabulary, positions, layers, width } = sizes;
  const d = new Drawing();
  const tokens = d.input("x", { shape: ["T"], dtype: "int64" });
  const words = d.put("wte", layer("embedding", { num_embeddings: vocabulary, embedding_dim: width }, "wte"));
  const steps = d.put("position_ids", layer("arange"), { like: tokens });
  const places = d.put("wpe", layer("embedding", { num_embeddings: positions, embedding_dim: width }, "wpe"), steps);
  d.put("sum", layer("add"), { a: words, b: places });
  d.put("drop", layer("dropout", { p: DROPOUT }));
  d.put("h", stack("GPT2Block", layers, decoderBlock(sizes)));
  d.put("ln_f", layer("layer_norm", NORM));
  d.put("lm_head", { ...layer("linear", { out_features: vocabulary, bias: false }, "lm_head"), weightsOf: "wte" });
  d.output();
  return d.graph();
}

function decoderBlock(sizes: Sizes): Body {
  const d = new Drawing();
  const x = d.input();
  d.put("ln_1", layer("layer_norm", NORM));
  const attended = d.put("attn", attention(sizes));
  const sum = d.put("sum1", layer("add"), { a: attended, b: x });
  d.put("ln_2", layer("layer_norm", NORM));
  const mlp = d.put("mlp", feedForward(sizes));
  d.put("sum2", layer("add"), { a: sum, b: mlp });
  d.output();
  return d.body();
}

function attention({ heads, width, layers }: Sizes): Part {
  const d = new Drawing();
  d.input();
  d.put("c_attn", conv1d("c_attn", width, 3 * width, STD));
  d.put("parts", layer("chunk", { chunks: 3 }));
  const split = (name: string, wire: string) => {
    d.put(`${name}_heads`, layer("unflatten", { dim: -1, unflattened_size: [heads, width / heads] }, `${name} heads`), wire);
    return d.put(name, layer("transpose", {}, name));
  };
  const query = split("query", "parts:y1");
  const key = split("key", "parts:y2");
  const value = split("value", "parts:y3");
  d.put("attention", layer("scaled_dot_product_attention", { dropout_p: DROPOUT, is_causal: true }), { query, key, value });
  d.put("steps_first", layer("transpose"));
  d.put("joined", layer("flatten", { start_dim: 2 }));
  d.put("c_proj", conv1d("c_proj", width, width, STD / Math.sqrt(2 * layers)));
  d.put("resid_dropout", layer("dropout", { p: DROPOUT }));
  d.output();
  return block("GPT2Attention", d.body());
}

function feedForward({ width, layers }: Sizes): Part {
  const d = new Drawing();
  d.input();
  d.put("c_fc", conv1d("c_fc", width, 4 * width, STD));
  d.put("act", layer("gelu", { approximate: "tanh" }));
  d.put("c_proj", conv1d("c_proj", 4 * width, width, STD / Math.sqrt(2 * layers)));
  d.put("dropout", layer("dropout", { p: DROPOUT }));
  d.output();
  return block("GPT2MLP", d.body());
}

/** GPT-2's Conv1D: a Linear layer whose weight is laid the other way round, [in, out]. */
function conv1d(name: string, into: number, out: number, std: number): Part {
  const d = new Drawing();
  const x = d.input();
  const weight = d.put("weight", layer("parameter", { shape: [into, out], init: "normal", scale: std }, "weight"), {});
  const product = d.put("product", layer("matmul"), { a: x, b: weight });
  const bias = d.put("bias", layer("parameter", { shape: [out], init: "zeros" }, "bias"), {});
  d.put("sum", layer("add"), { a: product, b: bias });
  d.output();
  return block(name, d.body());
}
