import { add, floorDivide, multiply } from "../graph/dims.ts";
import { type Dim, printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { Fix, InferProblem } from "./kit.ts";
import { perAxis } from "./params.ts";

/**
 * Output size of one axis of a sliding window: ⌊(size + pads − dilation·(kernel − 1) − 1) / stride⌋ + 1; below 1 means that
 * the window does not fit. `pads` is the padding of both ends together.
 * @see https://pytorch.org/docs/2.13/generated/torch.nn.Conv2d.html (Shape)
 */
export function slide(size: Dim, window: { kernel: number; stride: number; pads: number; dilation: number }): Dim {
  return add(floorDivide(add(size, window.pads - window.dilation * (window.kernel - 1) - 1), window.stride), 1);
}

/**
 * Output size of one axis of pooling with ceil_mode: windows may stick out at the end, but must begin inside or in the border
 * before: min(⌈(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌉ + 1, ⌈(size + padding) / stride⌉).
 * @see https://pytorch.org/docs/2.13/generated/torch.nn.MaxPool2d.html (ceil_mode)
 */
export function slideOver(size: Dim, { kernel, stride, padding, dilation }: { kernel: number; stride: number; padding: number; dilation: number }): Dim {
  // Both bounds are ⌊(size + constant) / stride⌋, so the smaller constant decides, whatever the size.
  return floorDivide(add(size, Math.min(2 * padding - dilation * (kernel - 1) - 2 + 2 * stride, padding + stride - 1)), stride);
}

/** How a window slides along the last one or two axes, as a picture shows it. */
export type Sliding = { kernel: number[]; stride: number[]; padding: number[]; dilation: number[] };

/** The way of a window, from a layer's parameters: `same` is half of its reach, and a stride of "kernel" its own size. */
export function slidingOf(
  axes: Axes,
  given: { kernel_size: number | number[]; stride: number | number[] | "kernel"; padding: number | number[] | "same" | "valid"; dilation?: number | number[] },
): Sliding {
  const kernel = perAxis(given.kernel_size, axes);
  const dilation = perAxis(given.dilation ?? 1, axes);
  const stride = given.stride === "kernel" ? kernel : perAxis(given.stride, axes);
  const padding =
    given.padding === "same"
      ? kernel.map((size, i) => Math.floor(((dilation[i] ?? 1) * (size - 1)) / 2))
      : given.padding === "valid"
        ? kernel.map(() => 0)
        : perAxis(given.padding, axes);
  return { kernel: kernel.slice(-2), stride: stride.slice(-2), padding: padding.slice(-2), dilation: dilation.slice(-2) };
}

/** Output size of one axis of a transposed convolution: (size − 1)·stride + reach + 1. */
export function scaleUp(size: Dim, stride: number, reach: number): Dim {
  return add(multiply(size, stride), reach + 1 - stride);
}

/** How many spatial axes a layer slides over: sequences, images, volumes. */
export type Axes = 1 | 2 | 3;

const AXIS_NAMES = { 1: "length", 2: "height, width", 3: "depth, height, width" } as const;

/** What a layer over that many spatial axes takes, as its port says it. */
export const SPATIAL_INPUT = {
  1: say("Sequences: [N, channels, length]."),
  2: say("Images: [N, channels, height, width]."),
  3: say("Volumes: [N, channels, depth, height, width]."),
} as const;

/** Why a layer over `axes` spatial axes cannot take `x`, or null where it can: it needs [N, channels, ...]. */
export function needImage(title: string, axes: Axes, x: Shape): InferProblem | null {
  if (x.length === axes + 2) return null;
  const fixes: Fix[] = [];
  if (axes > 1 && x.length === axes + 1)
    fixes.push({
      kind: "insert",
      label: say("Insert Reshape that adds a channel axis"),
      nodes: [{ type: "reshape", params: { shape: [1, ...x.slice(1).map(runtimeSize)] } }],
      port: "x",
    });
  if (axes === 2 && x.length === 2 && typeof x[1] === "number") {
    const side = Math.sqrt(x[1]);
    if (Number.isInteger(side) && side > 1)
      fixes.push({ kind: "insert", label: say("Insert Reshape to 1×{side}×{side}", { side }), nodes: [{ type: "reshape", params: { shape: [1, side, side] } }], port: "x" });
  }
  if (axes === 1 && x.length === 2)
    fixes.push({ kind: "insert", label: say("Insert Reshape that adds a channel axis"), nodes: [{ type: "reshape", params: { shape: [1, -1] } }], port: "x" });
  if (axes === 1 && x.length === 4)
    fixes.push({ kind: "insert", label: say("Insert Flatten over height and width"), nodes: [{ type: "flatten", params: { start_dim: 2 } }], port: "x" });
  return {
    problem: say("{title} needs [N, channels, {axes}] but receives {x}.", { title, axes: AXIS_NAMES[axes], x: printShape(x) }),
    port: "x",
    hint: axes > 1 && x.length === axes + 1 ? say("Use the layer for one axis less, or add an axis with Reshape.") : say("Put a Reshape in front."),
    fixes,
  };
}

/** Why a layer cannot know its number of channels, axis 1 of `x`, or null where it can. */
export function needChannels(title: string, x: Shape): InferProblem | null {
  if (typeof x[1] === "number") return null;
  return {
    problem: say("{title} needs to know its number of channels, but axis 1 of {x} is known only at run time.", { title, x: printShape(x) }),
    port: "x",
    hint: say("Move that axis with Permute."),
  };
}

function runtimeSize(dim: Dim): number {
  return typeof dim === "number" ? dim : -1;
}

/** Why a window does not fit, or null. `sizes` are the spatial sizes before, `result` those after. */
export function needFit(title: string, sizes: Shape, result: Shape, reach: number[], fixes: Fix[]): InferProblem | null {
  const axis = result.findIndex((size) => typeof size === "number" && size < 1);
  if (axis === -1) return null;
  return {
    problem: say("{title}'s window spans {reach} but its input, padding included, is smaller: {sizes}.", { title, reach: reach.join("×"), sizes: sizes.join("×") }),
    port: "x",
    hint: say("Make the window smaller, add padding, or shrink the image less before."),
    fixes,
  };
}
