import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axisOf, type InferProblem } from "./kit.ts";

/** The axis that `dim` means, or what to say where there is none. `extra` is 1 where a new axis may come last. */
export function needAxis(title: string, dim: number, shape: Shape, param = "dim", extra: 0 | 1 = 0): { axis: number } | InferProblem {
  const axis = axisOf(dim, shape.length + extra);
  if (axis !== null) return { axis };
  return {
    problem: say("{title} has no axis {dim} in {shape}.", { title, dim, shape: printShape(shape) }),
    code: "GRAPH_PARAM",
    param,
    fixes: shape.length + extra > 0 ? [{ kind: "set-param", label: say("Use the last axis"), name: param, value: -1 }] : [],
  };
}

/** The axes that `dims` mean, in their order; each may be named once. */
export function needAxes(title: string, dims: number[], shape: Shape, param = "dim"): { axes: number[] } | InferProblem {
  const axes = dims.flatMap((dim) => axisOf(dim, shape.length) ?? []);
  if (axes.length === dims.length && new Set(axes).size === axes.length) return { axes };
  return {
    problem: say("{title} cannot take the axes {dims} of {shape}: each must be there, and be named once.", { title, dims: dims.join(", "), shape: printShape(shape) }),
    code: "GRAPH_PARAM",
    param,
    fixes: shape.length > 0 ? [{ kind: "set-param", label: say("Use the last axis"), name: param, value: [-1] }] : [],
  };
}

/** The same for a layer whose parameters were checked. */
export function axesOf(dims: number[], rank: number): number[] {
  return dims.flatMap((dim) => axisOf(dim, rank) ?? []);
}
