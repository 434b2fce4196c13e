import { defineComposed } from "./composed.ts";
import { p } from "./params.ts";
import { needFeatures } from "./transformer.ts";
import { coderParams, stackLayers } from "./transformer_coder.ts";

export const transformerDecoder = defineComposed({
  type: "transformer_decoder",
  title: "TransformerDecoder",
  category: "attention",
  doc: "Several TransformerDecoderLayers one behind the other, all reading the same memory: the half of a transformer that writes.",
  formula: "y = layerₙ(… layer₁(x, memory) …, memory)",
  when: "Behind a TransformerEncoder, to make one sequence from another.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.TransformerDecoder.html",
  keywords: ["transformer", "attention", "decoder", "seq2seq", "translation", "stack"],
  params: { ...coderParams, tgt_is_causal: p.bool({ default: true, doc: "Each step sees only itself and those before it." }) },
  inputs: {
    x: { doc: "What has been said, [N, steps, features]." },
    memory: { doc: "What the encoder made of the source, [N, other steps, features]." },
    memory_key_padding_mask: { doc: "True where the source is padding, [N, other steps].", dtype: "bool", optional: true },
  },
  summary: ({ num_layers, nhead }) => `${num_layers} layers, ${nhead} heads`,
  lookahead: ({ tgt_is_causal }) => (tgt_is_causal ? null : { name: "tgt_is_causal", value: true }),
  compose: (params, { x, memory_key_padding_mask }) =>
    needFeatures("TransformerDecoder", x, params.nhead) ??
    stackLayers("transformer_decoder_layer", params, ["memory", ...(memory_key_padding_mask ? ["memory_key_padding_mask"] : [])]),
  examples: [{ params: { num_layers: 2, nhead: 2, dim_feedforward: 8, norm: true }, inputs: { x: [2, 4, 6], memory: [2, 3, 6] } }],
});
