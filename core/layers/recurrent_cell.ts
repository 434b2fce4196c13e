import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { symmetricUniform } from "./initializers.ts";
import { type BuilderArg, defineLayer, float32, isSameType, type OnnxBuilder, onnxNode, type Value } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

/** What sets a cell apart. `step` writes the new states in ONNX from both products, [N, gates · hidden], and the old states. */
type Cell = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  states: readonly ["h"] | readonly ["h", "c"];
  gates: number;
  nonlinearity?: true;
  aten: (nonlinearity: "tanh" | "relu") => string;
  step: (b: OnnxBuilder, input: string, memory: string, states: string[], nonlinearity: "tanh" | "relu") => string[];
};

const NONLINEARITY = { nonlinearity: p.choice({ options: ["tanh", "relu"], default: "tanh", doc: "The bend." }) };

/** One step of a recurrent network, for use in ForEachStep: RNNCell, GRUCell and LSTMCell. */
export function defineCell({ type, title, doc, formula, when, states, gates, nonlinearity: bends, aten, step }: Cell) {
  return defineLayer({
    type,
    title,
    category: "sequence",
    doc,
    formula,
    when,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["recurrent", "cell", "step", "time", "gates"],
    params: {
      hidden_size: p.int({ min: 1, default: 128, doc: "Size of the memory." }),
      bias: p.bool({ default: true, doc: "Adds learned numbers to the gates." }),
      ...((bends ? NONLINEARITY : {}) as typeof NONLINEARITY),
    },
    inputs: {
      x: { doc: "One step, [N, features]." },
      h: { doc: "The memory before, [N, hidden_size]; zeros without it.", optional: true },
      ...((states.length === 2 ? { c: { doc: "The cell before, [N, hidden_size].", optional: true } } : {}) as { c: { doc: string; optional: true } }),
    },
    outputs: { h: { doc: "The memory after, which is also the result." }, ...(states.length === 2 ? { c: { doc: "The cell after." } } : {}) },
    summary: ({ hidden_size }) => `${hidden_size} hidden`,
    infer: ({ hidden_size, bias }, { x: { shape }, h, c }) => {
      const [batch, features] = shape;
      if (shape.length !== 2 || batch === undefined || typeof features !== "number")
        return {
          problem: say("{title} needs one step, [N, features], but receives {shape}.", { title, shape: printShape(shape) }),
          port: "x",
          hint: say("Put it into a ForEachStep, which hands it step after step."),
        };
      const memory = float32([batch, hidden_size]);
      for (const [port, state] of Object.entries({ h, c }))
        if (state && !isSameType(state, memory))
          return {
            problem: say("{title} needs {port} as {shape} but receives {shape2}.", { title, port, shape: printShape(memory.shape), shape2: printShape(state.shape) }),
            port,
          };
      if (states.length === 2 && !h !== !c)
        return { problem: say("{title} needs h and c both, or neither.", { title }), port: h ? "c" : "h", hint: say("Connect the other, too.") };
      const init = symmetricUniform(1 / Math.sqrt(hidden_size));
      return {
        outputs: Object.fromEntries(states.map((state) => [state, memory])),
        weights: {
          weight_ih: { shape: [gates * hidden_size, features], init },
          weight_hh: { shape: [gates * hidden_size, hidden_size], init },
          ...(bias ? { bias_ih: { shape: [gates * hidden_size], init }, bias_hh: { shape: [gates * hidden_size], init } } : {}),
        },
      };
    },
    lower: ({ hidden_size, bias, nonlinearity }, { x, h, c }, b, { outputs: { h: memory = x.type } }) => {
      const zeros = () => {
        const [batch = 1] = x.type.shape;
        return b.call("aten::new_zeros", [x, { ints: [typeof batch === "number" ? batch : { size: [x, 0] as [typeof x, number] }, hidden_size] }], memory);
      };
      const first = h ?? zeros();
      const before: BuilderArg = states.length === 2 ? [first, c ?? first] : first;
      const after: Value[] = b.calls(
        aten(nonlinearity),
        [x, before, b.weight("weight_ih"), b.weight("weight_hh"), bias ? b.weight("bias_ih") : null, bias ? b.weight("bias_hh") : null],
        states.map(() => memory),
      );
      return Object.fromEntries(states.flatMap((state, i) => (after[i] ? [[state, after[i]]] : [])));
    },
    onnx: ({ hidden_size, bias, nonlinearity }, { x, h, c }, b) => {
      const zeros = () => {
        const sizes = onnxNode(b, "Concat", [onnxNode(b, "Shape", [x.name], { start: 0, end: 1 }), b.constant([hidden_size], [1], "int64")], { axis: 0 });
        return onnxNode(b, "Expand", [b.constant([0], [], "float32"), sizes]);
      };
      const before = [h?.name ?? zeros(), ...(states.length === 2 ? [c?.name ?? zeros()] : [])];
      const product = (value: string, half: "ih" | "hh") => onnxNode(b, "Gemm", [value, b.weight(`weight_${half}`), bias ? b.weight(`bias_${half}`) : null], { transB: 1 });
      const after = step(b, product(x.name, "ih"), product(before[0] ?? "", "hh"), before, nonlinearity);
      return Object.fromEntries(states.map((state, i) => [state, after[i] ?? ""]));
    },
    torch: ({ hidden_size, bias, nonlinearity }, { inputs: { x } }) => ({
      module: pythonCall(`nn.${title}`, [x.shape[1] ?? 0, hidden_size], { bias: [bias, true], ...(bends ? { nonlinearity: [nonlinearity, "tanh"] } : {}) }),
      forward: (self, { x, h, c }) => `${self}(${[x, ...(h === undefined ? [] : [c === undefined ? h : `(${h}, ${c})`])].join(", ")})`,
    }),
    cost: ({ hidden_size }, { inputs: { x } }) => ({ multiplyAdds: gates * hidden_size * (Number(x.shape[1]) + hidden_size) }),
    examples: [
      { params: { hidden_size: 4 }, inputs: { x: [2, 3], h: [2, 4], ...(states.length === 2 ? { c: [2, 4] } : {}) } },
      { params: { hidden_size: 4, bias: false }, inputs: { x: [2, 3] } },
      ...(bends ? [{ params: { hidden_size: 4, nonlinearity: "relu" as const }, inputs: { x: [2, 3], h: [2, 4] } }] : []),
    ],
  });
}
