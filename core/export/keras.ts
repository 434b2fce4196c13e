import type { Preprocess } from "../data/manifest.ts";
import { KerasHasNone, printKeras } from "../expression/keras.ts";
import type { Body, Graph } from "../graph/document.ts";
import { bodyOf, foldBody, requirePredicting, type Step } from "../graph/fold.ts";
import { type BodyStep, weightName } from "../graph/path.ts";
import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { singleInputs } from "../layers/composed.ts";
import type { Inputs } from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import { perAxis, pythonTuple } from "../layers/params.ts";
import { handOver } from "../layers/stack.ts";
import { isMeasure, lowerModel } from "../program/lower.ts";
import { className, Identifiers, quote, RESERVED_NAMES } from "./python.ts";

/** Layers that Keras cannot say, with the reason for each. */
export class KerasUnsupported extends Error {
  readonly code = "KERAS_UNSUPPORTED";
  readonly layers: { node: string; title: string; why: string }[];
  constructor(layers: KerasUnsupported["layers"]) {
    const [first] = layers;
    super(`Keras has no counterpart of ${layers.length === 1 ? "one node" : `${layers.length} nodes`}: ${first?.title} (${first?.node}), since ${first?.why}`);
    this.name = "KerasUnsupported";
    this.layers = layers;
  }
}

/** Why one node cannot be said. */
class Unsayable extends Error {}

export type KerasOptions = { name?: string /** Of the training data: put inside, so that the model takes the data as it is stored. */; preprocess?: Preprocess };

/**
 * The model as a Keras 3 script that builds it with the functional API and loads its weights from the `.npz`. Images keep their
 * channels first, as everywhere here, so that the numbers are the same; that needs a backend which can (torch or jax).
 *
 * The graph must be free of errors.
 * @throws KerasUnsupported
 */
