import { say } from "../language/say.ts";
import { defineComposed, sketchBody } from "./composed.ts";
import { p, pythonCall } from "./params.ts";
import { feedForward, needFeatures, residualPart, transformerArguments, transformerParams } from "./transformer.ts";

export const transformerDecoderLayer = defineComposed({
  type: "transformer_decoder_layer",
  title: "TransformerDecoderLayer",
  category: "attention",
  doc: "One layer of a translating transformer: looks at what it has said so far, then at the source, then thinks for itself.",
  formula: "x ← norm1(x + attention(x)), x ← norm2(x + attention(x, memory)), y = norm3(x + linear2(activation(linear1(x))))",
  when: "Where one sequence is made from another: translation, summaries, captions. A GPT has no memory to read: take TransformerEncoderLayer with is_causal.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.TransformerDecoderLayer.html",
  keywords: ["transformer", "attention", "decoder", "cross-attention", "seq2seq", "translation"],
  params: { ...transformerParams, tgt_is_causal: p.bool({ default: true, doc: "Each step sees only itself and those before it." }) },
  inputs: {
    x: { doc: "What has been said, [N, steps, features]." },
    memory: { doc: "What the encoder made of the source, [N, other steps, features]." },
    memory_key_padding_mask: { doc: "True where the source is padding, [N, other steps].", dtype: "bool", optional: true },
  },
  summary: ({ nhead, dim_feedforward }) => `${nhead} heads, ${dim_feedforward} wide`,
  lookahead: ({ tgt_is_causal }) => (tgt_is_causal ? null : { name: "tgt_is_causal", value: true }),
  compose: (params, { x, memory, memory_key_padding_mask }) => {
    const wrong = needFeatures("TransformerDecoderLayer", x, params.nhead) ?? needFeatures("TransformerDecoderLayer", memory, params.nhead, "memory");
    if (wrong) return wrong;
    if (memory.shape[2] !== x.shape[2] || memory.shape[0] !== x.shape[0])
      return {
        problem: say("TransformerDecoderLayer needs a memory like x, of as many samples and features: {shape} beside {shape2}.", {
          shape: x.shape.join("×"),
          shape2: memory.shape.join("×"),
        }),
        port: "memory",
      };
    const { nhead, dropout, tgt_is_causal } = params;
    const mask: { [port: string]: string } = memory_key_padding_mask ? { key_padding_mask: "memory_key_padding_mask" } : {};
    const own = residualPart(1, "x", params, "dropout1", (from) => ({
      self_attn: ["multihead_attention", { num_heads: nhead, dropout, is_causal: tgt_is_causal }, { query: from }],
    }));
    const source = residualPart(2, own.result, params, "dropout2", (from) => ({
      multihead_attn: ["multihead_attention", { num_heads: nhead, dropout }, { query: from, key: "memory", ...mask }],
    }));
    const thought = residualPart(3, source.result, params, "dropout3", (from) => feedForward(from, Number(x.shape[2]), params));
    return sketchBody(["x", "memory", ...(memory_key_padding_mask ? ["memory_key_padding_mask"] : [])], { ...own.parts, ...source.parts, ...thought.parts }, { y: thought.result });
  },
  torch: ({ nhead, tgt_is_causal, ...rest }, { inputs: { x } }) => ({
    module: pythonCall("nn.TransformerDecoderLayer", [x.shape[2] ?? 0, nhead], transformerArguments(rest)),
    forward: (self, { x, memory, memory_key_padding_mask }) => {
      const future = `tgt_mask=torch.ones(${x}.shape[1], ${x}.shape[1], dtype=torch.bool, device=${x}.device).triu(1)`;
      const padding = memory_key_padding_mask === undefined ? [] : [`memory_key_padding_mask=${memory_key_padding_mask}`];
      return `${self}(${[x, memory, ...(tgt_is_causal ? [future] : []), ...padding].join(", ")})`;
    },
  }),
  examples: [
    { params: { nhead: 2, dim_feedforward: 8 }, inputs: { x: [2, 4, 6], memory: [2, 3, 6] } },
    { params: { nhead: 3, dim_feedforward: 5, norm_first: true, tgt_is_causal: false, activation: "gelu" }, inputs: { x: [2, 4, 6], memory: [2, 5, 6] } },
  ],
});
