import { printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { findLoss } from "./losses/index.ts";
import { type ExpressionMetric, findMetricProblem } from "./metrics/expression.ts";
import type { LossRecord, TargetAnswer, TargetInfo } from "./records.ts";
import type { RunSettings } from "./settings.ts";
import type { Turn } from "./turns.ts";

/** What training makes small: the loss of the main output, and those of further outputs with their weights. Beside that, what a person wants measured. */
export type Objective = {
  loss: LossRecord;
  extraLosses?: readonly { output: string; loss: LossRecord; weight: number }[];
  expressionMetrics?: readonly ExpressionMetric[];
  /** Optimizers beside the main one: the further losses of their outputs are no part of the sum, but theirs. */
  further?: readonly Turn[];
};

/** The losses that settings name, with their parameters, and the metrics that a person wrote. */
export function objectiveOf({
  loss,
  lossParams,
  extraLosses,
  expressionMetrics = [],
  furtherOptimizers = [],
}: Pick<RunSettings, "loss" | "lossParams" | "extraLosses"> & Partial<Pick<RunSettings, "expressionMetrics" | "furtherOptimizers">>): Required<Objective> {
  return {
    loss: findLoss(loss, lossParams),
    extraLosses: extraLosses.map((extra) => ({ output: extra.output, loss: findLoss(extra.loss, extra.lossParams), weight: extra.weight })),
    expressionMetrics,
    further: furtherOptimizers,
  };
}

/** A loss and the output it looks at. `name` is that of its metric, where there are several: `loss/y`. */
export type LossPart = { output: string; name: string; loss: LossRecord; weight: number /** Which optimizer makes it small; 0: the main one. */; optimizer: number };

/** All losses, the main one first. */
export function lossParts({ loss, extraLosses = [], further = [] }: Objective, main: string): LossPart[] {
  const taken = new Set<string>();
  const parts = [
    { output: main, loss, weight: 1, optimizer: 0 },
    ...extraLosses.map((extra) => ({ ...extra, optimizer: further.findIndex(({ outputs }) => outputs.includes(extra.output)) + 1 })),
  ];
  return parts.map((set) => {
    const part = { ...set, output: set.loss.output ?? set.output };
    let name = `loss/${part.output}`;
    for (let count = 2; taken.has(name); count++) name = `loss/${part.output}_${count}`;
    taken.add(name);
    return { ...part, name };
  });
}

/** The output of a program that a further optimizer, counted from 1, makes small. */
export const apartName = (optimizer: number): string => `loss/optimizer_${optimizer + 1}`;

/** Why a loss does not go with its output. */
export type LossProblem = Extract<TargetAnswer, { problem: string }> & { output: string };

/** Why the metrics that a person wrote do not go with the main output and the targets. */
export function metricProblems({ expressionMetrics = [] }: Objective, types: { y: TensorType | null; target: TensorType }): { problem: string; hint?: string }[] {
  return expressionMetrics.flatMap(({ name, expression }) => {
    const found = findMetricProblem(expression, types);
    return found
      ? [
          {
            problem: say("The metric “{name}”, column {column}: {message}", { name, column: found.column, message: found.message }),
            hint: found.hint ?? say("Correct it in the training settings."),
          },
        ]
      : [];
  });
}

/**
 * The targets that all losses compare with, or why some cannot. `outputs` are the types of the outputs by name; one whose type
 * is not known is `null`.
 */
export function fitTargets(
  objective: Objective,
  main: string,
  outputs: ReadonlyMap<string, TensorType | null>,
  info: TargetInfo,
): { target: TensorType } | { problems: LossProblem[] } {
  const problems: LossProblem[] = [];
  let target: TensorType | null = null;
  for (const { output, loss } of lossParts(objective, main)) {
    const y = outputs.get(output);
    if (y === undefined) {
      const known = [...outputs.keys()].join(", ");
      problems.push({
        output,
        problem: say("{name} is set for an output “{output}”, and the model's are {known}.", { name: loss.name, output, known }),
        hint: say("Choose another output in the training settings, or give an Output this name."),
      });
      continue;
    }
    if (y === null) continue;
    const answer = loss.target(y, info);
    if ("problem" in answer) problems.push({ ...answer, output });
    else if (target === null) target = answer.target;
    else if (target.dtype !== answer.target.dtype || target.shape.length !== answer.target.shape.length)
      problems.push({
        output,
        problem: say("{name} of “{output}” needs targets {dtype} {shape}, but the first loss needs {dtype2} {shape2}: they come from the same data.", {
          name: loss.name,
          output,
          dtype: answer.target.dtype,
          shape: printShape(answer.target.shape),
          dtype2: target.dtype,
          shape2: printShape(target.shape),
        }),
        hint: say("Choose a loss that takes the same targets."),
      });
  }
  if (problems.length > 0 || target === null) return { problems };
  return { target };
}
