import { evaluate } from "../graph/dims.ts";
import { type Dim, printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { symmetricUniform } from "./initializers.ts";
import { type BuilderArg, defineLayer, float32, isSameType, type OnnxAttribute, type OnnxBuilder, onnxNode, type Value, type WeightPlan } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

/**
 * What sets a recurrent network apart. `aten` is the operator without its overload. ONNX keeps the gates in another order than
 * PyTorch: `onnxGates[i]` is PyTorch's index of ONNX's gate i. `nonlinearity`: it has that parameter, and an operator for each.
 */
type Recurrent = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  states: readonly ["h"] | readonly ["h", "c"];
  aten: string;
  onnxGates: readonly number[];
  nonlinearity?: true;
};

type Settings = { hidden_size: number; num_layers: number; nonlinearity: "tanh" | "relu"; bias: boolean; batch_first: boolean; dropout: number; bidirectional: boolean };

const NONLINEARITY = { nonlinearity: p.choice({ options: ["tanh", "relu"], default: "tanh", doc: "The bend at each step." }) };

/** RNN, LSTM and GRU. Weights are named, drawn and passed as `torch.nn` does: layer by layer, each direction's weight_ih, weight_hh, bias_ih, bias_hh. */
export function defineRecurrent({ type, title, doc, formula, when, states, aten, onnxGates, nonlinearity: bends }: Recurrent) {
  const gates = onnxGates.length;
  return defineLayer({
    type,
    title,
    category: "sequence",
    doc,
    formula,
    when,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["recurrent", "rnn", "sequence", "time", "text"],
    params: {
      hidden_size: p.int({ min: 1, default: 128, doc: "Size of the memory, and of each step's result." }),
      num_layers: p.int({ min: 1, max: 64, default: 1, doc: "How many are stacked, each reading the results of the one before." }),
      bias: p.bool({ default: true, doc: "Adds learned numbers to the gates." }),
      batch_first: p.bool({ default: true, doc: "The batch is axis 0 and time axis 1; off, as is PyTorch's default, the other way round." }),
      dropout: p.float({ min: 0, max: 1, step: 0.05, default: 0, doc: "While training, switches off this share of the numbers between stacked layers." }),
      bidirectional: p.bool({ default: false, doc: "Reads backwards too, and lays both results side by side." }),
      ...((bends ? NONLINEARITY : {}) as typeof NONLINEARITY),
    },
    inputs: {
      x: { doc: "[N, time, features], or [time, N, features] without batch_first." },
      lengths: { doc: "How many steps of each sample count, [N], from 1 on: what comes after is padding and is not read.", dtype: "int64", optional: true },
      ...(Object.fromEntries(
        states.map((state) => [startOf(state), { doc: `The first ${MEMORIES[state]}, [layers × directions, N, hidden_size]; zeros without it.`, optional: true }]),
      ) as {
        h0: { doc: string; optional: true };
        c0: { doc: string; optional: true };
      }),
    },
    outputs: {
      y: { doc: "The result at every step." },
      h: { doc: "The memory after the last step: [layers × directions, N, hidden_size]." },
      ...(states.length === 2 ? { c: { doc: "The cell after the last step, of the same shape." } } : {}),
    },
    summary: ({ hidden_size, num_layers, bidirectional }) =>
      [`${hidden_size} hidden`, ...(num_layers > 1 ? [`${num_layers} layers`] : []), ...(bidirectional ? ["both ways"] : [])].join(", "),
    lookahead: ({ bidirectional }) => (bidirectional ? { name: "bidirectional", value: false } : null),
    infer: (settings, { x: { shape }, lengths, ...starts }) => {
      const [first, second, features] = shape;
      if (shape.length !== 3 || first === undefined || second === undefined || features === undefined) {
        return {
          problem: say("{title} needs [N, time, features] but receives {shape}.", { title, shape: printShape(shape) }),
          port: "x",
          hint: say("Add an axis with Reshape; each step needs its features."),
          fixes:
            shape.length === 2 ? [{ kind: "insert", label: say("Insert Reshape to one feature a step"), nodes: [{ type: "reshape", params: { shape: [-1, 1] } }], port: "x" }] : [],
        };
      }
      if (typeof features !== "number")
        return {
          problem: say("{title} needs to know its number of features, but the last axis of {shape} is known only at run time.", { title, shape: printShape(shape) }),
          port: "x",
          hint: say("Move that axis with Permute."),
        };
      const { hidden_size, num_layers, batch_first, bidirectional } = settings;
      const directions = bidirectional ? 2 : 1;
      const batch = batch_first ? first : second;
      const memory = float32([num_layers * directions, batch, hidden_size]);
      if (lengths && (lengths.shape.length !== 1 || lengths.shape[0] !== batch))
        return {
          problem: say("{title} needs one length for each sample, {shape}, but receives {shape2}.", { title, shape: printShape([batch]), shape2: printShape(lengths.shape) }),
          port: "lengths",
        };
      for (const state of states) {
        const start = starts[startOf(state)];
        if (start && !isSameType(start, memory))
          return {
            problem: say("{title} needs {state} as {shape} but receives {shape2}.", {
              title,
              state: startOf(state),
              shape: printShape(memory.shape),
              shape2: printShape(start.shape),
            }),
            port: startOf(state),
          };
      }
      if (states.length === 2 && !starts.h0 !== !starts.c0)
        return { problem: say("{title} needs h0 and c0 both, or neither.", { title }), port: starts.h0 ? "c0" : "h0", hint: say("Connect the other, too.") };
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
    lower: (settings, { x, lengths, ...starts }, b, { outputs }) => {
      const { hidden_size, num_layers, bias, batch_first, dropout, bidirectional } = settings;
      const batchAxis = batch_first ? 0 : 1;
      const batch: Dim = x.type.shape[batchAxis] ?? 1;
      const memory: TensorType = outputs.h ?? x.type;
      const y: TensorType = outputs.y ?? x.type;
      const zeros = () => {
        const sizes = [num_layers * (bidirectional ? 2 : 1), typeof batch === "number" ? batch : { size: [x, batchAxis] as [typeof x, number] }, hidden_size];
        return b.call("aten::new_zeros", [x, { ints: sizes }], memory);
      };
      const shared = states.every((state) => starts[startOf(state)]) ? undefined : zeros();
      const first = states.map((state) => starts[startOf(state)] ?? shared ?? x);
      const weights = cellsOf(settings).flatMap(({ suffix }) => weightNames(suffix, bias).map((name) => b.weight(name)));
      const rest = [weights, bias, num_layers, dropout, { flag: "training" as const }, bidirectional];
      const hx = (values: Value[]): BuilderArg => (states.length === 2 ? values : (values[0] ?? null));
      const operator = bends ? `aten::rnn_${settings.nonlinearity}` : aten;
      const types = [y, ...states.map(() => memory)];
      const named = (results: Value[]) => Object.fromEntries(["y", ...states].flatMap((port, i) => (results[i] ? [[port, results[i]]] : [])));
      if (!lengths) return named(b.calls(`${operator}.input`, [x, hx(first), ...rest, batch_first], types));

      // Packing wants the longest first, and lengths on the host.
      const order = b.call("aten::argsort", [lengths, 0, true], lengths.type);
      const back = b.call("aten::argsort", [order, 0, false], lengths.type);
      const pick = (value: Value, axis: number, index: Value) => b.call("aten::index_select", [value, axis, index], value.type);
      const sorted = b.call("aten::to.device", [pick(lengths, 0, order), "cpu", "int64"], lengths.type);
      const packed = float32(["P", x.type.shape[2] ?? 1]);
      const [data = x, sizes = x] = b.calls("aten::_pack_padded_sequence", [pick(x, batchAxis, order), sorted, batch_first], [packed, { dtype: "int64", shape: ["S"] }]);
      const ordered = first.map((value) => (value === shared ? value : pick(value, 1, order)));
      const [read = x, ...last] = b.calls(`${operator}.data`, [data, sizes, hx(ordered), ...rest], [float32(["P", y.shape[2] ?? 1]), ...states.map(() => memory)]);
      const [padded = x] = b.calls("aten::_pad_packed_sequence", [read, sizes, batch_first, 0, { size: [x, 1 - batchAxis] }], [y, { dtype: "int64", shape: [batch] }]);
      return named([pick(padded, batchAxis, back), ...last.map((value) => pick(value, 1, back))]);
    },
    onnx: (settings, { x, lengths, ...starts }, b) => {
      const { hidden_size, batch_first, bidirectional, bias, nonlinearity } = settings;
      const counts = lengths ? onnxNode(b, "Cast", [lengths.name], { to: ONNX_INT32 }) : null;
      const directions = bidirectional ? 2 : 1;
      let y = batch_first ? onnxNode(b, "Transpose", [x.name], { perm: [1, 0, 2] }) : x.name;
      const memories: string[][] = states.map(() => []);
      const attributes: { [name: string]: OnnxAttribute } = { hidden_size, direction: bidirectional ? "bidirectional" : "forward" };
      if (aten === "aten::gru") attributes.linear_before_reset = 1;
      if (bends && nonlinearity === "relu") attributes.activations = Array<string>(directions).fill("Relu");
      for (let layer = 0; layer < settings.num_layers; layer++) {
        const suffixes = cellsOf(settings).flatMap((cell) => (cell.layer === layer ? [cell.suffix] : []));
        const stack = (name: string) =>
          joinAll(
            b,
            suffixes.map((suffix) => onnxNode(b, "Unsqueeze", [reorder(b, b.weight(`${name}_${suffix}`)), b.constant([0], [1], "int64")])),
            0,
          );
        const biases = bias ? joinAll(b, [stack("bias_ih"), stack("bias_hh")], 1) : null;
        const [sequence = "", ...last] = b.node(
          title,
          [
            y,
            stack("weight_ih"),
            stack("weight_hh"),
            biases,
            counts,
            ...states.map((state) => {
              const start = starts[startOf(state)];
              const at = layer * directions;
              return start ? onnxNode(b, "Slice", [start.name, b.constant([at], [1], "int64"), b.constant([at + directions], [1], "int64"), b.constant([0], [1], "int64")]) : null;
            }),
          ],
          attributes,
          1 + states.length,
        );
        for (const [i, memory] of last.entries()) memories[i]?.push(memory);
        // [time, directions, N, hidden] → [time, N, directions · hidden]
        const sideBySide = onnxNode(b, "Transpose", [sequence], { perm: [0, 2, 1, 3] });
        y = onnxNode(b, "Reshape", [sideBySide, b.constant([0, 0, directions * hidden_size], [3], "int64")]);
      }
      if (batch_first) y = onnxNode(b, "Transpose", [y], { perm: [1, 0, 2] });
      return { y, ...Object.fromEntries(states.map((state, i) => [state, joinAll(b, memories[i] ?? [], 0)])) };
    },
    torch: ({ hidden_size, num_layers, nonlinearity, bias, batch_first, dropout, bidirectional }, { inputs: { x, lengths } }) => ({
      module: pythonCall(lengths ? `Padded${title}` : `nn.${title}`, [x.shape.at(-1) ?? 0, hidden_size], {
        num_layers: [num_layers, 1],
        ...(bends ? { nonlinearity: [nonlinearity, "tanh"] } : {}),
        bias: [bias, true],
        batch_first: [batch_first, false],
        dropout: [dropout, 0],
        bidirectional: [bidirectional, false],
      }),
      ...(lengths ? { helper: paddedClass(title) } : {}),
      forward: (self, { x, lengths, h0, c0 }) => {
        const start = h0 === undefined ? [] : [c0 === undefined ? h0 : `(${h0}, ${c0})`];
        return `${self}(${[x, ...(lengths === undefined ? [] : [lengths]), ...start].join(", ")})`;
      },
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
      {
        params: { hidden_size: 4, num_layers: 2, bidirectional: true },
        inputs: { x: [3, 5, 2], lengths: { dtype: "int64", shape: [3] } },
        values: { lengths: [2, 5, 1] },
      },
      ...(bends
        ? [
            { params: { hidden_size: 4, bidirectional: true, nonlinearity: "relu" as const }, inputs: { x: [2, 5, 3] } },
            { params: { hidden_size: 4, nonlinearity: "relu" as const }, inputs: { x: [2, 3, 3], lengths: { dtype: "int64" as const, shape: [2] } }, values: { lengths: [1, 3] } },
          ]
        : []),
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

const MEMORIES = { h: "memory", c: "cell" };

function startOf<S extends "h" | "c">(state: S): `${S}0` {
  return `${state}0`;
}

/** `TensorProto.DataType.INT32` */
const ONNX_INT32 = 6;

/** `nn.LSTM` of padded samples: packs them by their lengths and pads the results again. */
function paddedClass(title: string): string {
  return `class Padded${title}(nn.${title}):
    """nn.${title} of padded samples, of which the first lengths[i] steps count."""

    def forward(self, x, lengths, start=None):
        steps = x.shape[1 if self.batch_first else 0]
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), self.batch_first, enforce_sorted=False)
        y, state = super().forward(packed, start)
        return nn.utils.rnn.pad_packed_sequence(y, self.batch_first, total_length=steps)[0], state`;
}

/** One cell for every layer and direction, in PyTorch's order. */
function cellsOf({ num_layers, bidirectional }: Pick<Settings, "num_layers" | "bidirectional">): { layer: number; suffix: string }[] {
  return Array.from({ length: num_layers }, (_, layer) => (bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`]).map((suffix) => ({ layer, suffix }))).flat();
}

function weightNames(suffix: string, bias: boolean): string[] {
  return ["weight_ih", "weight_hh", ...(bias ? ["bias_ih", "bias_hh"] : [])].map((name) => `${name}_${suffix}`);
}

function joinAll(b: OnnxBuilder, parts: string[], axis: number): string {
  return parts.length === 1 ? (parts[0] ?? "") : onnxNode(b, "Concat", parts, { axis });
}
