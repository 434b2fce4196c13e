import { z } from "zod";
import { evaluateExpression, readExpression } from "../../expression/evaluate.ts";
import { ExpressionError, type ExpressionProblem, problemOf, type Span } from "../../expression/parse.ts";
import { lowerExpression } from "../../expression/write.ts";
import type { TensorType } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import { float32, type ProgramBuilder, type Value } from "../../layers/kit.ts";

/** What a text may call by name. */
type Measured<T> = { y: T; target: T };

/** Stands before the name in a series' key: `validation/expression/far off`. */
export const EXPRESSION_METRIC = "expression";

/** A metric that a person writes: NumPy-like text over the main output `y` and the `target`. The mean of its result is taken, over the validation rows. */
export const ExpressionMetric = z.strictObject({
  name: z
    .string()
    .max(40)
    .regex(/^\p{L}[\p{L}\p{N} _-]*$/u, "A metric's name begins with a letter; then letters, digits, spaces, - and _."),
  expression: z
    .string()
    .max(2000)
    .superRefine((text, context) => {
      const problem = findMetricProblem(text, null);
      if (problem) context.addIssue({ code: "custom", message: say("Column {column}: {message}", { column: problem.column, message: problem.message }) });
    }),
});
export type ExpressionMetric = z.infer<typeof ExpressionMetric>;

/** What is wrong with a metric's text, by itself or for these types; null where nothing is, as far as they are known. */
export function findMetricProblem(text: string, types: { y: TensorType | null; target: TensorType | null } | null): ExpressionProblem | null {
  const read = readExpression(text);
  if ("problem" in read) return read.problem;
  const { inputs, outputs } = read.expression;
  const fail = (message: string, hint: string, span: Span = { start: 0, end: text.length }) => problemOf(new ExpressionError(message, span, "GRAPH_PARAM", hint), text);
  const stranger = inputs.find(({ name }) => name !== "y" && name !== "target");
  if (stranger) return fail(say("There is no {name} here.", { name: stranger.name }), say("A metric is made of y, the output, and target."), stranger.span);
  if (inputs.length === 0) return fail(say("It looks at neither y nor target."), say("Use y, the output, and target."));
  if (outputs.length !== 1) return fail(say("A metric is one figure, and this gives {count}.", { count: outputs.length }), say("Let the last line give one result."));
  const { y, target } = types ?? { y: null, target: null };
  if (!y || !target) return null;
  const evaluated = evaluateExpression(read.expression, { y, target });
  return "problem" in evaluated ? evaluated.problem : null;
}

/** The mean of what the text gives, as a float32 scalar. `text` goes with these types. */
export function lowerMetric(text: string, { y, target }: Measured<Value>, b: ProgramBuilder): Value {
  const read = readExpression(text);
  if ("problem" in read) throw new Error(`A checked metric can be read: ${read.problem.message}`);
  const evaluated = evaluateExpression(read.expression, { y: y.type, target: target.type });
  if ("problem" in evaluated) throw new Error(`A checked metric has types: ${evaluated.problem.message}`);
  const [result] = Object.values(lowerExpression(evaluated, { y, target }, b));
  if (!result) throw new Error("A metric has a result.");
  const numbers = result.type.dtype === "float32" ? result : b.call("aten::to.dtype", [result, "float32"], float32(result.type.shape));
  return numbers.type.shape.length === 0 ? numbers : b.call("aten::mean", [numbers], float32([]));
}