export function exportKeras(whole: Graph, { name = "Model", preprocess }: KerasOptions = {}): string {
  const { graph, checked } = requirePredicting(whole);
  const program = lowerModel(graph, { preprocess });
  const variables = new Identifiers([...RESERVED_NAMES, "keras", "layers", "ops", "np", "os", "sys", "model", "w", "build", "load"]);
  const lines: string[] = [];
  const loads: string[] = [];
  const unsupported: KerasUnsupported["layers"] = [];

  function fold(body: Body, steps: readonly BodyStep[], args: { [name: string]: string }): { [name: string]: string } {
    return foldBody<string>(checked, body, steps, args, (step, inputs) => visit(step, inputs));
  }

  function visit(step: Step, inputs: Inputs<string>): { [port: string]: string } {
    const { node, layer, path, steps, types } = step;
    if (layer.boundary) return layer.boundary.kind === "input" && typeof inputs.x === "string" ? { y: inputs.x } : {};
    const outputs = Object.keys(types.outputs);
    if (node.type === "block" || (layer.compose && !layer.bodies)) {
      return fold(bodyOf(checked, step, "body"), [...steps, { node: node.id, role: "body" }], singleInputs(inputs));
    }
    const single = singleInputs(inputs);
    try {
      if (node.type === "stack") {
        if (step.params.share_weights && Number(step.params.n) > 1) throw new Unsayable("its copies share their weights, which a script that names every layer once cannot say.");
        let carried = single;
        let given: { [port: string]: string } = {};
        for (const role of Object.keys(checked.composed.get(path) ?? {})) {
          given = fold(bodyOf(checked, step, role), [...steps, { node: node.id, role }], carried);
          carried = handOver(carried, given);
        }
        return given;
      }
      if (node.type === "expression") {
        const printed = printKeras(String(step.params.expression), single, (wanted) => variables.fresh(wanted));
        lines.push(...printed.lines);
        return Object.fromEntries(
          outputs.map((port) => {
            const variable = variables.fresh(outputs.length === 1 ? node.id : `${node.id}_${port}`);
            lines.push(`${variable} = ${printed.outputs[port] ?? "None"}`);
            return [port, variable];
          }),
        );
      }
      const rule = Object.hasOwn(RULES, node.type) ? RULES[node.type] : undefined;
      if (!rule) throw new Unsayable("there is no such layer in Keras.");
      const kerasName = path.replaceAll("/", "_").replaceAll(/[^\w-]/g, "_");
      const written = rule({
        params: step.params as Given["params"],
        inputs,
        in: shapesOf(types.inputs),
        out: Object.fromEntries(Object.entries(types.outputs).map(([port, { shape }]) => [port, shape])),
        name: `name=${quote(kerasName)}`,
        w: (weight) => `w[${quote(checked.shared.get(weightName(path, weight)) ?? weightName(path, weight))}]`,
      });
      const { code, weights = [] } = typeof written === "string" ? { code: written } : written;
      const named = outputs.map((port) => variables.fresh(outputs.length === 1 ? node.id : `${node.id}_${port}`));
      lines.push(`${named.join(", ")} = ${code}`);
      if (weights.length > 0) loads.push(`model.get_layer(${quote(kerasName)}).set_weights([${weights.join(", ")}])`);
      return Object.fromEntries(outputs.map((port, i) => [port, named[i] ?? ""]));
    } catch (error) {
      if (!(error instanceof Unsayable || error instanceof KerasHasNone)) throw error;
      unsupported.push({ node: node.name ?? path, title: layer.title, why: error.message });
      return Object.fromEntries(outputs.map((port) => [port, "None"]));
    }
  }

  const inputs = program.inputs.map((input) => {
    const variable = variables.of(input.name);
    const sizes = input.shape.slice(1).map((size) => (typeof size === "number" ? String(size) : "None"));
    lines.push(
      `${variable} = keras.Input((${sizes.join(", ")}${sizes.length === 1 ? "," : ""}), ${input.dtype === "float32" ? "" : `dtype=${quote(input.dtype)}, `}name=${quote(variable)})`,
    );
    return { ...input, variable };
  });
  const args = Object.fromEntries(
    inputs.map(({ name, node, variable }) => {
      const type = checked.types.get(node)?.outputs.y;
      return [name, preprocess && type && isMeasure(type) ? normalize(variable, node) : variable];
    }),
  );
  const results = fold(graph, [], args);
  if (unsupported.length > 0) throw new KerasUnsupported(unsupported);
  const outputs = bodyOutputs(graph)
    .map(({ name }) => name)
    .sort();
  lines.push(`return keras.Model(${list(inputs.map(({ variable }) => variable))}, ${list(outputs.map((output) => results[output] ?? "None"))}, name=${quote(className(name))})`);
  const usesOps = lines.some((line) => /\bops\./.test(line));
  const usesLayers = lines.some((line) => /\blayers\./.test(line));
  const example = inputs.map(({ dtype, shape }) => {
    const sizes = pythonTuple(shape.map((size) => (typeof size === "number" ? size : size === "B" ? 4 : 8)));
    return dtype === "float32" ? `np.random.rand(*${sizes}).astype("float32")` : `np.random.randint(0, ${dtype === "uint8" ? 256 : 2}, ${sizes})`;
  });
  return `${[
    "import os",
    "import sys",
    "",
    "# Channels come first, as in PyTorch; TensorFlow on the CPU cannot compute that, torch and jax can.",
    'os.environ.setdefault("KERAS_BACKEND", "torch")',
    "",
    "import keras",
    "import numpy as np",
    ...(usesLayers || usesOps ? [`from keras import ${[...(usesLayers ? ["layers"] : []), ...(usesOps ? ["ops"] : [])].join(", ")}`] : []),
    "",
    'keras.config.set_image_data_format("channels_first")',
    "",
    "",
    "def build():",
    ...lines.map((line) => `    ${line}`),
    "",
    "",
    "def load(model, path):",
    '    """Weights as PyTorch lays them out, laid out as Keras wants them."""',
    ...(loads.length > 0 ? ["    w = np.load(path)", ...loads.map((line) => `    ${line}`)] : ["    pass"]),
    "",
    "",
    'if __name__ == "__main__":',
    "    model = build()",
    '    load(model, sys.argv[1] if len(sys.argv) > 1 else "model.npz")',
    "    model.summary()",
    `    print(model(${list(example)}))`,
  ].join("\n")}\n`;

  /** (x · scale − mean) / std, with the moments that the program has. */
  function normalize(variable: string, node: string): string {
    const moment = (part: "mean" | "std") => {
      const weight = program.weights.find(({ name }) => name === weightName(node, part));
      return weight?.init.kind === "values" ? `np.array(${JSON.stringify(weight.init.values)}, dtype="float32").reshape(${pythonTuple(weight.shape)})` : null;
    };
    const [mean, std] = [moment("mean"), moment("std")];
    const measured = variables.fresh(`${variable}_measured`);
    const value = `ops.cast(${variable}, "float32")${preprocess && preprocess.scale !== 1 ? ` * ${preprocess.scale}` : ""}`;
    lines.push(`${measured} = ${std ? `(${mean ? `${value} - ${mean}` : value}) / ${std}` : mean ? `${value} - ${mean}` : value}`);
    return measured;
  }
}

