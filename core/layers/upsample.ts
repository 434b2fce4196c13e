import { floorDivide, multiply } from "../graph/dims.ts";
import { type Dim, printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, type InferProblem, onnxNode, onnxSizes } from "./kit.ts";
import { p, perAxis, pythonCall } from "./params.ts";

/** Factors are this fine, so that sizes come out the same wherever they are computed. */
const FINENESS = 64;
const SMOOTH_MODES = { linear: 1, bilinear: 2, bicubic: 2, trilinear: 3 } as const;
const SMOOTH_OF_AXES = { 1: "linear", 2: "bilinear", 3: "trilinear" } as const;

export const upsample = defineLayer({
  type: "upsample",
  title: "Upsample",
  category: "shape",
  doc: "Enlarges or shrinks series, images and volumes, by repeating what is nearest or by blending neighbours.",
  formula: "y.shape = [N, channels, ⌊size · scale_factor⌋ …]",
  when: "Use it in decoders, followed by a convolution. ConvTranspose learns how to enlarge but may leave a chequered pattern; to shrink, pooling keeps more.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Upsample.html",
  keywords: ["interpolate", "resize", "enlarge", "shrink", "decoder", "u-net", "bicubic", "trilinear"],
  params: {
    scale_factor: p.float({ min: 1 / FINENESS, max: 64, default: 2, doc: "How many times as long, high and wide; not used where size is given." }),
    size: p.ints({ min: 1, default: [], doc: "The result's sizes instead, one for all axes or one each; empty to use scale_factor.", placeholder: "32, 32" }),
    mode: p.choice({
      options: ["nearest", "linear", "bilinear", "bicubic", "trilinear"],
      default: "nearest",
      doc: "`nearest` repeats; `linear` blends neighbours of series, `bilinear` and the smoother `bicubic` of images, `trilinear` of volumes.",
    }),
    align_corners: p.bool({ default: false, doc: "The outermost points stay where they are; only where neighbours are blended." }),
  },
  inputs: { x: { doc: "[N, channels, …] with one to three further axes." } },
  summary: ({ scale_factor, size, mode }) => `${size.length > 0 ? `to ${size.join("×")}` : `×${scale_factor}`}, ${mode}`,
  infer: ({ scale_factor, size, mode, align_corners }, { x: { shape } }) => {
    const spatial = shape.length - 2;
    if (spatial !== 1 && spatial !== 2 && spatial !== 3)
      return {
        problem: say("Upsample needs [N, channels, …] with one to three further axes but receives {shape}.", { shape: printShape(shape) }),
        port: "x",
        hint: say("Put a Reshape or Unsqueeze in front."),
      };
    const wrong = (problem: string, param: string, value?: number | string | boolean | number[]): InferProblem => ({
      problem,
      code: "GRAPH_PARAM",
      param,
      fixes: value === undefined ? [] : [{ kind: "set-param", label: say("Set {param} to {value}", { param, value: String(value) }), name: param, value }],
    });
    if (mode !== "nearest" && SMOOTH_MODES[mode] !== spatial)
      return wrong(
        SMOOTH_MODES[mode] === 1
          ? say("Upsample's {mode} blends along one axis, but {shape} has {spatial} behind the channels.", { mode, shape: printShape(shape), spatial })
          : say("Upsample's {mode} blends along {mode2} axes, but {shape} has {spatial} behind the channels.", {
              mode,
              mode2: SMOOTH_MODES[mode],
              shape: printShape(shape),
              spatial,
            }),
        "mode",
        SMOOTH_OF_AXES[spatial],
      );
    if (align_corners && mode === "nearest") return wrong("align_corners of Upsample goes with modes that blend, not with nearest.", "align_corners", false);
    if (size.length > 1 && size.length !== spatial) return wrong(`Upsample's size needs one number or ${spatial} for ${printShape(shape)}; it has ${size.length}.`, "size");
    if (size.length === 0 && !Number.isInteger(scale_factor * FINENESS))
      return wrong(`Upsample's factor must be a multiple of 1/${FINENESS}; it is ${scale_factor}.`, "scale_factor", Math.max(1, Math.round(scale_factor * FINENESS)) / FINENESS);
    const sizes = shape.slice(2);
    const result = size.length > 0 ? perAxis(size.length === 1 ? (size[0] ?? 1) : size, spatial) : sizes.map((have) => scale(have, scale_factor));
    if (result.some((after) => typeof after === "number" && after < 1))
      return wrong(say("Upsample by {scale_factor} would leave nothing of {shape}.", { scale_factor, shape: printShape(shape) }), "scale_factor", 1);
    return { outputs: { y: float32([...shape.slice(0, 2), ...result]) } };
  },
  lower: ({ scale_factor, size, mode, align_corners }, { x }, b, { outputs: { y } }) => {
    const spatial = x.type.shape.length - 2;
    const target = size.length > 0 ? [{ ints: resultSizes(size, spatial) }, null] : [null, { floats: Array<number>(spatial).fill(scale_factor) }];
    const [sizes = null, factors = null] = target;
    const op = mode === "nearest" ? `aten::upsample_nearest${spatial}d.vec` : `aten::upsample_${mode}${spatial}d.vec`;
    return { y: b.call(op, mode === "nearest" ? [x, sizes, factors] : [x, sizes, align_corners, factors], y ?? x.type) };
  },
  onnx: ({ scale_factor, size, mode, align_corners }, { x }, b, { outputs: { y } }) => {
    const { shape } = x.type;
    const spatial = shape.length - 2;
    const after = y?.shape.slice(2) ?? [];
    if (mode === "nearest") {
      const places = nearestPlaces(shape.slice(2), after, size.length > 0 ? null : scale_factor);
      if (places) return { y: places.reduce((name, along, i) => onnxNode(b, "Gather", [name, b.constant(along, [along.length], "int64")], { axis: i + 2 }), x.name) };
    }
    const kept = shape.slice(0, 2).map((dim, axis) => (typeof dim === "number" ? dim : { of: x.name, axis }));
    const target =
      size.length > 0
        ? [null, onnxSizes(b, [...kept, ...resultSizes(size, spatial)])]
        : [b.constant([1, 1, ...Array<number>(spatial).fill(scale_factor)], [shape.length], "float32")];
    return {
      y: onnxNode(b, "Resize", [x.name, null, ...target], {
        mode: mode === "nearest" ? "nearest" : mode === "bicubic" ? "cubic" : "linear",
        coordinate_transformation_mode: mode === "nearest" ? "asymmetric" : align_corners ? "align_corners" : "half_pixel",
        ...(mode === "nearest" ? { nearest_mode: "floor" } : mode === "bicubic" ? { cubic_coeff_a: { float: -0.75 } } : {}),
      }),
    };
  },
  torch: ({ scale_factor, size, mode, align_corners }) => ({
    module: pythonCall("nn.Upsample", [], {
      size: [size.length === 1 ? (size[0] ?? 1) : size, []],
      scale_factor: [scale_factor, size.length > 0 ? scale_factor : null],
      mode: [mode, "nearest"],
      align_corners: [align_corners, false],
    }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  examples: [
    { inputs: { x: [2, 3, 4, 5] } },
    { params: { scale_factor: 3, mode: "bilinear" }, inputs: { x: [2, 3, 4, 4] } },
    { params: { scale_factor: 1.5, mode: "linear", align_corners: true }, inputs: { x: [2, 3, 5] } },
    { params: { size: [7, 3], mode: "bicubic" }, inputs: { x: [2, 3, 4, 5] } },
    { params: { size: [3], mode: "trilinear" }, inputs: { x: [2, 2, 2, 4, 5] } },
    { params: { size: [7] }, inputs: { x: [2, 3, 5] } },
    { params: { scale_factor: 0.5 }, inputs: { x: [2, 3, 4, 5, 3] } },
  ],
});

/** ⌊size · factor⌋ for a factor that is a whole number of 64ths. */
function scale(size: Dim, factor: number): Dim {
  return floorDivide(multiply(size, factor * FINENESS), FINENESS);
}

function resultSizes(size: number[], spatial: number): number[] {
  return perAxis(size.length === 1 ? (size[0] ?? 1) : size, spatial);
}

/**
 * Where each result comes from along each axis, in the float32 arithmetic of PyTorch, if ONNX Runtime's would find another place
 * somewhere: one multiplies by 1/factor, the other divides by the factor. Null where they agree, or sizes are not known.
 */
function nearestPlaces(before: Shape, after: Shape, factor: number | null): number[][] | null {
  let differs = false;
  const places: number[][] = [];
  for (const [i, size] of before.entries()) {
    const count = after[i];
    if (typeof size !== "number" || typeof count !== "number") return null;
    const step = factor === null ? Math.fround(size / count) : Math.fround(1 / factor);
    const ratio = factor === null ? Math.fround(count / size) : Math.fround(factor);
    const along = Array.from({ length: count }, (_, at) => Math.min(Math.floor(Math.fround(at * step)), size - 1));
    differs ||= along.some((place, at) => place !== Math.min(Math.floor(Math.fround(at / ratio)), size - 1));
    places.push(along);
  }
  return differs ? places : null;
}
