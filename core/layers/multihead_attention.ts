import { printShape, type Shape } from "../graph/shape.ts";
import { attentionCost, lowerAttention, writeAttention } from "./attention.ts";
import { divisorFixes } from "./convolution.ts";
import { linearWeights, symmetricUniform } from "./initializers.ts";
import { countPerSample, defineLayer, float32, type OnnxBuilder, type OnnxValue, type ProgramBuilder, type Value, type WeightPlan } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const multiheadAttention = defineLayer({
  type: "multihead_attention",
  title: "MultiheadAttention",
  category: "attention",
  doc: "Lets every step look at every other and take what matters, in several ways at once: the heart of a transformer.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.MultiheadAttention.html",
  keywords: ["self-attention", "transformer", "heads", "cross-attention"],
  params: {
    num_heads: p.int({ min: 1, default: 4, doc: "How many ways of looking; must divide the features." }),
    dropout: p.float({ min: 0, max: 1, step: 0.05, default: 0, doc: "While training, switches off this share of the attention weights." }),
    bias: p.bool({ default: true, doc: "Adds learned numbers to the projections." }),
    is_causal: p.bool({ default: false, doc: "Each step sees only itself and those before it, as when predicting the next word." }),
  },
  inputs: {
    query: { doc: "[N, steps, features]; alone it attends to itself." },
    key: { doc: "What is looked at, [N, other steps, features].", optional: true },
    value: { doc: "What is taken from there; without it the key's.", optional: true },
  },
  summary: ({ num_heads, is_causal }) => `${num_heads} heads${is_causal ? ", causal" : ""}`,
  infer: ({ num_heads, bias }, { query: { shape: q }, key, value }) => {
    const k = key?.shape ?? q;
    const v = value?.shape ?? k;
    const features = q.at(-1);
    for (const [port, shape] of Object.entries({ query: q, key: k, value: v })) {
      if (shape.length !== 3 || shape[0] !== q[0] || shape[2] !== features) {
        return {
          problem: `MultiheadAttention needs ${port} as [N, steps, ${port === "query" ? "features" : features}] but receives ${printShape(shape)}${port === "query" ? "" : ` beside query ${printShape(q)}`}.`,
          port,
        };
      }
    }
    if (typeof features !== "number")
      return { problem: `MultiheadAttention needs to know its number of features, but the last axis of ${printShape(q)} is known only at run time.`, port: "query" };
    if (k[1] !== v[1]) return { problem: `MultiheadAttention needs a value for every key but receives ${printShape(k)} and ${printShape(v)}.`, port: "value" };
    if (features % num_heads !== 0)
      return {
        problem: `MultiheadAttention cannot split ${features} features into ${num_heads} heads.`,
        code: "GRAPH_PARAM",
        param: "num_heads",
        fixes: divisorFixes("num_heads", num_heads, features),
      };
    return { outputs: { y: float32(q) }, weights: planWeights(features, bias) };
  },
  lower: ({ num_heads, dropout, bias, is_causal }, { query, key = query, value = key }, b, { outputs: { y = query.type } }) => {
    const features = Number(query.type.shape[2]);
    const [q, k, v] = projectIn(b, query, key, value, bias);
    const [heads, otherHeads] = [query, key].map(({ type: { shape } }) => float32([shape[0] ?? 1, num_heads, shape[1] ?? 1, features / num_heads]));
    const split = (x: Value, type = heads) =>
      b.call("aten::transpose.int", [b.call("aten::unflatten.int", [x, -1, { ints: [num_heads, features / num_heads] }], x.type), 1, 2], type ?? x.type);
    const attended = lowerAttention(b, split(q), split(k, otherHeads), split(v, otherHeads), { dropout, isCausal: is_causal }, heads ?? query.type);
    const joined = b.call("aten::flatten.using_ints", [b.call("aten::transpose.int", [attended, 1, 2], attended.type), 2, -1], y);
    return { y: b.call("aten::linear", [joined, b.weight("out_proj.weight"), bias ? b.weight("out_proj.bias") : null], y) };
  },
  onnx: ({ num_heads, dropout, bias, is_causal }, { query, key = query, value = key }, b) => {
    const features = Number(query.type.shape[2]);
    const weights = thirds(b, b.weight("in_proj_weight"));
    const biases = bias ? thirds(b, b.weight("in_proj_bias")) : [];
    const split = ({ name, type: { shape } }: OnnxValue, i: number): OnnxValue => {
      const projected = project(b, name, weights[i] ?? "", biases[i]);
      const laid = one(b, "Reshape", [projected, b.constant([0, 0, num_heads, features / num_heads], [4], "int64")]);
      return { name: one(b, "Transpose", [laid], { perm: [0, 2, 1, 3] }), type: float32([shape[0] ?? 1, num_heads, shape[1] ?? 1, features / num_heads]) };
    };
    const attended = writeAttention(b, split(query, 0), split(key, 1), split(value, 2), { dropout, isCausal: is_causal });
    const joined = one(b, "Reshape", [one(b, "Transpose", [attended], { perm: [0, 2, 1, 3] }), b.constant([0, 0, features], [3], "int64")]);
    return { y: project(b, joined, b.weight("out_proj.weight"), bias ? b.weight("out_proj.bias") : undefined) };
  },
  torch: ({ num_heads, dropout, bias, is_causal }, { inputs: { query } }) => ({
    module: pythonCall("nn.MultiheadAttention", [query.shape[2] ?? 0, num_heads], { dropout: [dropout, 0], bias: [bias, true], batch_first: [true, false] }),
    forward: (self, { query, key = query, value = key }) => {
      const mask = `attn_mask=torch.ones(${query}.shape[1], ${key}.shape[1], dtype=torch.bool, device=${query}.device).triu(1)`;
      return `${self}(${[query, key, value, "need_weights=False", ...(is_causal ? [mask] : [])].join(", ")})`;
    },
    assign: ({ y }) => `${y}, _`,
  }),
  cost: (_, { inputs: { query, key = query, value = key } }) => {
    const features = Number(query.shape[2]);
    const projections = [query.shape, key.shape, value.shape, query.shape].reduce((sum, shape) => sum + countPerSample(shape) * features, 0);
    return { multiplyAdds: projections + attentionCost(query.shape, key.shape, value.shape) };
  },
  examples: [
    { params: { num_heads: 2 }, inputs: { query: [2, 4, 6] } },
    { params: { num_heads: 3, is_causal: true, bias: false }, inputs: { query: [2, 4, 6] } },
    { params: { num_heads: 2 }, inputs: { query: [2, 3, 4], key: [2, 5, 4], value: [2, 5, 4] } },
  ],
});