function list(items: string[]): string {
  return items.length === 1 ? (items[0] ?? "") : `[${items.join(", ")}]`;
}

/** What a rule is given: parameters, variables and shapes of the inputs, and how to name a weight of the `.npz`. */
type Given = {
  params: { [name: string]: never };
  inputs: Inputs<string>;
  in: { [port: string]: Shape };
  out: { [port: string]: Shape };
  name: string;
  w: (weight: string) => string;
};
/** An expression for the outputs; and the layer's weights in Keras' order, where it has some. */
type Written = string | { code: string; weights: string[] };
type Rule = (given: Given) => Written;

function shapesOf(types: Inputs<{ shape: Shape }>): { [port: string]: Shape } {
  return Object.fromEntries(Object.entries(types).flatMap(([port, type]) => (type && !Array.isArray(type) ? [[port, type.shape]] : [])));
}

function refuse(why: string): never {
  throw new Unsayable(why);
}

/** A parameter by name; the layer's own schema says its type. */
function param<T>(given: Given, name: string): T {
  return given.params[name] as T;
}

function python(value: number | boolean | number[]): string {
  return typeof value === "boolean" ? (value ? "True" : "False") : pythonTuple(value);
}

const call =
  (callee: string, ...args: ((given: Given) => string)[]): Rule =>
  (given) =>
    `${callee}(${[given.inputs.x ?? given.inputs.a, ...args.map((arg) => arg(given))].join(", ")})`;
const named =
  (ours: string, theirs = ours) =>
  (given: Given) =>
    `${theirs}=${python(param(given, ours))}`;

/** Sizes of a tensor without the batch, all known. */
function known(shape: Shape | undefined): number[] {
  const sizes = (shape ?? []).slice(1);
  if (!sizes.every((size) => typeof size === "number")) return refuse(say("of {value} a size is known only at run time.", { value: printShape(shape ?? []) }));
  return sizes;
}

/** Zeros around an image, where a layer has them of its own in PyTorch. */
function padded(x: unknown, padding: number[], axes: number): string {
  if (padding.every((pad) => pad === 0)) return String(x);
  return `layers.ZeroPadding${axes}D(${axes === 1 ? padding[0] : `(${padding.map((pad) => `(${pad}, ${pad})`).join(", ")})`})(${x})`;
}

const convolution =
  (axes: 1 | 2 | 3): Rule =>
  (given) => {
    const kernel = perAxis(param(given, "kernel_size"), axes);
    const stride = perAxis(param(given, "stride"), axes);
    const dilation = perAxis(param(given, "dilation"), axes);
    const padding = param<number | number[] | "same" | "valid">(given, "padding");
    if (param(given, "padding_mode") !== "zeros") refuse(say("Keras pads with zeros alone."));
    if (stride.some((s) => s !== 1) && dilation.some((d) => d !== 1)) refuse(say("Keras takes either a stride or a dilation."));
    const pads = typeof padding === "string" ? kernel.map(() => 0) : perAxis(padding, axes);
    const bias = param<boolean>(given, "bias");
    const groups = param<number>(given, "groups");
    const args = [
      param<number>(given, "out_channels"),
      python(sized(kernel)),
      ...(stride.some((s) => s !== 1) ? [`strides=${python(sized(stride))}`] : []),
      ...(padding === "same" ? ['padding="same"'] : []),
      ...(dilation.some((d) => d !== 1) ? [`dilation_rate=${python(sized(dilation))}`] : []),
      ...(groups === 1 ? [] : [`groups=${groups}`]),
      ...(bias ? [] : ["use_bias=False"]),
      given.name,
    ];
    return {
      code: `layers.Conv${axes}D(${args.join(", ")})(${padded(given.inputs.x, pads, axes)})`,
      weights: [`${given.w("weight")}.transpose(${[...Array(axes).keys()].map((axis) => axis + 2).join(", ")}, 1, 0)`, ...(bias ? [given.w("bias")] : [])],
    };
  };

