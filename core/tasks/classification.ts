import { accuracy } from "../training/metrics/accuracy.ts";
import { confusion } from "../training/metrics/confusion.ts";
import { scoreHistogram } from "../training/metrics/scoreHistogram.ts";
import { tokenLikelihood } from "../training/metrics/tokenLikelihood.ts";
import { top5 } from "../training/metrics/topK.ts";
import type { TaskRecord } from "./task.ts";

/** What tasks that tell classes apart have in common. */
export const classification = {
  learns: "classes",
  loss: "CrossEntropyLoss",
  metrics: [accuracy, confusion, top5, scoreHistogram, tokenLikelihood],
  judgedBy: "accuracy",
  samples: 24,
} as const satisfies Partial<TaskRecord>;
