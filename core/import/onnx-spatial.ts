import type { Shape } from "../graph/shape.ts";
import { numbersOf } from "./constants.ts";
import type { Wire } from "./drawing.ts";
import { known, type Reading, type Rule } from "./onnx-reading.ts";

// Operators over the sides of images and sequences: convolutions, pooling, padding, resizing.

/** One number for all axes where they agree, as people write it. */
function sizeParam(values: readonly number[]): number | number[] {
  return values.every((value) => value === values[0]) ? (values[0] ?? 1) : [...values];
}

/** Zeros before and after each axis, from `pads` or `auto_pad`. */
function padsOf(r: Reading, x: Shape, kernel: number[], strides: number[], dilations: number[]): { before: number[]; after: number[]; isSame: boolean } {
  const auto = r.text("auto_pad", "NOTSET");
  const axes = kernel.length;
  if (auto === "NOTSET") {
    const pads = r.perAxis("pads", 2 * axes, 0);
    return { before: pads.slice(0, axes), after: pads.slice(axes), isSame: false };
  }
  if (auto === "VALID") return { before: kernel.map(() => 0), after: kernel.map(() => 0), isSame: false };
  const totals = kernel.map((k, i) => {
    const reach = (dilations[i] ?? 1) * (k - 1) + 1;
    const stride = strides[i] ?? 1;
    if (stride === 1) return reach - 1;
    const size = x[i + 2];
    if (typeof size !== "number") return r.refuse(`its padding (${auto}) depends on the size of the image, which is known only at run time.`);
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  });
  const less = totals.map((total) => total >> 1);
  const more = totals.map((total, i) => total - (less[i] ?? 0));
  return auto === "SAME_LOWER" ? { before: more, after: less, isSame: false } : { before: less, after: more, isSame: strides.every((s) => s === 1) };
}

/** Puts a Pad in front where a side gets more than the other. */
function padFront(r: Reading, x: Wire, before: number[], after: number[], value = 0): { x: Wire; padding: number[] } {
  if (before.every((pad, i) => pad === after[i])) return { x, padding: before };
  return { x: drawPad(r, x, [0, 0, ...before], [0, 0, ...after], "constant", value), padding: before.map(() => 0) };
}

/** `pad` with F.pad's order: last axis first, before and after each. */
function drawPad(r: Reading, x: Wire, before: number[], after: number[], mode: string, value: number): Wire {
  let first = before.findIndex((pad, i) => pad !== 0 || after[i] !== 0);
  if (first === -1) return x;
  if (mode !== "constant") first = Math.max(first, 2);
  const pads: number[] = [];
  for (let axis = before.length - 1; axis >= first; axis--) pads.push(before[axis] ?? 0, after[axis] ?? 0);
  return r.draw("pad", { pad: pads, mode, value }, { x });
}

export const convolution: Rule = (r: Reading) => {
  const weight = r.need(1, "weight");
  const axes = weight.shape.length - 2;
  const kernel = weight.shape.slice(2);
  if (axes < 1 || axes > 3) r.refuse(`it has ${axes} spatial axes; 1, 2 and 3 are possible.`);
  const declared = r.perAxis("kernel_shape", axes, -1);
  if (declared.some((size, i) => size !== -1 && size !== kernel[i])) r.refuse(`its kernel_shape [${declared.join(", ")}] is not its weight's [${kernel.join(", ")}].`);
  const strides = r.perAxis("strides", axes, 1);
  const dilations = r.perAxis("dilations", axes, 1);
  const groups = r.int("group", 1);
  const input = r.wire(0);
  const { before, after, isSame } = padsOf(r, input.type.shape, kernel, strides, dilations);
  const same = isSame || (strides.every((s) => s === 1) && before.some((pad, i) => pad !== after[i]) && kernel.every((k, i) => isHalf(dilations[i] ?? 1, k, before[i], after[i])));
  const { x, padding } = same ? { x: input, padding: "same" as const } : padFront(r, input, before, after);
  const bias = r.has(2) ? r.need(2, "bias") : null;
  return known.wire(
    r.draw(
      `conv${axes}d`,
      {
        out_channels: weight.shape[0] ?? 1,
        kernel_size: sizeParam(kernel),
        stride: sizeParam(strides),
        padding: padding === "same" ? padding : sizeParam(padding),
        dilation: sizeParam(dilations),
        groups,
        bias: bias !== null,
      },
      { x },
      { name: r.label(1), weights: { weight, ...(bias ? { bias } : {}) } },
    ),
  );
};