function sized(values: number[]): number | number[] {
  return values.every((value) => value === values[0]) ? (values[0] ?? 1) : values;
}

const transposed =
  (axes: 1 | 2): Rule =>
  (given) => {
    const [padding, output, dilation] = ["padding", "output_padding", "dilation"].map((name) => perAxis(param(given, name), axes));
    if (param(given, "groups") !== 1) refuse(say("Keras' transposed convolution has no groups."));
    if (output?.some((pad) => pad !== 0) || dilation?.some((d) => d !== 1)) refuse(say("Keras lays output_padding and dilation out differently."));
    const kernel = perAxis(param(given, "kernel_size"), axes);
    const stride = perAxis(param(given, "stride"), axes);
    if (kernel.some((k, i) => k < (stride[i] ?? 1))) refuse(say("with a stride above its kernel, Keras gives another size."));
    const bias = param<boolean>(given, "bias");
    const made = `layers.Conv${axes}DTranspose(${[param<number>(given, "out_channels"), python(sized(kernel)), `strides=${python(sized(stride))}`, ...(bias ? [] : ["use_bias=False"]), given.name].join(", ")})(${given.inputs.x})`;
    const crop = padding?.some((pad) => pad !== 0)
      ? `layers.Cropping${axes}D(${axes === 1 ? padding[0] : `(${padding.map((pad) => `(${pad}, ${pad})`).join(", ")})`})(${made})`
      : made;
    return { code: crop, weights: [`${given.w("weight")}.transpose(${[...Array(axes).keys()].map((axis) => axis + 2).join(", ")}, 1, 0)`, ...(bias ? [given.w("bias")] : [])] };
  };

const pooling =
  (kind: "max" | "avg", axes: 1 | 2 | 3): Rule =>
  (given) => {
    const kernel = perAxis(param(given, "kernel_size"), axes);
    const strideParam = param<number | number[] | "kernel">(given, "stride");
    const stride = strideParam === "kernel" ? kernel : perAxis(strideParam, axes);
    const padding = perAxis(param(given, "padding"), axes);
    if (param(given, "ceil_mode")) refuse(say("Keras' pooling rounds sizes down alone (ceil_mode)."));
    if (kind === "max" && perAxis(param(given, "dilation"), axes).some((d) => d !== 1)) refuse(say("Keras' pooling has no dilation."));
    const isPadded = padding.some((pad) => pad !== 0);
    if (kind === "avg" && isPadded && !param(given, "count_include_pad")) refuse(say("Keras cannot leave padding out of the mean."));
    const x =
      kind === "max" && isPadded
        ? `ops.pad(${given.inputs.x}, ((0, 0), (0, 0), ${padding.map((pad) => `(${pad}, ${pad})`).join(", ")}), constant_values=-np.inf)`
        : padded(given.inputs.x, padding, axes);
    return `layers.${kind === "max" ? "Max" : "Average"}Pooling${axes}D(${python(sized(kernel))}${stride.join() === kernel.join() ? "" : `, strides=${python(sized(stride))}`}, ${given.name})(${x})`;
  };

/** Adaptive pooling, where every window has the same size. */
const adaptive =
  (kind: "avg" | "max", axes: 1 | 2 | 3): Rule =>
  (given) => {
    const wanted = perAxis(param(given, "output_size"), axes);
    const op = kind === "avg" ? "mean" : "max";
    if (wanted.every((size) => size === 1)) return `ops.${op}(${given.inputs.x}, axis=${pythonTuple([...Array(axes).keys()].map((axis) => axis + 2))}, keepdims=True)`;
    const sizes = known(given.in.x).slice(1);
    if (sizes.some((size, i) => size % (wanted[i] ?? 1) !== 0)) refuse(say("its windows have different sizes."));
    const kernel = sizes.map((size, i) => size / (wanted[i] ?? 1));
    return `layers.${kind === "avg" ? "Average" : "Max"}Pooling${axes}D(${python(sized(kernel))}, ${given.name})(${given.inputs.x})`;
  };