/**
 * PyTorch makes out_proj, which draws its weight and bias, before it draws in_proj_weight (Xavier) and clears both biases.
 * @see https://github.com/pytorch/pytorch/blob/v2.13.0/torch/nn/modules/activation.py (MultiheadAttention.__init__, _reset_parameters)
 */
function planWeights(features: number, bias: boolean): { [name: string]: WeightPlan } {
  const { weight, bias: drawn } = linearWeights([features, features], bias ? features : null);
  const xavier = Math.sqrt(3) * Math.sqrt(2 / (3 * features + features));
  return {
    ...(weight ? { "out_proj.weight": weight } : {}),
    ...(drawn?.init.kind === "uniform" ? { "out_proj.bias": { shape: drawn.shape, init: { ...drawn.init, zero: true } } } : {}),
    in_proj_weight: { shape: [3 * features, features], init: symmetricUniform(xavier) },
    ...(bias ? { in_proj_bias: { shape: [3 * features], init: { kind: "constant", value: 0 } } } : {}),
  };
}

/** The three projections of query, key and value, which share one weight; where all are the same tensor, in one product. */
function projectIn(b: ProgramBuilder, query: Value, key: Value, value: Value, bias: boolean): [Value, Value, Value] {
  const features = Number(query.type.shape[2]);
  const inWeight = b.weight("in_proj_weight");
  const inBias = bias ? b.weight("in_proj_bias") : null;
  const third = (x: Value, axis: number, i: number, shape: Shape) => b.call("aten::narrow", [x, axis, i * features, features], float32(shape));
  if (query.id === key.id && key.id === value.id) {
    const { shape } = query.type;
    const all = b.call("aten::linear", [query, inWeight, inBias], float32([...shape.slice(0, 2), 3 * features]));
    return [third(all, -1, 0, shape), third(all, -1, 1, shape), third(all, -1, 2, shape)];
  }
  const own = (x: Value, i: number) => b.call("aten::linear", [x, third(inWeight, 0, i, [features, features]), inBias && third(inBias, 0, i, [features])], x.type);
  return [own(query, 0), own(key, 1), own(value, 2)];
}

function project(b: OnnxBuilder, x: string, weight: string, bias: string | undefined): string {
  const product = one(b, "MatMul", [x, one(b, "Transpose", [weight], { perm: [1, 0] })]);
  return bias === undefined ? product : one(b, "Add", [product, bias]);
}

function thirds(b: OnnxBuilder, weight: string): string[] {
  return b.node("Split", [weight], { axis: 0, num_outputs: 3 }, 3);
}

function one(b: OnnxBuilder, ...[op, inputs, attributes]: Parameters<OnnxBuilder["node"]>): string {
  return b.node(op, inputs, attributes)[0] ?? "";
}
