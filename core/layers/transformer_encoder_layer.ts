import { defineComposed, sketchBody } from "./composed.ts";
import { p, pythonCall } from "./params.ts";
import { feedForward, needFeatures, residualPart, transformerArguments, transformerParams } from "./transformer.ts";

export const transformerEncoderLayer = defineComposed({
  type: "transformer_encoder_layer",
  title: "TransformerEncoderLayer",
  category: "attention",
  doc: "One layer of a transformer: every step looks at the others, then thinks for itself, each with a shortcut around it.",
  formula: "x ← norm1(x + attention(x)), y = norm2(x + linear2(activation(linear1(x))))",
  when: "For text, patches of images, or any sequence. With is_causal it is the layer of a GPT. Stack some with TransformerEncoder or StackN.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.TransformerEncoderLayer.html",
  keywords: ["transformer", "attention", "bert", "gpt", "vit", "encoder"],
  params: { ...transformerParams, is_causal: p.bool({ default: false, doc: "Each step sees only itself and those before it." }) },
  inputs: { x: { doc: "[N, steps, features]." }, src_key_padding_mask: { doc: "True where a step is padding, [N, steps]; PaddingMask makes it.", dtype: "bool", optional: true } },
  summary: ({ nhead, dim_feedforward }) => `${nhead} heads, ${dim_feedforward} wide`,
  lookahead: ({ is_causal }) => (is_causal ? null : { name: "is_causal", value: true }),
  compose: (params, { x, src_key_padding_mask }) => {
    const wrong = needFeatures("TransformerEncoderLayer", x, params.nhead);
    if (wrong) return wrong;
    const { nhead, dropout, is_causal } = params;
    const mask: { [port: string]: string } = src_key_padding_mask ? { key_padding_mask: "src_key_padding_mask" } : {};
    const attention = residualPart(1, "x", params, "dropout1", (from) => ({
      self_attn: ["multihead_attention", { num_heads: nhead, dropout, is_causal }, { query: from, ...mask }],
    }));
    const thought = residualPart(2, attention.result, params, "dropout2", (from) => feedForward(from, Number(x.shape[2]), params));
    return sketchBody(["x", ...Object.keys(src_key_padding_mask ? { src_key_padding_mask } : {})], { ...attention.parts, ...thought.parts }, { y: thought.result });
  },
  torch: ({ nhead, is_causal, ...rest }, { inputs: { x } }) => ({
    module: pythonCall("nn.TransformerEncoderLayer", [x.shape[2] ?? 0, nhead], transformerArguments(rest)),
    forward: (self, { x, src_key_padding_mask }) => {
      const future = `src_mask=torch.ones(${x}.shape[1], ${x}.shape[1], dtype=torch.bool, device=${x}.device).triu(1)`;
      return `${self}(${[x, ...(is_causal ? [future] : []), ...(src_key_padding_mask === undefined ? [] : [`src_key_padding_mask=${src_key_padding_mask}`])].join(", ")})`;
    },
  }),
  examples: [
    { params: { nhead: 2, dim_feedforward: 8 }, inputs: { x: [2, 4, 6] } },
    { params: { nhead: 3, dim_feedforward: 5, activation: "gelu", norm_first: true, is_causal: true, layer_norm_eps: 1e-3 }, inputs: { x: [2, 4, 6] } },
  ],
});
