import type { Preprocess } from "../data/manifest.ts";
import { type Checked, mainOutput } from "../graph/check.ts";
import type { Body, Graph } from "../graph/document.ts";
import { bodyOf, foldBody, GraphInvalid, requireValid, type Step } from "../graph/fold.ts";
import type { BodyStep } from "../graph/path.ts";
import type { TensorType } from "../graph/shape.ts";
import { bodyInputs } from "../layers/input.ts";
import type { Inputs, Value } from "../layers/kit.ts";
import type { LossRecord, MetricRecord, TargetInfo } from "../training/records.ts";
import type { TrainSpec } from "../training/spec.ts";
import type { Program } from "./program.ts";
import { ProgramWriter } from "./writer.ts";

/**
 * The program of a model: its inputs by name, raw as the data set stores them where `preprocess` is given, and its outputs by name.
 * @throws GraphInvalid
 */
export function lowerModel(graph: Graph, options: { preprocess?: Preprocess } = {}): Program {
  const checked = requireValid(graph);
  const writer = new ProgramWriter(checked.shared);
  const inputs = declareInputs(writer, graph, checked, options.preprocess);
  return writer.finish(lowerNodes(writer, graph, checked, inputs, options.preprocess));
}

/**
 * The program of a model in training: a further input `target`; outputs `loss`, the prediction `y` and the metrics by name.
 * `target` says what is known of the data set's targets.
 * @throws GraphInvalid, also where the loss does not go with the prediction.
 */
export function lowerTraining(
  graph: Graph,
  options: { preprocess?: Preprocess; loss: LossRecord; metrics: readonly MetricRecord[]; target?: TargetInfo },
): { program: Program; metrics: TrainSpec["metrics"] } {
  const checked = requireValid(graph);
  const main = mainOutput(graph);
  const prediction = main && checked.types.get(main.node.id)?.inputs.x;
  if (!main || !prediction || Array.isArray(prediction)) throw new Error("A checked graph has an output with a type.");
  const answer = options.loss.target(prediction, options.target ?? { classes: null, type: null });
  if ("problem" in answer)
    throw new GraphInvalid([{ severity: "error", code: "GRAPH_LOSS", message: answer.problem, hint: answer.hint, node: main.node.id, fixes: answer.fixes ?? [] }]);

  const writer = new ProgramWriter(checked.shared);
  const inputs = declareInputs(writer, graph, checked, options.preprocess);
  const target = writer.input("target", answer.target, main.node.id);
  const outputs = lowerNodes(writer, graph, checked, inputs, options.preprocess);
  const y = outputs[main.name];
  if (!y) throw new Error("A checked graph has an output of that name.");
  const b = writer.at(main.node.id);
  const loss = options.loss.lower(b, { y, target });
  const measured = options.metrics.map((metric): [string, Value] => [metric.name, metric.lower(b, { y, target })]);
  return {
    program: writer.finish({ loss, y, ...Object.fromEntries(measured) }),
    metrics: options.metrics.map(({ name, reduce, when }) => ({ output: name, reduce, when })),
  };
}

/** An input of the model: its node, what the network takes, and the value as it comes in. */
type DeclaredInput = { name: string; nodeId: string; type: TensorType; value: Value };

function declareInputs(writer: ProgramWriter, graph: Graph, checked: Checked, preprocess: Preprocess | undefined): DeclaredInput[] {
  const nodes = bodyInputs(graph).sort((a, b) => (a.name < b.name ? -1 : 1));
  return nodes.map(({ name, node }) => {
    const type = checked.types.get(node.id)?.outputs.y;
    if (!type) throw new Error(`Input ${node.id} of a checked graph has a type.`);
    return { name, nodeId: node.id, type, value: writer.input(name, preprocess && isMeasure(type) ? { ...type, dtype: preprocess.dtype } : type, node.id) };
  });
}

/** Writes everything between inputs and outputs. Weights are declared first, since values are numbered in that order. */
function lowerNodes(writer: ProgramWriter, graph: Graph, checked: Checked, inputs: DeclaredInput[], preprocess: Preprocess | undefined): { [name: string]: Value } {
  if (preprocess) for (const input of inputs) if (isMeasure(input.type)) declareMoments(writer, input, preprocess);
  for (const path of checked.order) writer.declareWeights(path, checked.weights.get(path) ?? {});

  const lowerBody = (body: Body, steps: readonly BodyStep[], args: { [name: string]: Value }): { [name: string]: Value } =>
    foldBody(checked, body, steps, args, (step: Step, arrived: Inputs<Value>) => {
      const { node, layer, params, types, path } = step;
      const b = writer.at(path, (role, inner) => lowerBody(bodyOf(checked, step, role), [...steps, { node: node.id, role }], inner));
      return layer.lower(params, arrived, b, types, node);
    });
  return lowerBody(
    graph,
    [],
    Object.fromEntries(inputs.map((input) => [input.name, preprocess && isMeasure(input.type) ? writePreprocess(writer, input, preprocess) : input.value])),
  );
}

/** Whether an input holds measures, which preprocessing scales, and not indices such as tokens, which it must leave whole. */
export function isMeasure({ dtype }: TensorType): boolean {
  return dtype === "float32";
}

/** Mean and std as buffers, so that they are saved with the weights; neither where it changes nothing. */
function declareMoments(writer: ProgramWriter, { nodeId, type }: DeclaredInput, { mean, std }: Preprocess): void {
  const plan = (values: number[]) => ({
    shape: [values.length, ...Array<number>(Math.max(0, type.shape.length - 2)).fill(1)],
    init: { kind: "values" as const, values },
    trainable: false,
  });
  writer.declareWeights(nodeId, { ...(mean.some((m) => m !== 0) ? { mean: plan(mean) } : {}), ...(std.some((s) => s !== 1) ? { std: plan(std) } : {}) });
}

/** (x · scale − mean) / std along axis 1 */
function writePreprocess(writer: ProgramWriter, { nodeId, type, value: raw }: DeclaredInput, { dtype, scale, mean, std }: Preprocess): Value {
  const b = writer.at(nodeId);
  let value = dtype === "float32" ? raw : b.call("aten::to.dtype", [raw, "float32"], type);
  if (scale !== 1) value = b.call("aten::mul.Scalar", [value, scale], type);
  if (mean.some((m) => m !== 0)) value = b.call("aten::sub.Tensor", [value, b.weight("mean")], type);
  if (std.some((s) => s !== 1)) value = b.call("aten::div.Tensor", [value, b.weight("std")], type);
  return value;
}
