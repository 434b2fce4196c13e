import { evaluate } from "../graph/dims.ts";
import { type Dim, printShape, type TensorType } from "../graph/shape.ts";
import { symmetricUniform } from "./initializers.ts";
import { type BuilderArg, defineLayer, float32, type OnnxBuilder, type WeightPlan } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

/** What sets a recurrent network apart. ONNX keeps the gates in another order than PyTorch: `onnxGates[i]` is PyTorch's index of ONNX's gate i. */
type Recurrent = { type: string; title: string; doc: string; states: readonly ["h"] | readonly ["h", "c"]; aten: string; onnxGates: readonly number[] };

type Settings = { hidden_size: number; num_layers: number; bias: boolean; batch_first: boolean; dropout: number; bidirectional: boolean };

/** LSTM and GRU. Weights are named, drawn and passed as `torch.nn` does: layer by layer, each direction's weight_ih, weight_hh, bias_ih, bias_hh. */
export function defineRecurrent({ type, title, doc, states, aten, onnxGates }: Recurrent) {
  const gates = onnxGates.length;
  return defineLayer({
    type,
    title,
    category: "sequence",
    doc,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["recurrent", "rnn", "sequence", "time", "text"],
    params: {
      hidden_size: p.int({ min: 1, default: 128, doc: "Size of the memory, and of each step's result." }),
      num_layers: p.int({ min: 1, max: 64, default: 1, doc: "How many are stacked, each reading the results of the one before." }),
      bias: p.bool({ default: true, doc: "Adds learned numbers to the gates." }),
      batch_first: p.bool({ default: true, doc: "The batch is axis 0 and time axis 1; off, as is PyTorch's default, the other way round." }),
      dropout: p.float({ min: 0, max: 1, step: 0.05, default: 0, doc: "While training, switches off this share of the numbers between stacked layers." }),
      bidirectional: p.bool({ default: false, doc: "Reads backwards too, and lays both results side by side." }),
    },
    inputs: { x: { doc: "[N, time, features], or [time, N, features] without batch_first." } },
    outputs: {
      y: { doc: "The result at every step." },
      h: { doc: "The memory after the last step: [layers × directions, N, hidden_size]." },
      ...(states.length === 2 ? { c: { doc: "The cell after the last step, of the same shape." } } : {}),
    },
    summary: ({ hidden_size, num_layers, bidirectional }) =>
      [`${hidden_size} hidden`, ...(num_layers > 1 ? [`${num_layers} layers`] : []), ...(bidirectional ? ["both ways"] : [])].join(", "),
    infer: (settings, { x: { shape } }) => {
      const [first, second, features] = shape;
      if (shape.length !== 3 || first === undefined || second === undefined || features === undefined) {
        return {
          problem: `${title} needs [N, time, features] but receives ${printShape(shape)}.`,
          port: "x",
          hint: "Add an axis with Reshape; each step needs its features.",
          fixes: shape.length === 2 ? [{ kind: "insert", label: "Insert Reshape to one feature a step", nodes: [{ type: "reshape", params: { shape: [-1, 1] } }], port: "x" }] : [],
        };
      }
      if (typeof features !== "number")
        return {
          problem: `${title} needs to know its number of features, but the last axis of ${printShape(shape)} is known only at run time.`,
          port: "x",
          hint: "Move that axis with Permute.",
        };
      const { hidden_size, num_layers, batch_first, bidirectional } = settings;
      const directions = bidirectional ? 2 : 1;
      const memory = float32([num_layers * directions, batch_first ? first : second, hidden_size]);
      return {
        outputs: { y: float32([first, second, directions * hidden_size]), ...Object.fromEntries(states.map((state) => [state, memory])) },
        weights: Object.fromEntries(
          cellsOf(settings).flatMap(({ layer, suffix }): [string, WeightPlan][] => {
            const init = symmetricUniform(1 / Math.sqrt(hidden_size));
            const inputSize = layer === 0 ? features : directions * hidden_size;
            return [
              [`weight_ih_${suffix}`, { shape: [gates * hidden_size, inputSize], init }],
              [`weight_hh_${suffix}`, { shape: [gates * hidden_size, hidden_size], init }],
              ...(settings.bias
                ? ([
                    [`bias_ih_${suffix}`, { shape: [gates * hidden_size], init }],
                    [`bias_hh_${suffix}`, { shape: [gates * hidden_size], init }],
                  ] satisfies [string, WeightPlan][])
                : []),
            ];
          }),
        ),
      };
    },
    lower: (settings, { x }, b, { outputs }) => {
      const { hidden_size, num_layers, bias, batch_first, dropout, bidirectional } = settings;
      const batch: Dim = x.type.shape[batch_first ? 0 : 1] ?? 1;
      const memory: TensorType = outputs.h ?? x.type;
      const sizes = { ints: [num_layers * (bidirectional ? 2 : 1), typeof batch === "number" ? batch : { size: [x, batch_first ? 0 : 1] as [typeof x, number] }, hidden_size] };
      const zeros = b.call("aten::new_zeros", [x, sizes], memory);
      const weights = cellsOf(settings).flatMap(({ suffix }) => weightNames(suffix, bias).map((name) => b.weight(name)));
      const start: BuilderArg = states.length === 2 ? [zeros, zeros] : zeros;
      const results = b.calls(
        aten,
        [x, start, weights, bias, num_layers, dropout, { flag: "training" }, bidirectional, batch_first],
        [outputs.y ?? x.type, ...states.map(() => memory)],
      );
      return Object.fromEntries(["y", ...states].flatMap((port, i) => (results[i] ? [[port, results[i]]] : [])));
    },
    onnx: (settings, { x }, b) => {
      const { hidden_size, batch_first, bidirectional, bias } = settings;
      const directions = bidirectional ? 2 : 1;
      let y = batch_first ? one(b, "Transpose", [x.name], { perm: [1, 0, 2] }) : x.name;
      const memories: string[][] = states.map(() => []);
      for (let layer = 0; layer < settings.num_layers; layer++) {
        const suffixes = cellsOf(settings).flatMap((cell) => (cell.layer === layer ? [cell.suffix] : []));
        const stack = (name: string) =>
          joinAll(
            b,
            suffixes.map((suffix) => one(b, "Unsqueeze", [reorder(b, b.weight(`${name}_${suffix}`)), b.constant([0], [1], "int64")])),
            0,
          );
        const biases = bias ? joinAll(b, [stack("bias_ih"), stack("bias_hh")], 1) : null;
        const [sequence = "", ...last] = b.node(
          title,
          [y, stack("weight_ih"), stack("weight_hh"), biases],
          { hidden_size, direction: bidirectional ? "bidirectional" : "forward", ...(states.length === 1 ? { linear_before_reset: 1 } : {}) },
          1 + states.length,
        );
        for (const [i, memory] of last.entries()) memories[i]?.push(memory);
        // [time, directions, N, hidden] → [time, N, directions · hidden]
        const sideBySide = one(b, "Transpose", [sequence], { perm: [0, 2, 1, 3] });
        y = one(b, "Reshape", [sideBySide, b.constant([0, 0, directions * hidden_size], [3], "int64")]);
      }
      if (batch_first) y = one(b, "Transpose", [y], { perm: [1, 0, 2] });
      return { y, ...Object.fromEntries(states.map((state, i) => [state, joinAll(b, memories[i] ?? [], 0)])) };
    },
    torch: ({ hidden_size, num_layers, bias, batch_first, dropout, bidirectional }, { inputs: { x } }) => ({
      module: pythonCall(`nn.${title}`, [x.shape.at(-1) ?? 0, hidden_size], {
        num_layers: [num_layers, 1],
        bias: [bias, true],
        batch_first: [batch_first, false],
        dropout: [dropout, 0],
        bidirectional: [bidirectional, false],
      }),
      forward: (self, { x }) => `${self}(${x})`,
      assign: ({ y, h, c }) => (states.length === 2 ? `${y}, (${h}, ${c})` : `${y}, ${h}`),
    }),
    cost: (settings, { inputs: { x } }) => {
      const directions = settings.bidirectional ? 2 : 1;
      const steps = evaluate(x.shape[settings.batch_first ? 1 : 0] ?? 1, 1);
      const sizes = cellsOf(settings).map(({ layer }) => (layer === 0 ? Number(x.shape[2]) : directions * settings.hidden_size));
      return { multiplyAdds: sizes.reduce((sum, size) => sum + steps * gates * settings.hidden_size * (size + settings.hidden_size), 0) };
    },
    examples: [
      { params: { hidden_size: 5 }, inputs: { x: [2, 4, 3] } },
      { params: { hidden_size: 4, num_layers: 2, bidirectional: true }, inputs: { x: [2, 5, 3] } },
      { params: { hidden_size: 4, bias: false, batch_first: false }, inputs: { x: [4, 2, 3] } },
    ],
  });

  /** The gates of a weight in ONNX's order. */
  function reorder(b: OnnxBuilder, weight: string): string {
    const parts = b.node("Split", [weight], { axis: 0, num_outputs: gates }, gates);
    return joinAll(
      b,
      onnxGates.map((gate) => parts[gate] ?? ""),
      0,
    );
  }
}

/** One cell for every layer and direction, in PyTorch's order. */
function cellsOf({ num_layers, bidirectional }: Pick<Settings, "num_layers" | "bidirectional">): { layer: number; suffix: string }[] {
  return Array.from({ length: num_layers }, (_, layer) => (bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`]).map((suffix) => ({ layer, suffix }))).flat();
}

function weightNames(suffix: string, bias: boolean): string[] {
  return ["weight_ih", "weight_hh", ...(bias ? ["bias_ih", "bias_hh"] : [])].map((name) => `${name}_${suffix}`);
}

function one(b: OnnxBuilder, ...[op, inputs, attributes]: Parameters<OnnxBuilder["node"]>): string {
  return b.node(op, inputs, attributes)[0] ?? "";
}

function joinAll(b: OnnxBuilder, parts: string[], axis: number): string {
  return parts.length === 1 ? (parts[0] ?? "") : one(b, "Concat", parts, { axis });
}
