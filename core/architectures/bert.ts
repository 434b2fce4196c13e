import type { Body } from "../graph/document.ts";
import type { Architecture } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part, stack } from "./draw.ts";

type Sizes = { vocabulary: number; positions: number; layers: number; heads: number; width: number; inner: number };
const NORM = { eps: 1e-12 };
const DROPOUT = 0.1;
/** First and second text of a pair. */
const TEXT_KINDS = 2;

/** @see Devlin, Chang, Lee, Toutanova, BERT: pre-training of deep bidirectional transformers for language understanding, 2018 */
export const bertBase: Architecture = {
  id: "bert_base",
  title: "BERT base",
  doc: "Twelve layers of attention in which every word sees every other: a vector for each token, and one for the whole text to classify with. Takes a mask of what is text, and which text of a pair each token belongs to.",
  task: "Text encoder",
  source: "https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/bert/modeling_bert.py",
  licence: "Apache-2.0",
  input: ["T"],
  parameters: 109_482_240,
  firstWeights: "Norms as the original's; tables and Linear layers as PyTorch's do by default, where the original takes a normal distribution of deviation 0.02.",
  choices: { classes: { label: "Vocabulary", default: 30_522 } },
  build: ({ classes = 30_522 } = {}) => drawBert({ vocabulary: classes, positions: 512, layers: 12, heads: 12, width: 768, inner: 3072 }),
};

/** @see Wang, Wei, Dong, Bao, Yang, Zhou, MiniLM: deep self-attention distillation for task-agnostic compression of pre-trained transformers, 2020 */
export const minilm: Architecture = {
  ...bertBase,
  id: "minilm_l6",
  title: "MiniLM-L6",
  doc: "BERT in small, six layers of half its width, as sentence encoders use it: the mean over a text's vectors says what it means.",
  parameters: 22_713_216,
  build: ({ classes = 30_522 } = {}) => drawBert({ vocabulary: classes, positions: 512, layers: 6, heads: 12, width: 384, inner: 1536 }),
};

/** An encoder in the manner of BERT, of any size. Weights are called as in `BertModel`. */
export function drawBert(sizes: Sizes) {
  const d = new Drawing();
  const tokens = d.input("input_ids", { shape: ["T"], dtype: "int64" });
  const kinds = d.input("token_type_ids", { shape: ["T"], dtype: "int64" });
  const given = d.input("attention_mask", { shape: ["T"], dtype: "int64" });
  d.put("is_text", layer("not_equal"), given);
  const mask = d.put("mask", layer("reshape", { shape: [1, 1, -1] }, "mask"));
  const embedded = d.put("embeddings", embeddings(sizes), { input_ids: tokens, token_type_ids: kinds });
  const states = d.put("encoder", encoder(sizes), { x: embedded, mask });
  d.output(states, "last_hidden_state");
  const pooled = d.put("pooler", pooler(sizes.width), states);
  d.output(pooled, "pooler_output");
  return d.graph();
}

function embeddings({ vocabulary, positions, width }: Sizes): Part {
  const d = new Drawing();
  const tokens = d.input("input_ids");
  const kinds = d.input("token_type_ids");
  const table = (name: string, num_embeddings: number, options: { padding_idx?: number } = {}) => layer("embedding", { num_embeddings, embedding_dim: width, ...options }, name);
  const words = d.put("word_embeddings", table("words", vocabulary, { padding_idx: 0 }), tokens);
  const steps = d.put("position_ids", layer("arange"), { like: tokens });
  const places = d.put("position_embeddings", table("positions", positions), steps);
  const placed = d.put("placed", layer("add"), { a: words, b: places });
  const sides = d.put("token_type_embeddings", table("token types", TEXT_KINDS), kinds);
  d.put("sum", layer("add"), { a: placed, b: sides });
  d.put("LayerNorm", layer("layer_norm", NORM));
  d.put("dropout", layer("dropout", { p: DROPOUT }));
  d.output();
  return block("BertEmbeddings", d.body());
}

function encoder(sizes: Sizes): Part {
  return block(
    "BertEncoder",
    withMask((d, x, mask) => d.put("layer", stack("BertLayer", sizes.layers, encoderLayer(sizes)), { x, mask })),
  );
}

function encoderLayer(sizes: Sizes): Body {
  return withMask((d, x, mask) => {
    const attended = d.put("attention", attention(sizes), { x, mask });
    d.put(
      "intermediate",
      chain("BertIntermediate", [
        ["dense", layer("linear", { out_features: sizes.inner })],
        ["intermediate_act_fn", layer("gelu")],
      ]),
    );
    d.put("output", output(sizes.width), { x: "intermediate", residual: attended });
  });
}

function attention({ heads, width }: Sizes): Part {
  const self = withMask((d, x, mask) => {
    const split = (name: string) => {
      d.put(name, layer("linear", { out_features: width }, name), x);
      d.put(`${name}_heads`, layer("unflatten", { dim: -1, unflattened_size: [heads, width / heads] }));
      return d.put(`${name}_layer`, layer("transpose"));
    };
    const [query, key, value] = [split("query"), split("key"), split("value")];
    d.put("attention", layer("scaled_dot_product_attention", { dropout_p: DROPOUT }), { query, key, value, attn_mask: mask });
    d.put("steps_first", layer("transpose"));
    d.put("joined", layer("flatten", { start_dim: 2 }));
  });
  const body = withMask((d, x, mask) => {
    const attended = d.put("self", block("BertSelfAttention", self), { x, mask });
    d.put("output", output(width), { x: attended, residual: x });
  });
  return block("BertAttention", body);
}

/** Back to the model's width, onto what went past. */
function output(width: number): Part {
  const d = new Drawing();
  const x = d.input();
  const past = d.input("residual");
  d.put("dense", layer("linear", { out_features: width }), x);
  const dense = d.put("dropout", layer("dropout", { p: DROPOUT }));
  d.put("sum", layer("add"), { a: dense, b: past });
  d.put("LayerNorm", layer("layer_norm", NORM));
  d.output();
  return block("BertOutput", d.body());
}

function pooler(width: number): Part {
  const d = new Drawing();
  d.input();
  d.put("first", layer("select", { dim: 1, index: 0 }));
  d.put("dense", layer("linear", { out_features: width }));
  d.put("activation", layer("tanh"));
  d.output();
  return block("BertPooler", d.body());
}

/** A body with the inputs x and mask that gives what was drawn last. */
function withMask(write: (d: Drawing, x: string, mask: string) => void) {
  const d = new Drawing();
  const x = d.input();
  const mask = d.input("mask");
  write(d, x, mask);
  d.output();
  return d.body();
}