/** Whether these are the zeros that padding `same` puts around an axis. */
function isHalf(dilation: number, kernel: number, before = 0, after = 0): boolean {
  const total = dilation * (kernel - 1);
  return before === total >> 1 && after === total - (total >> 1);
}

export const transposedConvolution: Rule = (r: Reading) => {
  const weight = r.need(1, "weight");
  const axes = weight.shape.length - 2;
  if (axes < 1 || axes > 3) r.refuse(`it has ${axes} spatial axes; 1, 2 and 3 are possible.`);
  if (r.text("auto_pad", "NOTSET") !== "NOTSET" || r.ints("output_shape"))
    r.refuse("its padding follows from the size that it is to give (auto_pad or output_shape); explicit pads can be read.");
  const kernel = weight.shape.slice(2);
  const pads = r.perAxis("pads", 2 * axes, 0);
  const before = pads.slice(0, axes);
  const after = pads.slice(axes);
  const outputPadding = r.perAxis("output_padding", axes, 0).map((pad, i) => pad + (before[i] ?? 0) - (after[i] ?? 0));
  const groups = r.int("group", 1);
  const bias = r.has(2) ? r.need(2, "bias") : null;
  return known.wire(
    r.draw(
      `conv_transpose${axes}d`,
      {
        out_channels: (weight.shape[1] ?? 1) * groups,
        kernel_size: sizeParam(kernel),
        stride: sizeParam(r.perAxis("strides", axes, 1)),
        padding: sizeParam(before),
        output_padding: sizeParam(outputPadding),
        dilation: sizeParam(r.perAxis("dilations", axes, 1)),
        groups,
        bias: bias !== null,
      },
      { x: r.wire(0) },
      { name: r.label(1), weights: { weight, ...(bias ? { bias } : {}) } },
    ),
  );
};

export const pooling =
  (kind: "max" | "avg"): Rule =>
  (r: Reading) => {
    if (r.node.outputs[1]) r.refuse("it also gives the places of the maxima, which no layer here gives.");
    const input = r.wire(0);
    const axes = input.type.shape.length - 2;
    if (axes < 1 || axes > 3) r.refuse(`it has ${axes} spatial axes; 1, 2 and 3 are possible.`);
    const kernel = r.perAxis("kernel_shape", axes, 1);
    const strides = r.perAxis("strides", axes, 1);
    const dilations = r.perAxis("dilations", axes, 1);
    const { before, after } = padsOf(r, input.type.shape, kernel, strides, dilations);
    const ceil = r.int("ceil_mode", 0) === 1;
    const countsPadding = r.int("count_include_pad", 0) === 1;
    const isPadded = [...before, ...after].some((pad) => pad !== 0);
    const isUneven = before.some((pad, i) => pad !== after[i]);
    if (kind === "avg" && isUneven && !countsPadding) r.refuse("one side has more padding than the other, and padding does not count in its means.");
    const { x, padding } = padFront(r, input, before, after, kind === "max" ? -Infinity : 0);
    const type = `${kind}_pool${axes}d`;
    return known.wire(
      r.draw(
        type,
        {
          kernel_size: sizeParam(kernel),
          stride: strides.join() === kernel.join() ? "kernel" : sizeParam(strides),
          padding: sizeParam(padding),
          ...(dilations.some((d) => d !== 1) ? { dilation: sizeParam(dilations) } : {}),
          ...(ceil ? { ceil_mode: true } : {}),
          ...(kind === "avg" && isPadded && !countsPadding ? { count_include_pad: false } : {}),
        },
        { x },
      ),
    );
  };

export const globalPooling =
  (kind: "avg" | "max"): Rule =>
  (r: Reading) => {
    const x = r.wire(0);
    return known.wire(r.draw(`adaptive_${kind}_pool${x.type.shape.length - 2}d`, { output_size: 1 }, { x }));
  };

