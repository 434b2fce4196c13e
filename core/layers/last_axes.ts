import { isStatic } from "../graph/dims.ts";
import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import type { InferProblem } from "./kit.ts";

/** The sizes of the last `axes` axes, which LayerNorm and RMSNorm normalize together, or why they cannot. */
export function lastAxes(title: string, axes: number, shape: Shape): { shape: number[] } | InferProblem {
  if (axes >= shape.length) {
    return {
      problem: say("{title} cannot normalize the last {axes} axes of {shape} without the batch.", { title, axes, shape: printShape(shape) }),
      code: "GRAPH_PARAM",
      param: "axes",
      fixes: shape.length > 1 ? [{ kind: "set-param", label: say("Set axes to 1"), name: "axes", value: 1 }] : [],
    };
  }
  const last = shape.slice(-axes);
  if (!isStatic(last))
    return {
      problem: say("{title} needs to know the sizes of the axes it normalizes, but in {shape} one is known only at run time.", { title, shape: printShape(shape) }),
      port: "x",
      hint: say("Normalize fewer axes, or move that axis with Permute."),
    };
  return { shape: last };
}
