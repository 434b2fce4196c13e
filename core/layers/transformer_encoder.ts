import { defineComposed } from "./composed.ts";
import { p } from "./params.ts";
import { needFeatures } from "./transformer.ts";
import { coderParams, stackLayers } from "./transformer_coder.ts";

export const transformerEncoder = defineComposed({
  type: "transformer_encoder",
  title: "TransformerEncoder",
  category: "attention",
  doc: "Several TransformerEncoderLayers one behind the other: the body of BERT, of vision transformers and, with is_causal, of GPT.",
  formula: "y = layerₙ(… layer₂(layer₁(x)))",
  when: "When the layers are all alike. To change one of them, open it as a block.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.TransformerEncoder.html",
  keywords: ["transformer", "attention", "bert", "gpt", "vit", "encoder", "stack"],
  params: { ...coderParams, is_causal: p.bool({ default: false, doc: "Each step sees only itself and those before it." }) },
  inputs: { x: { doc: "[N, steps, features]." }, src_key_padding_mask: { doc: "True where a step is padding, [N, steps]; PaddingMask makes it.", dtype: "bool", optional: true } },
  summary: ({ num_layers, nhead }) => `${num_layers} layers, ${nhead} heads`,
  lookahead: ({ is_causal }) => (is_causal ? null : { name: "is_causal", value: true }),
  compose: (params, { x, src_key_padding_mask }) =>
    needFeatures("TransformerEncoder", x, params.nhead) ?? stackLayers("transformer_encoder_layer", params, src_key_padding_mask ? ["src_key_padding_mask"] : []),
  examples: [
    { params: { num_layers: 2, nhead: 2, dim_feedforward: 8 }, inputs: { x: [2, 4, 6] } },
    { params: { num_layers: 2, nhead: 3, dim_feedforward: 5, norm_first: true, norm: true, is_causal: true }, inputs: { x: [2, 4, 6] } },
  ],
});
