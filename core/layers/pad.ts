import { add } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { LARGEST, pythonNumber } from "./dtypes.ts";
import { defineLayer, type InferProblem, onnxNode } from "./kit.ts";
import { p, pythonTuple } from "./params.ts";

const ONNX_MODES = { constant: "constant", reflect: "reflect", replicate: "edge", circular: "wrap" } as const;

export const pad = defineLayer({
  type: "pad",
  title: "Pad",
  category: "shape",
  doc: "Adds a border: of a fixed number, of mirrored or repeated edges, or of the opposite side.",
  formula: "y.shape[−1] = before + x.shape[−1] + after",
  when: "Use it for borders that a convolution's own padding does not do, such as on one side alone so that a step sees no future. For plain zeros all round set padding there.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.functional.pad.html",
  keywords: ["border", "margin", "zero", "mirror", "reflect", "replicate", "circular", "causal", "crop"],
  params: {
    pad: p.ints({ default: [1, 1], doc: "Before and after, for the last axis, then the one before it, and so on; negative crops.", placeholder: "1, 1" }),
    mode: p.choice({
      options: ["constant", "reflect", "replicate", "circular"],
      default: "constant",
      doc: "What it is filled with: `value`, the mirrored inside, the edge again, or the opposite side.",
    }),
    value: p.float({ min: -LARGEST, max: LARGEST, default: 0, doc: "What constant fills with." }),
  },
  inputs: { x: { doc: "Any tensor of numbers; for modes other than constant [N, channels, …] of up to three further axes.", dtype: ["float32", "int64"] } },
  summary: ({ pad, mode }) => `${pad.join(", ")}${mode === "constant" ? "" : `, ${mode}`}`,
  infer: ({ pad, mode, value }, { x: { dtype, shape } }) => {
    const wrong = (problem: string, param = "pad"): InferProblem => ({ problem, code: "GRAPH_PARAM", param });
    const count = pad.length / 2;
    if (!Number.isInteger(count) || count === 0) return wrong(`Pad needs two numbers for each axis, before and after; it has ${pad.length}.`);
    if (count > shape.length) return wrong(say("Pad names {count} axes, but {shape} has {count2}.", { count, shape: printShape(shape), count2: shape.length }));
    if (mode !== "constant") {
      if (count > 3 || (shape.length !== count + 1 && shape.length !== count + 2))
        return wrong(
          `Pad with ${mode} needs two numbers for each axis of an image or series but the first one or two; it has ${count === 1 ? "one pair" : `${count} pairs`} for ${printShape(shape)}.`,
        );
      if (pad.some((size) => size < 0)) return wrong(`Only constant may crop; ${mode} needs numbers ≥ 0.`);
      if (dtype !== "float32") return { problem: say("Pad with {mode} needs float32 but receives {dtype}.", { mode, dtype }), code: "GRAPH_DTYPE", port: "x" };
    } else if (dtype === "int64" && !Number.isSafeInteger(value)) return wrong(say("Pad of whole numbers cannot fill with {value}.", { value }), "value");
    const result = [...shape];
    for (let i = 0; i < count; i++) {
      const axis = shape.length - 1 - i;
      const [before = 0, after = 0] = pad.slice(2 * i);
      const size = shape[axis] ?? 1;
      const grown = add(size, before + after);
      if (typeof size === "number") {
        const most = mode === "reflect" ? size - 1 : mode === "circular" ? size : Infinity;
        if (Math.max(before, after) > most) return wrong(`Pad with ${mode} adds at most ${most} to axis ${axis}, which has ${size}; it should add ${before} and ${after}.`);
        if (size + Math.min(0, before) + Math.min(0, after) < 1)
          return wrong(say("Pad cannot crop {value} and {value2} from axis {axis}, which has {size}.", { value: Math.max(0, -before), value2: Math.max(0, -after), axis, size }));
      }
      result[axis] = grown;
    }
    return { outputs: { y: { dtype, shape: result } } };
  },
  lower: ({ pad, mode, value }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::pad", [x, { ints: pad }, mode, mode === "constant" ? value : null], y ?? x.type) }),
  onnx: ({ pad, mode, value }, { x }, b) => {
    const rank = x.type.shape.length;
    // From the last axis backwards, as PyTorch has it, to all befores and then all afters.
    const sides = [0, 1].flatMap((side) => Array.from({ length: rank }, (_, axis) => pad[2 * (rank - 1 - axis) + side] ?? 0));
    const inputs = [x.name, b.constant(sides, [2 * rank], "int64")];
    return { y: onnxNode(b, "Pad", mode === "constant" ? [...inputs, b.constant([value], [], x.type.dtype)] : inputs, { mode: ONNX_MODES[mode] }) };
  },
  torch: ({ pad, mode, value }) => ({
    forward: (_, { x }) => `F.pad(${x}, ${pythonTuple(pad)}${mode === "constant" ? (value === 0 ? "" : `, value=${pythonNumber(value)}`) : `, mode="${mode}"`})`,
  }),
  examples: [
    { inputs: { x: [2, 3] } },
    { params: { pad: [1, -1, 0, 2], value: 1.5 }, inputs: { x: [2, 3, 4] } },
    { params: { pad: [2, 1], mode: "reflect" }, inputs: { x: [2, 3, 5] } },
    { params: { pad: [2, 1, 0, 3], mode: "replicate" }, inputs: { x: [2, 3, 4, 5] } },
    { params: { pad: [2, 1, 0, 3], mode: "circular" }, inputs: { x: [2, 3, 4, 5] } },
    { params: { pad: [3, 0], value: -1 }, inputs: { x: { dtype: "int64", shape: [2, 4] } } },
  ],
});
