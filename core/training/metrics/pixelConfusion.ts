import { say } from "../../language/say.ts";
import type { MetricRecord } from "../records.ts";
import { areScores, classCount, predictedClass } from "./scores.ts";

/** Beyond this, the matrix is too large to be looked at, or to be sent after each epoch. */
const MOST_CLASSES = 256;

/** As the confusion matrix of rows, but of everything that has a class of its own within a row. Pixels of which nothing is known are left out. */
export const pixelConfusion: MetricRecord = {
  name: "pixel_confusion",
  title: "Confusion of pixels",
  doc: "How many pixels of each class (down) were taken for each class (across).",
  formula: "counts[target, argmax y]",
  use: say("To see which classes are taken for each other."),
  reduce: "sum",
  when: "validation",
  fits: (types) => areScores(types) && types.target.shape.length > 1 && classCount(types.y) <= MOST_CLASSES,
  lower(b, { y, target }) {
    const classes = classCount(y.type);
    const cells = classes * classes;
    const whole = target.type;
    const cell = b.call("aten::add.Tensor", [b.call("aten::mul.Scalar", [target, classes], whole), predictedClass(b, y, target), 1], whole);
    const known = b.call("aten::ge.Scalar", [target, 0], { dtype: "bool", shape: whole.shape });
    const kept = b.call("aten::where.ScalarOther", [known, cell, cells], whole);
    const counts = b.call("aten::bincount", [b.call("aten::flatten.using_ints", [kept], { dtype: "int64", shape: ["N"] }), null, cells + 1], {
      dtype: "int64",
      shape: [cells + 1],
    });
    return b.call("aten::reshape", [b.call("aten::narrow", [counts, 0, 0, cells], { dtype: "int64", shape: [cells] }), { ints: [classes, classes] }], {
      dtype: "int64",
      shape: [classes, classes],
    });
  },
};