export const resize: Rule = (r: Reading) => {
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const scalesAt = r.op === "Upsample" ? 1 : r.opset < 11 ? 1 : 2;
  const scales = r.floats("scales") ?? (r.has(scalesAt) && (r.constant(scalesAt)?.data.length ?? 0) > 0 ? r.numbers(scalesAt) : null);
  const sizes = r.op === "Resize" && r.has(3) ? r.sizes(3) : null;
  const mode = r.text("mode", "nearest");
  const place = r.text("coordinate_transformation_mode", r.opset < 11 ? "asymmetric" : "half_pixel");
  const rounding = r.text("nearest_mode", r.opset < 11 ? "floor" : "round_prefer_floor");
  const factors = scales ?? sizes?.map((size, i) => (typeof size === "number" && typeof x.type.shape[i] === "number" ? size / Number(x.type.shape[i]) : Number.NaN));
  const wantedSizes = sizes?.slice(2).every((size) => typeof size === "number") && sizes.length === rank && sizes[1] === x.type.shape[1] ? sizes.slice(2).map(Number) : null;
  if (wantedSizes && rank >= 3 && rank <= 5) {
    const aligned = place === "align_corners";
    const modes: { [mode: string]: string | undefined } = { nearest: "nearest", linear: ["linear", "bilinear", "trilinear"][rank - 3], cubic: rank === 4 ? "bicubic" : undefined };
    const isSame = mode === "nearest" ? place === "asymmetric" && rounding === "floor" : aligned || ["half_pixel", "pytorch_half_pixel"].includes(place);
    const ours = modes[mode];
    if (!isSame || !ours) r.refuse(`it resizes in a way (${mode}, ${place}) that differs from PyTorch's.`);
    return known.wire(r.draw("upsample", { size: wantedSizes, mode: ours, align_corners: aligned }, { x }));
  }
  if (rank < 3 || rank > 5 || !factors || factors.length !== rank || factors.some(Number.isNaN)) r.refuse("it resizes something else than the sides of an image by known factors.");
  const spatial = factors.slice(2);
  const [factor = 1] = spatial;
  if (factors[0] !== 1 || factors[1] !== 1 || spatial.some((other) => other !== factor))
    r.refuse(`its factors are ${factors.join(", ")}; an Upsample has one factor for all sides.`);
  if (factor === 1) return known.wire(x);
  if (mode === "nearest") {
    // With whole factors, the nearest pixel is the same by either rule.
    const isSame =
      (place === "asymmetric" && rounding === "floor") || (Number.isInteger(factor) && ["half_pixel", "pytorch_half_pixel"].includes(place) && rounding.startsWith("round"));
    if (!isSame) r.refuse(`it finds the nearest pixel in a way (${place}, ${rounding}) that differs from PyTorch's.`);
    return known.wire(r.draw("upsample", { scale_factor: factor }, { x }));
  }
  if (mode !== "linear" && mode !== "cubic") r.refuse(`its mode is ${mode}; nearest, linear and cubic are read.`);
  if (mode === "cubic" && (rank !== 4 || r.float("cubic_coeff_a", -0.75) !== -0.75)) r.refuse("its cubic curve is not PyTorch's.");
  if (!["half_pixel", "pytorch_half_pixel", "align_corners"].includes(place)) r.refuse(`it blends pixels in a way (${place}) that differs from PyTorch's.`);
  const blend = mode === "cubic" ? "bicubic" : ["linear", "bilinear", "trilinear"][rank - 3];
  return known.wire(r.draw("upsample", { scale_factor: factor, mode: blend ?? "bilinear", align_corners: place === "align_corners" }, { x }));
};

export const pad: Rule = (r: Reading) => {
  const x = r.wire(0);
  const rank = x.type.shape.length;
  const pads = r.ints("pads") ?? r.numbers(1);
  if (!pads) r.refuse("its amounts are computed while the model runs.");
  const axes = r.has(3) ? numbersOf(r.need(3, "list of axes")).map((axis) => r.axis(axis, rank)) : x.type.shape.map((_, i) => i);
  const mode = { constant: "constant", reflect: "reflect", edge: "replicate", wrap: "circular" }[r.text("mode", "constant")] ?? r.refuse("its mode is not known.");
  const value = r.has(2) ? (r.scalar(2) ?? 0) : r.float("value", 0);
  const at = (axis: number, end: number) => pads[axes.indexOf(axis) + end * axes.length] ?? 0;
  const before = x.type.shape.map((_, axis) => (axes.includes(axis) ? at(axis, 0) : 0));
  const after = x.type.shape.map((_, axis) => (axes.includes(axis) ? at(axis, 1) : 0));
  return known.wire(drawPad(r, x, before, after, mode, value));
};
