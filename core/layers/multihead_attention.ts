import { printShape, type Shape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { attentionCost, lowerAttention, writeAttention } from "./attention.ts";
import { divisorFixes } from "./convolution.ts";
import { linearWeights, symmetricUniform } from "./initializers.ts";
import { countPerSample, defineLayer, float32, type OnnxBuilder, type OnnxValue, onnxNode, type ProgramBuilder, type Value, type WeightPlan } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

/** Of an example: from its third step on none sees the first. */
const FIRST_HIDDEN = Array.from({ length: 2 * 4 * 4 }, (_, i) => (i % 4 === 0 && Math.floor(i / 4) % 4 >= 2 ? 1 : -1));

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
    key_padding_mask: { doc: "True where a key is padding, [N, other steps]; PaddingMask makes it.", dtype: "bool", optional: true },
    attn_mask: { doc: "True where a step may not look, [steps, other steps]; CausalMask makes one.", dtype: "bool", optional: true },
  },
  formula: "headᵢ = softmax((x Wqᵢ)(k Wkᵢ)ᵀ / √d) v Wvᵢ, y = [head₁, …, headₙ] Wo",
  when: "Wherever each step should use what others know: text, patches of images, sets. Its cost grows with the square of the length.",
  summary: ({ num_heads, is_causal }) => `${num_heads} heads${is_causal ? ", causal" : ""}`,
  lookahead: ({ is_causal }, wired) => (is_causal || wired.has("attn_mask") ? null : { name: "is_causal", value: true }),
  infer: ({ num_heads, bias }, { query: { shape: q }, key, value, key_padding_mask, attn_mask }) => {
    const k = key?.shape ?? q;
    const v = value?.shape ?? k;
    const features = q.at(-1);
    for (const [port, shape] of Object.entries({ query: q, key: k, value: v })) {
      if (shape.length !== 3 || shape[0] !== q[0]) {
        return {
          problem:
            port === "query"
              ? say("MultiheadAttention needs {port} as [N, steps, features] but receives {shape}.", { port, shape: printShape(shape) })
              : say("MultiheadAttention needs {port} as [N, steps, features] but receives {shape} beside query {q}.", { port, shape: printShape(shape), q: printShape(q) }),
          port,
        };
      }
      if (typeof shape[2] !== "number")
        return {
          problem: say("MultiheadAttention needs to know its number of features, but the last axis of {shape} is known only at run time.", { shape: printShape(shape) }),
          port,
        };
    }
    if (k[1] !== v[1]) return { problem: say("MultiheadAttention needs a value for every key but receives {k} and {v}.", { k: printShape(k), v: printShape(v) }), port: "value" };
    if (Number(features) % num_heads !== 0)
      return {
        problem: say("MultiheadAttention cannot split {features} features into {num_heads} heads.", { features: String(features), num_heads }),
        code: "GRAPH_PARAM",
        param: "num_heads",
        fixes: divisorFixes("num_heads", num_heads, Number(features)),
      };
    for (const [port, mask, wanted] of [
      ["key_padding_mask", key_padding_mask, k.slice(0, 2)],
      ["attn_mask", attn_mask, [...q.slice(1, 2), ...k.slice(1, 2)]],
    ] satisfies [string, TensorType | undefined, Shape][])
      if (mask && printShape(mask.shape) !== printShape(wanted))
        return { problem: say("MultiheadAttention needs {port} as {wanted} but receives {shape}.", { port, wanted: printShape(wanted), shape: printShape(mask.shape) }), port };
    return { outputs: { y: float32(q) }, weights: planWeights(Number(features), Number(k[2]), Number(v[2]), bias) };
  },
  lower: ({ num_heads, dropout, bias, is_causal }, { query, key = query, value = key, key_padding_mask, attn_mask }, b, { outputs: { y = query.type } }) => {
    const features = Number(query.type.shape[2]);
    const [q, k, v] = projectIn(b, query, key, value, bias);
    const [heads, otherHeads] = [query, key].map(({ type: { shape } }) => float32([shape[0] ?? 1, num_heads, shape[1] ?? 1, features / num_heads]));
    const split = (x: Value, type = heads) =>
      b.call("aten::transpose.int", [b.call("aten::unflatten.int", [x, -1, { ints: [num_heads, features / num_heads] }], x.type), 1, 2], type ?? x.type);
    const not = (mask: Value) => b.call("aten::logical_not", [mask], mask.type);
    const spread = (mask: Value) => {
      const [batch = 1, steps = 1] = mask.type.shape;
      const once = b.call("aten::unsqueeze", [mask, 1], { dtype: "bool", shape: [batch, 1, steps] });
      return b.call("aten::unsqueeze", [once, 1], { dtype: "bool", shape: [batch, 1, 1, steps] });
    };
    const real = key_padding_mask && spread(not(key_padding_mask));
    const allowed = attn_mask && not(attn_mask);
    const scores = [query.type.shape[0] ?? 1, 1, query.type.shape[1] ?? 1, key.type.shape[1] ?? 1];
    const mask = real && allowed ? b.call("aten::logical_and", [real, allowed], { dtype: "bool", shape: scores }) : (real ?? allowed);
    const attended = lowerAttention(b, split(q), split(k, otherHeads), split(v, otherHeads), { dropout, isCausal: is_causal }, heads ?? query.type, mask);
    const joined = b.call("aten::flatten.using_ints", [b.call("aten::transpose.int", [attended, 1, 2], attended.type), 2, -1], y);
    return { y: b.call("aten::linear", [joined, b.weight("out_proj.weight"), bias ? b.weight("out_proj.bias") : null], y) };
  },
  onnx: ({ num_heads, dropout, bias, is_causal }, { query, key = query, value = key, key_padding_mask, attn_mask }, b) => {
    const features = Number(query.type.shape[2]);
    const weights = isJoint(query.type.shape, key.type.shape, value.type.shape)
      ? thirds(b, b.weight("in_proj_weight"))
      : ["q", "k", "v"].map((name) => b.weight(`${name}_proj_weight`));
    const biases = bias ? thirds(b, b.weight("in_proj_bias")) : [];
    const split = ({ name, type: { shape } }: OnnxValue, i: number): OnnxValue => {
      const projected = project(b, name, weights[i] ?? "", biases[i]);
      const laid = onnxNode(b, "Reshape", [projected, b.constant([0, 0, num_heads, features / num_heads], [4], "int64")]);
      return { name: onnxNode(b, "Transpose", [laid], { perm: [0, 2, 1, 3] }), type: float32([shape[0] ?? 1, num_heads, shape[1] ?? 1, features / num_heads]) };
    };
    const real = key_padding_mask && onnxNode(b, "Unsqueeze", [onnxNode(b, "Not", [key_padding_mask.name]), b.constant([1, 2], [2], "int64")]);
    const allowed = attn_mask && onnxNode(b, "Not", [attn_mask.name]);
    const mask = real && allowed ? onnxNode(b, "And", [real, allowed]) : (real ?? allowed);
    const attended = writeAttention(b, split(query, 0), split(key, 1), split(value, 2), { dropout, isCausal: is_causal }, mask);
    const joined = onnxNode(b, "Reshape", [onnxNode(b, "Transpose", [attended], { perm: [0, 2, 1, 3] }), b.constant([0, 0, features], [3], "int64")]);
    return { y: project(b, joined, b.weight("out_proj.weight"), bias ? b.weight("out_proj.bias") : undefined) };
  },
  torch: ({ num_heads, dropout, bias, is_causal }, { inputs: { query, key = query, value = key } }) => ({
    module: pythonCall("nn.MultiheadAttention", [query.shape[2] ?? 0, num_heads], {
      dropout: [dropout, 0],
      bias: [bias, true],
      kdim: [Number(key.shape[2]), query.shape[2]],
      vdim: [Number(value.shape[2]), query.shape[2]],
      batch_first: [true, false],
    }),
    forward: (self, { query, key = query, value = key, key_padding_mask, attn_mask }) => {
      const future = `torch.ones(${query}.shape[1], ${key}.shape[1], dtype=torch.bool, device=${query}.device).triu(1)`;
      const masks = [...(attn_mask === undefined ? [] : [String(attn_mask)]), ...(is_causal ? [future] : [])];
      return `${self}(${[
        query,
        key,
        value,
        ...(key_padding_mask === undefined ? [] : [`key_padding_mask=${key_padding_mask}`]),
        "need_weights=False",
        ...(masks.length > 0 ? [`attn_mask=${masks.join(" | ")}`] : []),
      ].join(", ")})`;
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
    { params: { num_heads: 2 }, inputs: { query: [2, 3, 4], key: [2, 5, 6], value: [2, 5, 3] } },
    { params: { num_heads: 2, is_causal: true }, inputs: { query: [2, 4, 6], attn_mask: { dtype: "bool", shape: [4, 4] } }, values: { attn_mask: FIRST_HIDDEN } },
  ],
});

