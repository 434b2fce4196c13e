import type { Dim } from "../graph/shape.ts";
import { pythonNumber } from "../layers/dtypes.ts";
import { numbersOf, scalarOf } from "./constants.ts";
import type { Wire } from "./drawing.ts";
import { known, type Reading, type Rule, tidyFloat } from "./onnx-reading.ts";

/** Operators that no layer says by itself, as short formulas and as layers one behind the other. */

/** An Expression over the inputs, which it knows by these names. */
const formula =
  (text: string | ((r: Reading) => string), names: readonly string[] = ["x"]): Rule =>
  (r) =>
    known.wire(draw(r, typeof text === "string" ? text : text(r), Object.fromEntries(names.map((name, i) => [name, r.wire(i)]))));

function draw(r: Reading, expression: string, inputs: { [name: string]: Wire }): Wire {
  return r.draw("expression", { expression }, inputs);
}

const number = (value: number) => pythonNumber(tidyFloat(value));
const tuple = (axes: readonly number[]) => `(${axes.join(", ")},)`;

/** A reduction over axes as an attribute or as the second input; all where none are given. */
const reduced =
  (text: (x: string, how: string) => string): Rule =>
  (r) => {
    const x = r.wire(0);
    const axes = r.axes(1, x.type.shape.length);
    if ((!axes || axes.length === 0) && r.int("noop_with_empty_axes", 0)) return r.refuse("without axes it is to leave its input as it is, which this operator does not.");
    return known.wire(draw(r, text("x", `axis=${axes ? tuple(axes) : "None"}, keepdims=${r.int("keepdims", 1) === 1 ? "True" : "False"}`), { x }));
  };

/** Space to depth and back in ONNX's order: places first, then channels. PyTorch has channels first, then places. */
const spaceToDepth: Rule = (r) => {
  const x = r.wire(0);
  const channels = x.type.shape[1];
  if (typeof channels !== "number") return r.refuse("its number of channels is known only at run time.");
  const laid = r.draw("pixel_unshuffle", { downscale_factor: r.int("blocksize", 1) }, { x });
  return known.wire(channels === 1 ? laid : r.draw("channel_shuffle", { groups: channels }, { x: laid }));
};

const depthToSpace: Rule = (r) => {
  const x = r.wire(0);
  const factor = r.int("blocksize", 1);
  const isPlain = r.text("mode", "DCR") === "CRD" || x.type.shape[1] === factor * factor;
  return known.wire(r.draw("pixel_shuffle", { upscale_factor: factor }, { x: isPlain ? x : r.draw("channel_shuffle", { groups: factor * factor }, { x }) }));
};

/** 0, 1, 2, … for as long as an axis of some input is. */
const range: Rule = (r) => {
  const length = r.sizes(1)?.[0];
  if (r.scalar(0) !== 0 || r.scalar(2) !== 1 || typeof length !== "string") return r.refuse("how far it counts is computed while the model runs.");
  const like = likeOf(r, [length]);
  if (!like) return r.refuse(`it counts up to ${length}, which is no size of an input.`);
  return known.wire(r.draw("arange", { dim: like.type.shape.indexOf(length) }, { like }));
};

/** A number laid out in a shape that is known at run time; static shapes are worked out while reading. */
const constantOfShape: Rule = (r) => {
  const shape = r.sizes(0);
  if (!shape) return r.refuse("its shape is computed from data while the model runs.");
  const value = r.tensor("value");
  return known.wire(fill(r, value ? (scalarOf(value) ?? 0) : 0, value?.dtype === "int64" || value?.dtype === "bool" ? value.dtype : "float32", shape));
};

/** One number everywhere in a shape, some of whose sizes are those of an input. */
export function fill(r: Reading, value: number, dtype: string, shape: readonly Dim[]): Wire {
  const one = r.draw("constant", { values: [tidyFloat(value)], shape: [], dtype }, {});
  const like = likeOf(
    r,
    shape.filter((size) => typeof size === "string"),
  );
  return r.draw("expand", { size: [...shape] }, { x: one, ...(like ? { like } : {}) });
}

/** An input that has axes of all these sizes. */
export function likeOf(r: Reading, letters: readonly Dim[]): Wire | undefined {
  return letters.length === 0 ? undefined : r.around.inputs.find(({ type }) => letters.every((letter) => type.shape.includes(letter)));
}

