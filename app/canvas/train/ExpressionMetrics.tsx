"use client";

import { X } from "lucide-react";
import { mainOutput } from "../../../core/graph/predicting.ts";
import { printShape, type TensorType } from "../../../core/graph/shape.ts";
import { say } from "../../../core/language/say.ts";
import { ExpressionMetric, findMetricProblem } from "../../../core/training/metrics/expression.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { Field, TextInput } from "../../ui/Field.tsx";
import { useChecked } from "../checked.ts";
import { ExpressionField } from "../ExpressionField.tsx";
import { useGraph } from "../useGraph.ts";
import { changeSettings, complain, useTraining } from "./useTraining.ts";

const MOST = 8;

/** What a person wants measured beside that: text over the output and the targets, checked while it is written. */
export function ExpressionMetrics({ metrics }: { metrics: readonly ExpressionMetric[] }) {
  const checked = useChecked();
  const main = useGraph((s) => mainOutput(s.graph)?.node.id);
  const arrived = main === undefined ? undefined : checked.types.get(main)?.inputs.x;
  const types = { y: arrived && !Array.isArray(arrived) ? arrived : null, target: checked.target };
  const complaints = useTraining((s) => s.complaints);

  function change(index: number, patch: Partial<ExpressionMetric>): void {
    const next = metrics.map((metric, i) => (i === index ? { ...metric, ...patch } : metric));
    changeSettings({ expressionMetrics: next });
    complainOf(next, types);
  }
  return (
    <section aria-label={say("Metrics")} className="pt-1">
      {metrics.map(({ name, expression }, index) => (
        <div key={index} className="relative my-1 rounded-md border border-line px-2 py-1">
          <h4 className="flex items-center justify-between text-sm text-ink2">
            {say("Metric {index}", { index: index + 1 })}
            <IconButton
              label={say("Remove metric {index}", { index: index + 1 })}
              className="size-5!"
              onClick={() => {
                const next = metrics.filter((_, i) => i !== index);
                changeSettings({ expressionMetrics: next });
                complain(nameField(metrics.length - 1), null);
                complain(textField(metrics.length - 1), null);
                complainOf(next, types);
              }}
            >
              <X size={12} />
            </IconButton>
          </h4>
          <Field label={say("Name")} problem={complaints[nameField(index)]}>
            {(ids) => <TextInput {...ids} value={name} maxLength={40} onChange={(event) => change(index, { name: event.target.value })} />}
          </Field>
          <Field label={say("Expression")} doc={say("The mean of this over the validation rows, after each epoch.")}>
            {(ids) => (
              <ExpressionField
                id={ids.id}
                placeholder={EXAMPLE}
                value={expression}
                onValue={(text) => change(index, { expression: text })}
                problem={findMetricProblem(expression, types)}
                hint={say("y is {y}, target {target}.", { y: printType(types.y), target: printType(types.target) })}
              />
            )}
          </Field>
        </div>
      ))}
      <Button
        size="sm"
        disabled={metrics.length >= MOST}
        onClick={() => changeSettings({ expressionMetrics: [...metrics, { name: freeName(metrics), expression: startFor(types) }] })}
      >
        {say("Add a metric")}
      </Button>
    </section>
  );
}

const nameField = (index: number) => say("Name of metric {index}", { index: index + 1 });
const textField = (index: number) => say("Metric {index}", { index: index + 1 });
const EXAMPLE = "abs(y - target)";

/** A run cannot start over a metric that says nothing. */
function complainOf(metrics: readonly ExpressionMetric[], types: { y: TensorType | null; target: TensorType | null }): void {
  for (const [index, { name, expression }] of metrics.entries()) {
    const named = ExpressionMetric.shape.name.safeParse(name);
    const twice = metrics.some((other, i) => i < index && other.name === name);
    complain(nameField(index), named.success ? (twice ? say("Another metric has this name.") : null) : (named.error.issues[0]?.message ?? null));
    complain(textField(index), findMetricProblem(expression, types)?.message ?? null);
  }
}

function freeName(metrics: readonly ExpressionMetric[]): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? say("own metric") : say("own metric {i}", { i });
    if (!metrics.some((metric) => metric.name === name)) return name;
  }
}

/** Something that goes with the types, to be written over. */
function startFor({ y, target }: { y: TensorType | null; target: TensorType | null }): string {
  const starts = [EXAMPLE, "argmax(y, axis=1) == target", "(y > 0) == target"];
  return starts.find((text) => findMetricProblem(text, { y, target }) === null && (text !== EXAMPLE || target?.dtype === "float32")) ?? EXAMPLE;
}

function printType(type: TensorType | null): string {
  return type ? `${type.dtype} ${printShape(type.shape)}` : say("not known yet");
}