/** Whether query, key and value have the same features, so that PyTorch keeps their projections in one weight. */
function isJoint(query: Shape, key: Shape, value: Shape): boolean {
  return key[2] === query[2] && value[2] === query[2];
}

/**
 * PyTorch makes out_proj, which draws its weight and bias, before it draws the projections of the inputs (Xavier) and clears all biases.
 * @see https://github.com/pytorch/pytorch/blob/v2.13.0/torch/nn/modules/activation.py (MultiheadAttention.__init__, _reset_parameters)
 */
function planWeights(features: number, keyFeatures: number, valueFeatures: number, bias: boolean): { [name: string]: WeightPlan } {
  const { weight, bias: drawn } = linearWeights([features, features], bias ? features : null);
  const xavier = (out: number, into: number): WeightPlan => ({ shape: [out, into], init: symmetricUniform(Math.sqrt(3) * Math.sqrt(2 / (into + out))) });
  return {
    ...(weight ? { "out_proj.weight": weight } : {}),
    ...(drawn?.init.kind === "uniform" ? { "out_proj.bias": { shape: drawn.shape, init: { ...drawn.init, zero: true } } } : {}),
    ...(isJoint([1, 1, features], [1, 1, keyFeatures], [1, 1, valueFeatures])
      ? { in_proj_weight: xavier(3 * features, features) }
      : { q_proj_weight: xavier(features, features), k_proj_weight: xavier(features, keyFeatures), v_proj_weight: xavier(features, valueFeatures) }),
    ...(bias ? { in_proj_bias: { shape: [3 * features], init: { kind: "constant", value: 0 } } } : {}),
  };
}

