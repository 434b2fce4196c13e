import { add, countElements } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { countPerSample, defineLayer, float32 } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const localResponseNorm = defineLayer({
  type: "local_response_norm",
  title: "LocalResponseNorm",
  category: "normalization",
  doc: "Divides each number by the strength of its neighbours in the channels around, so that strong responses damp others.",
  formula: "y[c] = x[c] / (k + alpha · mean over size channels around c of x²) ^ beta",
  when: "To rebuild AlexNet and others of its time. New networks take BatchNorm, which trains far better.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.LocalResponseNorm.html",
  keywords: ["lrn", "normalize", "alexnet", "inhibition"],
  params: {
    size: p.int({ min: 1, max: 4096, default: 5, doc: "How many channels count as neighbours, the number's own included." }),
    alpha: p.float({ min: 0, default: 1e-4, doc: "How strongly neighbours damp." }),
    beta: p.float({ default: 0.75, step: 0.05, doc: "The power." }),
    k: p.float({ min: 0, default: 1, doc: "Added against division by zero." }),
  },
  inputs: { x: { doc: "[N, channels, ...] with at least one axis behind the channels." } },
  summary: ({ size }) => `${size} channels`,
  infer: (_, { x }) =>
    x.shape.length < 3
      ? { problem: say("LocalResponseNorm needs [N, channels, ...] with at least one axis behind the channels but receives {shape}.", { shape: printShape(x.shape) }), port: "x" }
      : { outputs: { y: x } },
  lower: ({ size, alpha, beta, k }, { x }, b) => {
    // As PyTorch computes it: channels become the height of an image of one channel, which is averaged over `size` rows.
    const { shape } = x.type;
    const [n = 1, channels = 1, ...places] = shape;
    const width = countElements(places);
    const square = b.call("aten::mul.Tensor", [x, x], x.type);
    const rows = b.call("aten::flatten.using_ints", [square, 2, -1], float32([n, channels, width]));
    const image = b.call("aten::unsqueeze", [rows, 1], float32([n, 1, channels, width]));
    const padded = b.call("aten::constant_pad_nd", [image, { ints: [0, 0, size >> 1, (size - 1) >> 1] }, 0], float32([n, 1, add(channels, size - 1), width]));
    const means = b.call("aten::avg_pool2d", [padded, { ints: [size, 1] }, { ints: [1, 1] }], image.type);
    const damping = b.call("aten::reshape", [means, { ints: shape.map((size, axis) => (typeof size === "number" ? size : { size: [x, axis] })) }], x.type);
    const base = b.call("aten::add.Scalar", [b.call("aten::mul.Scalar", [damping, alpha], x.type), k], x.type);
    return { y: b.call("aten::div.Tensor", [x, b.call("aten::pow.Tensor_Scalar", [base, beta], x.type)], x.type) };
  },
  onnx: ({ size, alpha, beta, k }, { x }, b) => {
    // ONNX looks one channel further ahead where the size is even, and ONNX Runtime takes images and damping alone.
    if (x.type.shape.length === 4 && size % 2 === 1 && alpha > 0 && beta > 0) {
      const [y = ""] = b.node("LRN", [x.name], { size, alpha: { float: alpha }, beta: { float: beta }, bias: { float: k } });
      return { y };
    }
    const int = (values: number[]) => b.constant(values, [values.length], "int64");
    const number = (value: number) => b.constant([value], [], "float32");
    const [square = ""] = b.node("Mul", [x.name, x.name]);
    const [rows = ""] = b.node("Reshape", [square, int([0, 0, -1])]);
    const [image = ""] = b.node("Unsqueeze", [rows, int([1])]);
    const [padded = ""] = b.node("Pad", [image, int([0, 0, size >> 1, 0, 0, 0, (size - 1) >> 1, 0])]);
    const [means = ""] = b.node("AveragePool", [padded], { kernel_shape: [size, 1], strides: [1, 1] });
    const [shape = ""] = b.node("Shape", [x.name]);
    const [damping = ""] = b.node("Reshape", [means, shape]);
    const [scaled = ""] = b.node("Mul", [damping, number(alpha)]);
    const [base = ""] = b.node("Add", [scaled, number(k)]);
    const [divisor = ""] = b.node("Pow", [base, number(beta)]);
    const [y = ""] = b.node("Div", [x.name, divisor]);
    return { y };
  },
  torch: ({ size, alpha, beta, k }) => ({
    module: pythonCall("nn.LocalResponseNorm", [size], { alpha: [alpha, 1e-4], beta: [beta, 0.75], k: [k, 1] }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  cost: ({ size }, { inputs: { x } }) => ({ multiplyAdds: countPerSample(x.shape) * (size + 1) }),
  examples: [
    { params: { size: 3, alpha: 0.5 }, inputs: { x: [2, 5, 4, 3] } },
    { params: { size: 4, alpha: 0.8, beta: 0.5, k: 2 }, inputs: { x: [2, 5, 4, 3] } },
    { params: { alpha: 0.6 }, inputs: { x: [2, 3, 6] } },
  ],
});
