import { printShape, type Shape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { BuilderSize, InferProblem, InputPort, OnnxValue, Value } from "./kit.ts";
import { p } from "./params.ts";

/**
 * Sizes that a person writes, of which some may be symbols such as B or T. A symbol means the axis of that size of the tensor on
 * the port `like`, which is asked at run time. No sizes at all mean those of `like`.
 */
export type Sizes = (number | string)[];

export const sizesParam = (what: string) =>
  p.dims({ default: [], doc: `${what}: numbers, and letters such as B or T for sizes of like. Empty: the shape of like, or a single number without it.`, placeholder: "B, 16" });

export const likePort = { doc: "Where the letters among the sizes are looked up; its numbers do not matter.", dtype: "any", optional: true } as const satisfies InputPort;

/** The shape that they mean, or which letter `like` does not have. */
export function needSizes(title: string, sizes: Sizes, like: TensorType | undefined, param: string): { shape: Shape } | InferProblem {
  if (sizes.length === 0) return { shape: like?.shape ?? [] };
  const unknown = sizes.find((size) => typeof size === "string" && !like?.shape.includes(size));
  if (unknown === undefined) return { shape: sizes };
  return like
    ? { problem: say("{title} looks for the size {unknown} in like, which is {shape}.", { title, unknown, shape: printShape(like.shape) }), code: "GRAPH_PARAM", param, fixes: [] }
    : {
        problem: say("{title} cannot know the size {unknown}: nothing is connected to like.", { title, unknown }),
        code: "GRAPH_PARAM",
        param,
        hint: say("Connect a tensor that has an axis of size {unknown} to like.", { unknown }),
        fixes: [],
      };
}

/** Each size as a number, or as whatever says an axis of `like`. */
function resolve<T>(sizes: Sizes, like: Shape | undefined, atAxis: (axis: number) => T): (number | T)[] {
  return (sizes.length === 0 ? (like ?? []) : sizes).map((size) => (typeof size === "number" ? size : atAxis(like?.indexOf(size) ?? 0)));
}

export function builderSizes(sizes: Sizes, like: Value | undefined): (number | BuilderSize)[] {
  return resolve(sizes, like?.type.shape, (axis) => {
    if (!like) throw new Error("Sizes with letters were checked to have a like.");
    return { size: [like, axis] };
  });
}

/** For `onnxSizes`. */
export function onnxSizeList(sizes: Sizes, like: OnnxValue | undefined): (number | { of: string; axis: number })[] {
  return resolve(sizes, like?.type.shape, (axis) => ({ of: like?.name ?? "", axis }));
}

export function pythonSizes(sizes: Sizes, like: Shape | undefined, name: string | undefined): (number | string)[] {
  return resolve(sizes, like, (axis) => `${name}.shape[${axis}]`);
}