/** The three projections of query, key and value; where all are the same tensor, in one product. */
function projectIn(b: ProgramBuilder, query: Value, key: Value, value: Value, bias: boolean): [Value, Value, Value] {
  const features = Number(query.type.shape[2]);
  const inBias = bias ? b.weight("in_proj_bias") : null;
  const third = (x: Value, axis: number, i: number, shape: Shape) => b.call("aten::narrow", [x, axis, i * features, features], float32(shape));
  const joint = isJoint(query.type.shape, key.type.shape, value.type.shape) ? b.weight("in_proj_weight") : null;
  if (joint && query.id === key.id && key.id === value.id) {
    const { shape } = query.type;
    const all = b.call("aten::linear", [query, joint, inBias], float32([...shape.slice(0, 2), 3 * features]));
    return [third(all, -1, 0, shape), third(all, -1, 1, shape), third(all, -1, 2, shape)];
  }
  const own = (x: Value, i: number) => {
    const weight = joint ? third(joint, 0, i, [features, features]) : b.weight(`${"qkv"[i]}_proj_weight`);
    return b.call("aten::linear", [x, weight, inBias && third(inBias, 0, i, [features])], float32([...x.type.shape.slice(0, 2), features]));
  };
  return [own(query, 0), own(key, 1), own(value, 2)];
}

function project(b: OnnxBuilder, x: string, weight: string, bias: string | undefined): string {
  const product = onnxNode(b, "MatMul", [x, onnxNode(b, "Transpose", [weight], { perm: [1, 0] })]);
  return bias === undefined ? product : onnxNode(b, "Add", [product, bias]);
}

function thirds(b: OnnxBuilder, weight: string): string[] {
  return b.node("Split", [weight], { axis: 0, num_outputs: 3 }, 3);
}