const batchNorm: Rule = (given) => {
  if (!param(given, "track_running_stats")) return refuse(say("Keras keeps running averages always."));
  const affine = param<boolean>(given, "affine");
  const momentum = Math.round((1 - param<number>(given, "momentum")) * 1e9) / 1e9;
  return {
    code: `layers.BatchNormalization(axis=1, momentum=${momentum}, epsilon=${param<number>(given, "eps")}${affine ? "" : ", center=False, scale=False"}, ${given.name})(${given.inputs.x})`,
    weights: [...(affine ? [given.w("weight"), given.w("bias")] : []), given.w("running_mean"), given.w("running_var")],
  };
};

const layerNorm: Rule = (given) => {
  const axes = param<number>(given, "axes");
  const affine = param<boolean>(given, "elementwise_affine");
  const bias = affine && param<boolean>(given, "bias");
  return {
    code: `layers.LayerNormalization(axis=${JSON.stringify(Array.from({ length: axes }, (_, i) => i - axes))}, epsilon=${param<number>(given, "eps")}${bias ? "" : ", center=False"}${affine ? "" : ", scale=False"}, ${given.name})(${given.inputs.x})`,
    weights: [...(affine ? [given.w("weight")] : []), ...(bias ? [given.w("bias")] : [])],
  };
};

/** Keras' gates stand in another order than PyTorch's: `order[i]` is PyTorch's index of Keras' gate i. */
const recurrent =
  (kind: "LSTM" | "GRU", order: readonly number[]): Rule =>
  (given) => {
    if (param(given, "num_layers") !== 1 || param(given, "bidirectional")) return refuse(say("one layer that reads forwards can be written; stack several nodes instead."));
    if (!param(given, "batch_first")) return refuse(say("Keras has the batch first."));
    if (given.inputs.lengths || given.inputs.h0 || given.inputs.c0) return refuse(say("lengths and first memories are passed in another way in Keras."));
    const hidden = param<number>(given, "hidden_size");
    const bias = param<boolean>(given, "bias");
    const gates = (weight: string) => `np.concatenate([${order.map((gate) => `${given.w(weight)}[${gate * hidden}:${(gate + 1) * hidden}]`).join(", ")}])`;
    const summed = kind === "LSTM" ? `${gates("bias_ih_l0")} + ${gates("bias_hh_l0")}` : `np.stack([${gates("bias_ih_l0")}, ${gates("bias_hh_l0")}])`;
    const made = `layers.${kind}(${hidden}, return_sequences=True, return_state=True${bias ? "" : ", use_bias=False"}, ${given.name})(${given.inputs.x})`;
    // PyTorch's memory has an axis for layers in front.
    const states = kind === "LSTM" ? 2 : 1;
    return {
      code: `(lambda y, *s: (y, ${Array.from({ length: states }, (_, i) => `ops.expand_dims(s[${i}], 0)`).join(", ")}))(*${made})`,
      weights: [`${gates("weight_ih_l0")}.T`, `${gates("weight_hh_l0")}.T`, ...(bias ? [summed] : [])],
    };
  };

const attention: Rule = (given) => {
  const { query, key = query, value = key, key_padding_mask, attn_mask } = given.inputs;
  if (key_padding_mask || attn_mask) return refuse(say("masks are passed in another way in Keras."));
  const width = Number(given.in.query?.at(-1));
  const heads = param<number>(given, "num_heads");
  const each = width / heads;
  if ([given.in.key, given.in.value].some((shape) => shape && shape.at(-1) !== width)) return refuse(say("keys and values have another width than the queries."));
  const bias = param<boolean>(given, "bias");
  const part = (i: number) => `${given.w("in_proj_weight")}[${i * width}:${(i + 1) * width}].T.reshape(${width}, ${heads}, ${each})`;
  const shift = (i: number) => `${given.w("in_proj_bias")}[${i * width}:${(i + 1) * width}].reshape(${heads}, ${each})`;
  // Keras lists query, key, value; each with its bias.
  const parts = [0, 1, 2].flatMap((i) => [part(i), ...(bias ? [shift(i)] : [])]);
  return {
    code: `layers.MultiHeadAttention(${heads}, ${each}, dropout=${param<number>(given, "dropout")}${bias ? "" : ", use_bias=False"}, ${given.name})(${query}, ${value}, key=${key}${param(given, "is_causal") ? ", use_causal_mask=True" : ""})`,
    weights: [...parts, `${given.w("out_proj.weight")}.T.reshape(${heads}, ${each}, ${width})`, ...(bias ? [given.w("out_proj.bias")] : [])],
  };
};

