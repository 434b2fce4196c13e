import type { Architecture } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part, stack } from "./draw.ts";

type Sizes = { vocabulary: number; positions: number; layers: number; heads: number; width: number; inner: number };
const NORM = { eps: 1e-12 };
const DROPOUT = 0.1;

/** @see Sanh, Debut, Chaumond, Wolf, DistilBERT, a distilled version of BERT: smaller, faster, cheaper and lighter, 2019 */
export const distilbertBase: Architecture = {
  id: "distilbert_base",
  title: "DistilBERT base",
  doc: "BERT with half its layers, taught by BERT: a vector for each token. Takes a mask of what is text.",
  task: "Text encoder",
  source: "https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/distilbert/modeling_distilbert.py",
  licence: "Apache-2.0",
  input: ["T"],
  parameters: 66_362_880,
  firstWeights: "Norms as the original's; tables and Linear layers as PyTorch's do by default, where the original takes a normal distribution of deviation 0.02.",
  choices: { classes: { label: "Vocabulary", default: 30_522 } },
  build: ({ classes = 30_522 } = {}) => drawDistilbert({ vocabulary: classes, positions: 512, layers: 6, heads: 12, width: 768, inner: 3072 }),
};

/** An encoder in the manner of DistilBERT, of any size. Weights are called as in `DistilBertModel`. */
function drawDistilbert(sizes: Sizes) {
  const d = new Drawing();
  const tokens = d.input("input_ids", { shape: ["T"], dtype: "int64" });
  const given = d.input("attention_mask", { shape: ["T"], dtype: "int64" });
  d.put("is_text", layer("not_equal"), given);
  const mask = d.put("mask", layer("reshape", { shape: [1, 1, -1] }, "mask"));
  const embedded = d.put("embeddings", embeddings(sizes), tokens);
  const t = new Drawing();
  const [x, m] = [t.input(), t.input("mask")];
  t.put("layer", stack("TransformerBlock", sizes.layers, transformerBlock(sizes)), { x, mask: m });
  t.output();
  d.output(d.put("transformer", block("Transformer", t.body()), { x: embedded, mask }), "last_hidden_state");
  return d.graph();
}

function embeddings({ vocabulary, positions, width }: Sizes): Part {
  const d = new Drawing();
  const tokens = d.input();
  const words = d.put("word_embeddings", layer("embedding", { num_embeddings: vocabulary, embedding_dim: width, padding_idx: 0 }, "words"), tokens);
  const steps = d.put("position_ids", layer("arange"), { like: tokens });
  const places = d.put("position_embeddings", layer("embedding", { num_embeddings: positions, embedding_dim: width }, "positions"), steps);
  d.put("sum", layer("add"), { a: words, b: places });
  d.put("LayerNorm", layer("layer_norm", NORM));
  d.put("dropout", layer("dropout", { p: DROPOUT }));
  d.output();
  return block("Embeddings", d.body());
}

function transformerBlock(sizes: Sizes) {
  const d = new Drawing();
  const x = d.input();
  const mask = d.input("mask");
  const attended = d.put("attention", attention(sizes), { x, mask });
  d.put("sum1", layer("add"), { a: attended, b: x });
  const seen = d.put("sa_layer_norm", layer("layer_norm", NORM));
  const thought = d.put(
    "ffn",
    chain("FFN", [
      ["lin1", layer("linear", { out_features: sizes.inner })],
      ["activation", layer("gelu")],
      ["lin2", layer("linear", { out_features: sizes.width })],
      ["dropout", layer("dropout", { p: DROPOUT })],
    ]),
  );
  d.put("sum2", layer("add"), { a: thought, b: seen });
  d.put("output_layer_norm", layer("layer_norm", NORM));
  d.output();
  return d.body();
}

function attention({ heads, width }: Sizes): Part {
  const d = new Drawing();
  const x = d.input();
  const mask = d.input("mask");
  const split = (name: string) => {
    d.put(name, layer("linear", { out_features: width }, name), x);
    d.put(`${name}_heads`, layer("unflatten", { dim: -1, unflattened_size: [heads, width / heads] }));
    return d.put(`${name}_layer`, layer("transpose"));
  };
  const [query, key, value] = [split("q_lin"), split("k_lin"), split("v_lin")];
  d.put("product", layer("scaled_dot_product_attention", { dropout_p: DROPOUT }), { query, key, value, attn_mask: mask });
  d.put("steps_first", layer("transpose"));
  d.put("joined", layer("flatten", { start_dim: 2 }));
  d.put("out_lin", layer("linear", { out_features: width }));
  d.output();
  return block("DistilBertSelfAttention", d.body());
}
