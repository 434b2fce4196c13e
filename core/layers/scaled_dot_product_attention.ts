import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { attentionCost, lowerAttention, writeAttention } from "./attention.ts";
import { broadcast } from "./broadcast.ts";
import { defineLayer, float32 } from "./kit.ts";
import { p } from "./params.ts";

export const scaledDotProductAttention = defineLayer({
  type: "scaled_dot_product_attention",
  title: "ScaledDotProductAttention",
  category: "attention",
  doc: "Each query takes the mean of the values, weighted by how well their keys match it: attention without weights of its own.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.functional.scaled_dot_product_attention.html",
  keywords: ["sdpa", "transformer", "flash"],
  params: {
    dropout_p: p.float({ min: 0, max: 1, step: 0.05, default: 0, doc: "While training, switches off this share of the weights." }),
    is_causal: p.bool({ default: false, doc: "Each step sees only itself and those before it." }),
  },
  inputs: {
    query: { doc: "[N, ..., steps, depth]." },
    key: { doc: "[N, ..., other steps, depth]." },
    value: { doc: "[N, ..., other steps, any depth]." },
    attn_mask: { doc: "True where a query may look at a key; its shape stretches to [N, ..., steps, other steps].", dtype: "bool", optional: true },
  },
  summary: ({ is_causal }) => (is_causal ? "causal" : ""),
  formula: "y = softmax(q kᵀ / √d) v",
  when: "To build attention of your own; MultiheadAttention brings the projections along.",
  lookahead: ({ is_causal }, wired) => (is_causal || wired.has("attn_mask") ? null : { name: "is_causal", value: true }),
  infer: (_, { query: { shape: q }, key: { shape: k }, value: { shape: v }, attn_mask }) => {
    const came = `${printShape(q)}, ${printShape(k)} and ${printShape(v)}`;
    if (q.length < 3 || k.length !== q.length || v.length !== q.length)
      return { problem: say("ScaledDotProductAttention needs three tensors [N, ..., steps, depth] but receives {came}.", { came }), port: "query" };
    const batch = JSON.stringify(q.slice(0, -2));
    if (JSON.stringify(k.slice(0, -2)) !== batch || JSON.stringify(v.slice(0, -2)) !== batch)
      return { problem: say("ScaledDotProductAttention needs the same leading axes in query, key and value but receives {came}.", { came }), port: "key" };
    if (q.at(-1) !== k.at(-1)) return { problem: say("ScaledDotProductAttention needs query and key of the same depth but receives {came}.", { came }), port: "key" };
    if (typeof q.at(-1) !== "number")
      return { problem: say("ScaledDotProductAttention needs to know the depth, but the last axis of {q} is known only at run time.", { q: printShape(q) }), port: "query" };
    if (k.at(-2) !== v.at(-2)) return { problem: say("ScaledDotProductAttention needs a value for every key but receives {came}.", { came }), port: "value" };
    if (attn_mask) {
      const scores = [...q.slice(0, -1), k.at(-2) ?? 1];
      const mask = broadcast("ScaledDotProductAttention", scores, attn_mask.shape);
      if ("problem" in mask || printShape(mask.shape) !== printShape(scores))
        return {
          problem: say("The mask of ScaledDotProductAttention must stretch to {scores} but is {shape}.", { scores: printShape(scores), shape: printShape(attn_mask.shape) }),
          port: "attn_mask",
        };
    }
    return { outputs: { y: float32([...q.slice(0, -1), v.at(-1) ?? 1]) } };
  },
  lower: ({ dropout_p, is_causal }, { query, key, value, attn_mask }, b, { outputs: { y } }) => ({
    y: lowerAttention(b, query, key, value, { dropout: dropout_p, isCausal: is_causal }, y ?? query.type, attn_mask),
  }),
  onnx: ({ dropout_p, is_causal }, { query, key, value, attn_mask }, b) => ({
    y: writeAttention(b, query, key, value, { dropout: dropout_p, isCausal: is_causal }, attn_mask?.name),
  }),
  torch: ({ dropout_p, is_causal }) => ({
    forward: (_, { query, key, value, attn_mask }) => {
      const past = `torch.ones(${query}.shape[-2], ${key}.shape[-2], dtype=torch.bool, device=${query}.device).tril()`;
      const mask = attn_mask === undefined ? [] : [`attn_mask=${attn_mask}${is_causal ? ` & ${past}` : ""}`];
      return `F.scaled_dot_product_attention(${[query, key, value, ...mask, ...(dropout_p === 0 ? [] : [`dropout_p=${dropout_p} if self.training else 0.0`]), ...(is_causal && attn_mask === undefined ? ["is_causal=True"] : [])].join(", ")})`;
    },
  }),
  cost: (_, { inputs: { query, key, value } }) => ({ multiplyAdds: attentionCost(query.shape, key.shape, value.shape) }),
  examples: [
    { inputs: { query: [2, 2, 4, 8], key: [2, 2, 5, 8], value: [2, 2, 5, 6] } },
    { params: { is_causal: true }, inputs: { query: [2, 4, 8], key: [2, 4, 8], value: [2, 4, 8] } },
    { inputs: { query: [2, 4, 8], key: [2, 4, 8], value: [2, 4, 8], attn_mask: { dtype: "bool", shape: [1, 4] } } },
    { params: { is_causal: true, dropout_p: 0.1 }, inputs: { query: [2, 2, 4, 8], key: [2, 2, 4, 8], value: [2, 2, 4, 8] } },
  ],
});