const arithmetic =
  (symbol: string): Rule =>
  (given) => {
    const { a, b } = given.inputs;
    const value = param<number>(given, "value");
    const number = value < 0 ? `(${value})` : String(value);
    return b !== undefined ? `${a} ${symbol} ${b}` : param(given, "reverse") ? `${number} ${symbol} ${a}` : `${a} ${symbol} ${number}`;
  };
const extreme =
  (op: string): Rule =>
  (given) =>
    `ops.${op}(${given.inputs.a}, ${given.inputs.b ?? param<number>(given, "value")})`;
const comparison =
  (symbol: string): Rule =>
  (given) =>
    `${given.inputs.x} ${symbol} ${given.inputs.other ?? param<number>(given, "value")}`;

/** Axes counted from the front; an empty list means all. */
function axesOf(given: Given): string {
  const rank = given.in.x?.length ?? 0;
  const dim = param<number[]>(given, "dim");
  return pythonTuple((dim.length === 0 ? [...Array(rank).keys()] : dim).map((axis) => (axis < 0 ? axis + rank : axis)));
}
const reduction =
  (op: string): Rule =>
  (given) =>
    `ops.${op}(${given.inputs.x}, axis=${axesOf(given)}${param(given, "keepdim") ? ", keepdims=True" : ""})`;

const dropout =
  (layer: string): Rule =>
  (given) =>
    `layers.${layer}(${param<number>(given, "p")}, ${given.name})(${given.inputs.x})`;

