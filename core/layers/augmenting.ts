import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, type InferProblem, type ProgramBuilder, type Value } from "./kit.ts";
import type { Params, Values } from "./params.ts";
import { needImage } from "./window.ts";

/** What one augmentation says of itself: images in, images of the same size out; drawn for each image by itself while training, nothing afterwards. */
type Augmentation<P extends Params> = {
  type: string;
  title: string;
  doc: string;
  formula: string;
  when: string;
  /** The page under torchvision.transforms. */
  source: string;
  keywords: string[];
  params: P;
  summary(params: Values<P>): string;
  /** What must hold beside being an image. */
  check?(params: Values<P>, shape: Shape): InferProblem | null;
  change(params: Values<P>, x: Value, draw: Draw): Value;
  /** PyTorch code: how the class below is made, and its source, which reads `self.training`. */
  python: { make(params: Values<P>): string; source: string };
  examples: { params?: Partial<Values<P>>; shape: number[] }[];
};

/** Random images are made with these: a number for each image [N, 1, 1, 1], and sums of them. */
export type Draw = ReturnType<typeof drawFor>;

/** An augmentation under its name and parameters in torchvision, as a node of the graph. The contract: identity outside training. */
export function defineAugmentation<P extends Params>(a: Augmentation<P>) {
  return defineLayer({
    type: a.type,
    title: a.title,
    category: "augmentation",
    doc: a.doc,
    formula: a.formula,
    when: a.when,
    source: `https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.${a.source}.html`,
    keywords: ["augment", "random", "image", ...a.keywords],
    trait: "neutral",
    params: a.params,
    inputs: { x: { doc: "Images [N, channels, height, width]." } },
    summary: a.summary,
    infer: (params, { x }) => needImage(a.title, 2, x.shape) ?? a.check?.(params, x.shape) ?? { outputs: { y: x } },
    lower: (params, { x }, b) => {
      const [y = x] = b.if(
        { flag: "training" },
        () => [a.change(params, x, drawFor(b, x))],
        () => [x],
        [x.type],
      );
      return { y };
    },
    onnx: (_, { x }, b) => {
      // A downloaded model is for inference, where images stay as they are.
      const [y = ""] = b.node("Identity", [x.name]);
      return { y };
    },
    torch: (params) => ({ module: a.python.make(params), forward: (self, { x }) => `${self}(${x})`, helper: a.python.source }),
    examples: a.examples.map(({ params, shape }) => ({ ...(params ? { params } : {}), inputs: { x: shape } })),
  });
}

/** Refuses images whose height or width is known only at run time. */
export function needSize(title: string, shape: Shape): InferProblem | null {
  return shape.slice(2).every((size) => typeof size === "number")
    ? null
    : { problem: say("{title} needs images of a known height and width but receives {shape}.", { title, shape: printShape(shape) }), port: "x" };
}

function drawFor(b: ProgramBuilder, x: Value) {
  const [n = "B", , height = 1, width = 1] = x.type.shape;
  const one = float32([n, 1, 1, 1]);
  const scalar = (op: string, value: Value, by: number) => b.call(op, [value, by], value.type);
  const two = (op: string, left: Value, right: Value, type = left.type) => b.call(op, [left, right], type);
  const times = (value: Value, by: number) => scalar("aten::mul.Scalar", value, by);
  const plus = (value: Value, by: number) => scalar("aten::add.Scalar", value, by);
  const map = (op: "cos" | "sin" | "tan" | "exp" | "sqrt" | "floor" | "neg", value: Value) => b.call(`aten::${op}`, [value], value.type);
  return {
    b,
    one,
    times,
    plus,
    map,
    add: (left: Value, right: Value, type?: Value["type"]) => b.call("aten::add.Tensor", [left, right, 1], type ?? left.type),
    sub: (left: Value, right: Value, type?: Value["type"]) => b.call("aten::sub.Tensor", [left, right, 1], type ?? left.type),
    mul: (left: Value, right: Value, type?: Value["type"]) => two("aten::mul.Tensor", left, right, type),
    div: (left: Value, right: Value) => two("aten::div.Tensor", left, right),
    /** A number for each image, evenly between the bounds. */
    uniform: (low: number, high: number) => plus(times(b.call("aten::rand", [{ ints: [{ size: [x, 0] }, 1, 1, 1] }, "float32"], one), high - low), low),
    /** Whether, for each image: true with this probability. */
    chance: (p: number) => b.call("aten::lt.Scalar", [b.call("aten::rand", [{ ints: [{ size: [x, 0] }, 1, 1, 1] }, "float32"], one), p], { dtype: "bool", shape: one.shape }),
    where: (condition: Value, then: Value, otherwise: Value) => b.call("aten::where.self", [condition, then, otherwise], x.type),
    /** 0, 1, … along an axis of the images: [1, 1, height, 1] or [1, 1, 1, width]. */
    places: (axis: 2 | 3, dtype: "float32" | "int64" = "float32") => {
      const shape = axis === 2 ? [1, 1, height, 1] : [1, 1, 1, width];
      const size = { size: [x, axis] as [Value, number] };
      const ones = b.call("aten::ones", [{ ints: axis === 2 ? [1, 1, size, 1] : [1, 1, 1, size] }, dtype], { dtype, shape });
      return b.call("aten::sub.Scalar", [b.call("aten::cumsum", [ones, axis], { dtype, shape }), 1], { dtype, shape });
    },
  };
}

/**
 * Images seen through a linear map of their plane: what is drawn at a place is what lies at m · place + shift, in pixels from the middle and in
 * shares of the size. Places outside are 0. `m` holds four numbers for each image, row by row; `shift` two.
 */
export function warp(x: Value, m: [Value, Value, Value, Value], shift: [Value, Value], interpolation: string, { b, times }: Draw): Value {
  const [n = "B", channels = 1, height, width] = x.type.shape;
  if (typeof height !== "number" || typeof width !== "number") throw new Error("Images that are warped have a known size.");
  const row = (parts: Value[]) => b.call("aten::cat", [parts, 3], float32([n, 1, 1, 3]));
  const theta = b.call(
    "aten::cat",
    [[row([m[0], times(m[1], height / width), times(shift[0], 2)]), row([times(m[2], width / height), m[3], times(shift[1], 2)])], 2],
    float32([n, 1, 2, 3]),
  );
  const flat = b.call("aten::squeeze.dim", [theta, 1], float32([n, 2, 3]));
  const grid = b.call(
    "aten::affine_grid_generator",
    [flat, { ints: [{ size: [x, 0] }, typeof channels === "number" ? channels : { size: [x, 1] }, height, width] }, false],
    float32([n, height, width, 2]),
  );
  return b.call("aten::grid_sampler_2d", [x, grid, interpolation === "nearest" ? 1 : 0, 0, false], x.type);
}

/** The Python of `warp`, for classes that derive from it. */
export const PYTHON_WARP = `    def warp(self, x, m, shift):
        n, _, h, w = x.shape
        rows = [torch.cat([m[0], m[1] * (h / w), shift[0] * 2], 1), torch.cat([m[2] * (w / h), m[3], shift[1] * 2], 1)]
        grid = F.affine_grid(torch.stack(rows, 1), x.shape, align_corners=False)
        return F.grid_sample(x, grid, mode=self.interpolation, padding_mode="zeros", align_corners=False)

    def draw(self, x, low, high):
        return torch.rand(x.shape[0], 1, device=x.device) * (high - low) + low`;