const foldPatches: Rule = (r) => {
  const [size, kernel] = [numbersOf(r.need(1, "size of the image")), numbersOf(r.need(2, "size of the patches"))];
  if (size.length !== 2) return r.refuse(`it has ${size.length} axes in space; Fold has 2.`);
  const pads = r.perAxis("pads", 4, 0);
  if (pads[0] !== pads[2] || pads[1] !== pads[3]) return r.refuse("it pads one side more than the other.");
  const params = { output_size: size, kernel_size: kernel, stride: r.perAxis("strides", 2, 1), padding: pads.slice(0, 2), dilation: r.perAxis("dilations", 2, 1) };
  return known.wire(r.draw("fold", params, { x: r.wire(0) }));
};

const rmsNorm: Rule = (r) => {
  const x = r.wire(0);
  const sizes = x.type.shape.slice(r.axis(r.int("axis", -1), x.type.shape.length)).map(Number);
  const weight = r.need(1, "scale");
  if (weight.shape.join() !== sizes.join()) return r.refuse(`its scale [${weight.shape.join(", ")}] is not of the sizes [${sizes.join(", ")}] that it norms.`);
  return known.wire(r.draw("rms_norm", { axes: sizes.length, eps: r.float("epsilon", 1e-5) }, { x }, { name: r.label(1), weights: { weight } }));
};

const lpNormalization: Rule = (r) => {
  const x = r.wire(0);
  const axis = r.axis(r.int("axis", -1), x.type.shape.length);
  return known.wire(r.int("p", 2) === 2 ? r.draw("l2_normalize", { dim: axis }, { x }) : draw(r, `x / norm(x, ord=1, axis=${axis}, keepdims=True)`, { x }));
};

const trilu: Rule = (r) => {
  const k = r.has(1) ? (r.scalar(1) ?? r.refuse("which diagonal it keeps is computed while the model runs.")) : 0;
  return known.wire(draw(r, `${r.int("upper", 1) ? "triu" : "tril"}(x${k === 0 ? "" : `, k=${k}`})`, { x: r.wire(0) }));
};

/** In alphabetical order, by the name in ONNX's own domain. */
export const formulas: { [op: string]: Rule | undefined } = {
  Acos: formula("arccos(x)"),
  Acosh: formula("log(x + sqrt(x * x - 1))"),
  Asin: formula("arcsin(x)"),
  Asinh: formula("sign(x) * log(abs(x) + sqrt(x * x + 1))"),
  Atan: formula("arctan(x)"),
  Atanh: formula("0.5 * (log1p(x) - log1p(-x))"),
  Col2Im: foldPatches,
  ConstantOfShape: constantOfShape,
  Cosh: formula("cosh(x)"),
  DepthToSpace: depthToSpace,
  IsInf: (r) => (r.int("detect_positive", 1) && r.int("detect_negative", 1) ? formula("~isfinite(x) & ~isnan(x)")(r) : r.refuse("it looks for one of the infinities only.")),
  IsNaN: formula("isnan(x)"),
  LpNormalization: lpNormalization,
  Mean: (r) =>
    formula(
      `(${r.node.inputs.map((_, i) => `x${i}`).join(" + ")}) / ${r.node.inputs.length}`,
      r.node.inputs.map((_, i) => `x${i}`),
    )(r),
  MeanVarianceNormalization: formula((r) => {
    const axis = tuple(r.ints("axes") ?? [0, 2, 3]);
    return `(x - mean(x, axis=${axis}, keepdims=True)) / (std(x, axis=${axis}, keepdims=True) + 1e-9)`;
  }),
  Mod: (r) => {
    const divisor = r.scalar(1);
    const other = divisor === null ? "other" : number(divisor);
    // What is left has the sign of the divisor, or with fmod that of the number itself.
    return formula(r.int("fmod", 0) ? `x - trunc(x / ${other}) * ${other}` : `remainder(x, ${other})`, divisor === null ? ["x", "other"] : ["x"])(r);
  },
  RMSNormalization: rmsNorm,
  Range: range,
  ReduceLogSum: reduced((x, how) => `log(sum(${x}, ${how}))`),
  ReduceSumSquare: reduced((x, how) => `sum(${x} * ${x}, ${how})`),
  Sinh: formula("sinh(x)"),
  SpaceToDepth: spaceToDepth,
  Swish: (r) => (r.float("alpha", 1) === 1 ? known.wire(r.draw("silu", {}, { x: r.wire(0) })) : formula(`x * sigmoid(${number(r.float("alpha", 1))} * x)`)(r)),
  Tan: formula("tan(x)"),
  ThresholdedRelu: (r) => known.wire(r.draw("threshold", { threshold: r.float("alpha", 1), value: 0 }, { x: r.wire(0) })),
  Trilu: trilu,
  Xor: formula("logical_xor(x, other)", ["x", "other"]),
};