/** Every layer that Keras can say, by type. */
const RULES: { [type: string]: Rule | undefined } = {
  abs: call("ops.abs"),
  adaptive_avg_pool1d: adaptive("avg", 1),
  adaptive_avg_pool2d: adaptive("avg", 2),
  adaptive_avg_pool3d: adaptive("avg", 3),
  adaptive_max_pool1d: adaptive("max", 1),
  adaptive_max_pool2d: adaptive("max", 2),
  add: arithmetic("+"),
  argmax: (given) => `ops.argmax(${given.inputs.x}, axis=${param<number>(given, "dim")}${param(given, "keepdim") ? ", keepdims=True" : ""})`,
  argmin: (given) => `ops.argmin(${given.inputs.x}, axis=${param<number>(given, "dim")}${param(given, "keepdim") ? ", keepdims=True" : ""})`,
  avg_pool1d: pooling("avg", 1),
  avg_pool2d: pooling("avg", 2),
  avg_pool3d: pooling("avg", 3),
  batch_norm1d: batchNorm,
  batch_norm2d: batchNorm,
  batch_norm3d: batchNorm,
  bmm: (given) => `ops.matmul(${given.inputs.a}, ${given.inputs.b})`,
  cast: (given) => `ops.cast(${given.inputs.x}, ${quote(param<string>(given, "dtype"))})`,
  celu: call("ops.celu", named("alpha")),
  clamp: (given) => {
    const [low, high] = [param<number | "none">(given, "min"), param<number | "none">(given, "max")];
    return `ops.clip(${given.inputs.x}, ${low === "none" ? "-np.inf" : low}, ${high === "none" ? "np.inf" : high})`;
  },
  concat: (given) => `ops.concatenate([${[given.inputs.x].flat().join(", ")}], axis=${param<number>(given, "dim")})`,
  conv1d: convolution(1),
  conv2d: convolution(2),
  conv3d: convolution(3),
  conv_transpose1d: transposed(1),
  conv_transpose2d: transposed(2),
  cos: call("ops.cos"),
  cumsum: call("ops.cumsum", named("dim", "axis")),
  detach: call("ops.stop_gradient"),
  div: arithmetic("/"),
  dropout: dropout("Dropout"),
  dropout1d: dropout("SpatialDropout1D"),
  dropout2d: dropout("SpatialDropout2D"),
  dropout3d: dropout("SpatialDropout3D"),
  elu: call("ops.elu", named("alpha")),
  embedding: (given) => ({
    code: `layers.Embedding(${param<number>(given, "num_embeddings")}, ${param<number>(given, "embedding_dim")}, ${given.name})(${given.inputs.x})`,
    weights: [given.w("weight")],
  }),
  equal: (given) => `ops.equal(${given.inputs.x}, ${given.inputs.other ?? param<number>(given, "value")})`,
  exp: call("ops.exp"),
  flatten: (given) => `ops.reshape(${given.inputs.x}, ${pythonTuple([-1, ...known(given.out.y)])})`,
  flip: (given) => `ops.flip(${given.inputs.x}, axis=${pythonTuple(param<number[]>(given, "dims"))})`,
  gelu: (given) => `ops.gelu(${given.inputs.x}, approximate=${param(given, "approximate") === "tanh" ? "True" : "False"})`,
  global_avg_pool: (given) => {
    const axes = (given.in.x?.length ?? 2) - 2;
    return `ops.mean(${given.inputs.x}, axis=${pythonTuple([...Array(axes).keys()].map((axis) => axis + 2))}${param(given, "keepdim") ? ", keepdims=True" : ""})`;
  },
  glu: call("ops.glu", named("dim", "axis")),
  greater: comparison(">"),
  greater_equal: comparison(">="),
  group_norm: (given) => ({
    code: `layers.GroupNormalization(${param<number>(given, "num_groups")}, axis=1, epsilon=${param<number>(given, "eps")}${param(given, "affine") ? "" : ", center=False, scale=False"}, ${given.name})(${given.inputs.x})`,
    weights: param(given, "affine") ? [given.w("weight"), given.w("bias")] : [],
  }),
  gru: recurrent("GRU", [1, 0, 2]),
  hardshrink: call("ops.hard_shrink", named("lambd", "threshold")),
  hardsigmoid: call("ops.hard_sigmoid"),
  hardswish: call("ops.hard_silu"),
  hardtanh: (given) => `ops.clip(${given.inputs.x}, ${param<number>(given, "min_val")}, ${param<number>(given, "max_val")})`,
  identity: (given) => String(given.inputs.x),
  layer_norm: layerNorm,
  leaky_relu: call("ops.leaky_relu", named("negative_slope")),
  less: comparison("<"),
  less_equal: comparison("<="),
  linear: (given) => {
    const bias = param<boolean>(given, "bias");
    return {
      code: `layers.Dense(${param<number>(given, "out_features")}${bias ? "" : ", use_bias=False"}, ${given.name})(${given.inputs.x})`,
      weights: [`${given.w("weight")}.T`, ...(bias ? [given.w("bias")] : [])],
    };
  },
  log: call("ops.log"),
  log_sigmoid: call("ops.log_sigmoid"),
  log_softmax: call("ops.log_softmax", named("dim", "axis")),
  logical_and: (given) => `ops.logical_and(${given.inputs.a}, ${given.inputs.b})`,
  logical_not: call("ops.logical_not"),
  logical_or: (given) => `ops.logical_or(${given.inputs.a}, ${given.inputs.b})`,
  logsumexp: reduction("logsumexp"),
  lstm: recurrent("LSTM", [0, 1, 2, 3]),
  matmul: (given) => `ops.matmul(${given.inputs.a}, ${given.inputs.b})`,
  max: reduction("max"),
  max_pool1d: pooling("max", 1),
  max_pool2d: pooling("max", 2),
  max_pool3d: pooling("max", 3),
  maximum: extreme("maximum"),
  mean: reduction("mean"),
  min: reduction("min"),
  minimum: extreme("minimum"),
  mish: (given) => `${given.inputs.x} * ops.tanh(ops.softplus(${given.inputs.x}))`,
  mul: arithmetic("*"),
  multihead_attention: attention,
  neg: (given) => `-${given.inputs.x}`,
  not_equal: (given) => `ops.not_equal(${given.inputs.x}, ${given.inputs.other ?? param<number>(given, "value")})`,
  permute: (given) => {
    const dims = param<number[]>(given, "dims");
    return `ops.transpose(${given.inputs.x}, ${pythonTuple(dims.map((dim) => (dim < 0 ? dim + dims.length : dim)))})`;
  },
  pow: arithmetic("**"),
  prod: reduction("prod"),
  reciprocal: (given) => `1.0 / ${given.inputs.x}`,
  relu: call("ops.relu"),
  relu6: call("ops.relu6"),
  reshape: (given) => `ops.reshape(${given.inputs.x}, ${pythonTuple([-1, ...known(given.out.y)])})`,
  scaled_dot_product_attention: (given) => {
    const { query, key, value, attn_mask } = given.inputs;
    if (attn_mask || param(given, "is_causal")) return refuse(say("masks are passed in another way in Keras."));
    return `ops.matmul(ops.softmax(ops.matmul(${query}, ops.swapaxes(${key}, -1, -2)) / ${Math.sqrt(Number(given.in.query?.at(-1)))}), ${value})`;
  },
  select: (given) => `ops.take(${given.inputs.x}, ${param<number>(given, "index")}, axis=${param<number>(given, "dim")})`,
  selu: call("ops.selu"),
  sigmoid: call("ops.sigmoid"),
  silu: call("ops.silu"),
  sin: call("ops.sin"),
  slice: (given) => {
    const text = param<string>(given, "slice").trim();
    // A third part is the step.
    if (/:[^,:\]]*:\s*-/.test(text)) return refuse(say("torch under Keras cannot go backwards along an axis."));
    return `${given.inputs.x}${text.startsWith("[") ? text : `[${text}]`}`;
  },
  softmax: call("ops.softmax", named("dim", "axis")),
  softmin: (given) => `ops.softmax(-${given.inputs.x}, axis=${param<number>(given, "dim")})`,
  softplus: (given) => {
    if (param(given, "threshold") !== 20) return refuse(say("Keras' softplus has no threshold of its own."));
    const beta = param<number>(given, "beta");
    return beta === 1 ? `ops.softplus(${given.inputs.x})` : `ops.softplus(${given.inputs.x} * ${beta}) / ${beta}`;
  },
  softshrink: call("ops.soft_shrink", named("lambd", "threshold")),
  softsign: call("ops.softsign"),
  split: (given) => {
    const sizes = param<number[]>(given, "split_sizes");
    let at = 0;
    const cuts = sizes.slice(0, -1).map((size) => {
      at += size;
      return at;
    });
    return `ops.split(${given.inputs.x}, [${cuts.join(", ")}], axis=${param<number>(given, "dim")})`;
  },
  sqrt: call("ops.sqrt"),
  squeeze: (given) => `ops.squeeze(${given.inputs.x}, axis=${pythonTuple(param<number[]>(given, "dim"))})`,
  stack_tensors: (given) => `ops.stack([${[given.inputs.x].flat().join(", ")}], axis=${param<number>(given, "dim")})`,
  sub: arithmetic("-"),
  sum: reduction("sum"),
  tanh: call("ops.tanh"),
  threshold: (given) => `ops.where(${given.inputs.x} > ${param<number>(given, "threshold")}, ${given.inputs.x}, ${param<number>(given, "value")})`,
  tile: (given) => `ops.tile(${given.inputs.x}, ${pythonTuple(param<number[]>(given, "dims"))})`,
  transpose: (given) => `ops.swapaxes(${given.inputs.x}, ${param<number>(given, "dim0")}, ${param<number>(given, "dim1")})`,
  unsqueeze: (given) => `ops.expand_dims(${given.inputs.x}, axis=${param<number>(given, "dim")})`,
  upsample: (given) => {
    const factor = param<number>(given, "scale_factor");
    const axes = (given.in.x?.length ?? 4) - 2;
    if (param<number[]>(given, "size").length > 0 || param(given, "mode") !== "nearest" || !Number.isInteger(factor))
      return refuse(say("whole factors that repeat pixels can be written."));
    return `layers.UpSampling${axes}D(${factor}, ${given.name})(${given.inputs.x})`;
  },
  where: (given) => `ops.where(${given.inputs.condition}, ${given.inputs.x}, ${given.inputs.other ?? param<number>(given, "value")})`,
};

/** Types of layers that can be written, for documentation and tests. */
export const KERAS_LAYERS: readonly string[] = [...Object.keys(RULES), "expression", "stack"];
