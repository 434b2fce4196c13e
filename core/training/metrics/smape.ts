import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { reshapeLike } from "../losses/kit.ts";
import type { MetricRecord } from "../records.ts";
import { areValues } from "./scores.ts";

export const smape: MetricRecord = {
  name: "smape",
  title: "Symmetric percentage error (sMAPE)",
  doc: "How far predictions are off as a share of the middle between prediction and target; 2 at most.",
  formula: "sMAPE = mean 2 |y − t| / (|y| + |t|)",
  use: say("For forecasts of values above 0. Unlike MAPE it is defined where a target is 0."),
  isShare: true,
  reduce: "mean",
  when: "validation",
  better: "lower",
  fits: areValues,
  lower(b, { y, target }) {
    const { type } = target;
    const said = reshapeLike(b, y, target);
    const error = b.call("aten::abs", [b.call("aten::sub.Tensor", [said, target], type)], type);
    const size = b.call("aten::add.Tensor", [b.call("aten::abs", [said], type), b.call("aten::abs", [target], type)], type);
    // Where both are 0, nothing is off.
    const share = b.call("aten::div.Tensor", [error, b.call("aten::clamp_min", [size, 1e-12], type)], type);
    return b.call("aten::mul.Scalar", [b.call("aten::mean", [share], float32([])), 2], float32([]));
  },
};
