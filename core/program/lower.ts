import type { Preprocess } from "../data/manifest.ts";
import type { Checked } from "../graph/check.ts";
import type { Body, Graph, Node } from "../graph/document.ts";
import { bodyOf, foldBody, GraphInvalid, requirePredicting, requireValid, type Step, TARGET_ARGUMENT } from "../graph/fold.ts";
import type { BodyStep, NodePath } from "../graph/path.ts";
import { mainOutput } from "../graph/predicting.ts";
import type { TensorType } from "../graph/shape.ts";
import { isTuned, tuningAt, UNTUNED } from "../graph/tuning.ts";
import { bodyInputs, input } from "../layers/input.ts";
import { float32, type Inputs, type ProgramBuilder, type Value } from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import { readParams } from "../layers/params.ts";
import { bodyTargets } from "../layers/target.ts";
import type { TaskRecord } from "../tasks/task.ts";
import { EXPRESSION_METRIC, lowerMetric } from "../training/metrics/expression.ts";
import { MIXED_TARGET, type Mixed, mixLosses, mixRows } from "../training/mixup.ts";
import { apartName, fitTargets, lossParts, metricProblems, type Objective } from "../training/objective.ts";
import type { MetricRecord, TargetInfo } from "../training/records.ts";
import type { TrainSpec } from "../training/spec.ts";
import { UNKNOWN_BYTE, UNKNOWN_TARGET } from "../training/targets.ts";
import type { Program } from "./program.ts";
import { ProgramWriter } from "./writer.ts";

/**
 * The program of a model as it predicts, without what depends on a Target: its inputs by name, raw as the data set stores them where `preprocess` is given, and its outputs by name.
 * @throws GraphInvalid
 */
export function lowerModel(graph: Graph, options: { preprocess?: Preprocess } = {}): Program {
  const { graph: predictor, checked } = requirePredicting(graph);
  const writer = new ProgramWriter(checked.shared);
  return writer.finish(lowerNodes(writer, predictor, checked, declareInputs(writer, predictor, checked, options.preprocess)));
}

/** What stands on a port while a model runs, and as which of the program's outputs it comes. */
export type Tap = { path: NodePath; port: string; output: string };

/**
 * The program of a model that gives what its nodes give, of those at the `wanted` paths: each of their outputs, and what comes into an
 * Output. Within branches and loops there is no one value to give. `atRandom` are the nodes that change numbers in training alone.
 * @throws GraphInvalid
 */
export function lowerTapped(
  graph: Graph,
  options: { preprocess?: Preprocess; wanted: Pick<ReadonlySet<NodePath>, "has"> },
): { program: Program; taps: Tap[]; atRandom: Set<NodePath> } {
  const { graph: predictor, checked } = requirePredicting(graph);
  const writer = new ProgramWriter(checked.shared);
  const inputs = declareInputs(writer, predictor, checked, options.preprocess);
  const taps: Tap[] = [];
  const atRandom = new Set<NodePath>();
  const outputs: { [name: string]: Value } = {};
  lowerNodes(writer, predictor, checked, inputs, {
    see: ({ path, layer }, values) => {
      if (layer.trait === "neutral") atRandom.add(path);
      if (!options.wanted.has(path) || writer.isNested) return;
      for (const [port, value] of Object.entries(values)) {
        const output = `tap_${taps.length}`;
        taps.push({ path, port, output });
        outputs[output] = value;
      }
    },
  });
  return { program: writer.finish(outputs), taps, atRandom };
}

/**
 * The program of a model in training: a further input `target`; outputs `loss`, the prediction `y` and the metrics by name, of
 * which those that do not fit the prediction are left out, and those that a person wrote as `expression/<name>`. Of several losses `loss` is the weighted sum, and each is measured too; those that an optimizer of its own makes small are summed apart, as `apartName` says.
 * `target` says what is known of the data set's targets; with `show`, `y` is what that makes of the prediction. `keep`: a further output of
 * the graph that the program gives too.
 * @throws GraphInvalid, also where a loss does not go with its output.
 */
export function lowerTraining(graph: Graph, options: TrainingOptions): { program: Program; metrics: TrainSpec["metrics"] } {
  const { program, metrics } = lowerTypedTraining(graph, options);
  return { program, metrics };
}

export type TrainingOptions = Objective & {
  preprocess?: Preprocess;
  metrics: readonly MetricRecord[];
  target?: TargetInfo;
  /** α of mixup; 0 or absent: rows stay whole. */
  mixup?: number;
  keep?: string;
} & Pick<TaskRecord, "show">;

/** A node that sets numbers to 0 where they are low, and the axis of what it gives along which its units lie. */
export type Rectified = { node: NodePath; axis: number };

/** The same, with the type of each of the program's values, the nodes of which units can fall silent, and where the run is to pause. */
export function lowerTypedTraining(
  graph: Graph,
  options: TrainingOptions,
): { program: Program; metrics: TrainSpec["metrics"]; types: readonly TensorType[]; rectified: Rectified[]; breakpoints: NonNullable<TrainSpec["breakpoints"]> } {
  const checked = requireValid(graph);
  const main = mainOutput(graph);
  if (!main) throw new Error("A checked graph has an output.");
  const nodes = bodyOutputs(graph);
  const answer = fitTargets(options, main.name, new Map(nodes.map(({ name, node }) => [name, outputType(checked, node.id)])), options.target ?? { classes: null, type: null });
  if ("problems" in answer)
    throw new GraphInvalid(
      answer.problems.map(({ output, problem, hint, fixes = [] }) => ({
        severity: "error",
        code: "GRAPH_LOSS",
        message: problem,
        hint,
        node: nodes.find(({ name }) => name === output)?.node.id ?? main.node.id,
        fixes,
      })),
    );

  const wrong = metricProblems(options, { y: outputType(checked, main.node.id), target: answer.target });
  if (wrong.length > 0)
    throw new GraphInvalid(wrong.map(({ problem: message, hint }) => ({ severity: "error", code: "GRAPH_METRIC", message, hint, node: main.node.id, fixes: [] })));

  const [drawn] = bodyTargets(graph);
  if (drawn && options.mixup) throw new GraphInvalid([{ severity: "error", code: "GRAPH_TARGET", message: MIXED_TARGET, node: drawn.id, fixes: [] }]);

  const writer = new ProgramWriter(checked.shared);
  const inputs = declareInputs(writer, graph, checked, options.preprocess);
  const { stored } = options.target ?? {};
  const own = stored?.isInput ? inputs.find(({ type }) => isMeasure(type))?.value : undefined;
  const raw = own ?? writer.input("target", stored ? { ...answer.target, dtype: stored.dtype } : answer.target, main.node.id);
  const readTargets = () => (stored ? readTarget(writer.at(main.node.id), raw, answer.target, stored) : raw);
  const blended: { target: Value; mixed: Mixed }[] = [];
  const wired: Value[] = [];
  const { mixup } = options;
  const { rectified, see } = findRectified();
  const outputs = lowerNodes(writer, graph, checked, inputs, {
    see,
    change: (args) => {
      if (bodyTargets(graph).length > 0) {
        const whole = readTargets();
        wired.push(whole);
        return { ...args, [TARGET_ARGUMENT]: whole };
      }
      if (!mixup) return args;
      const target = readTargets();
      const mixed = mixRows(writer.at(inputs[0]?.nodeId ?? main.node.id), mixup, args, target);
      blended.push({ target, mixed });
      return mixed.inputs;
    },
  });
  const target = blended[0]?.target ?? wired[0] ?? readTargets();
  const of = (name: string): { y: Value; target: Value } => {
    const y = outputs[name];
    if (!y) throw new Error(`A checked graph has an output ${name}.`);
    return { y, target };
  };
  const parts = lossParts(options, main.name).map(({ output, name, loss, weight, optimizer }) => {
    const node = nodes.find((one) => one.name === output)?.node ?? main.node;
    const b = writer.at(node.id);
    const lossOf = (against: Value) => loss.lower(b, { ...of(output), target: against });
    return { name, weight, optimizer, value: blended[0] ? mixLosses(b, blended[0].mixed, target, lossOf) : lossOf(target) };
  });
  const b = writer.at(main.node.id);
  const { y } = of(main.name);
  const read = options.loss.read?.(b, of(main.name)) ?? y;
  const metrics = options.metrics.filter(({ fits }) => fits?.({ y: read.type, target: target.type }) ?? true);
  const measured = metrics.map((metric): [string, Value] => [metric.name, metric.lower(b, { y: read, target })]);
  const written = (options.expressionMetrics ?? []).map(({ name, expression }) => ({ name: `${EXPRESSION_METRIC}/${name}`, value: lowerMetric(expression, { y, target }, b) }));
  const apart = (options.further ?? []).map((_, at) => ({
    name: apartName(at + 1),
    value: addLosses(
      b,
      parts.filter(({ optimizer }) => optimizer === at + 1),
    ),
  }));
  const each = [...(parts.length > 1 ? parts : []), ...apart, ...[...writer.watched].map(([name, value]) => ({ name: `probe/${name}`, value }))];
  const breakpoints = writer.breakpoints.map(({ node, condition: { figure, side, limit }, figures }, at) => ({ output: `breakpoint/${at}`, node, figure, side, limit, figures }));
  return {
    program: writer.finish({
      loss: addLosses(
        b,
        parts.filter(({ optimizer }) => optimizer === 0),
      ),
      y: options.show?.(b, { y: read, target }) ?? y,
      ...(options.keep === undefined ? {} : { [options.keep]: of(options.keep).y }),
      ...Object.fromEntries(measured),
      ...Object.fromEntries([...each, ...written].map(({ name, value }) => [name, value])),
      ...Object.fromEntries(breakpoints.map(({ output, figures }) => [output, figures])),
    }),
    metrics: [
      ...metrics.map(({ name, reduce, when }) => ({ output: name, reduce, when })),
      ...each.map(({ name }) => ({ output: name, reduce: "mean" as const, when: "always" as const })),
      ...written.map(({ name }) => ({ output: name, reduce: "mean" as const, when: "validation" as const })),
    ],
    types: writer.types,
    rectified,
    breakpoints: breakpoints.map(({ figures: _, ...rest }) => rest),
  };
}

/** Where a curve is 0 from here down, a unit that never gets above gives nothing, and learns nothing. */
const LOW = [-1e6, -50, -4];

/** Collects nodes with such a curve as a network is written. Behind a convolution units are channels, else they are the last axis. */
function findRectified(): { rectified: Rectified[]; see: See } {
  const rectified: Rectified[] = [];
  const channelled = new Set<number>();
  return {
    rectified,
    see: ({ path, layer }, given, arrived) => {
      const [from] = Object.values(arrived).flat();
      const isChannelled = layer.category === "convolution" || (layer.category !== "linear" && from !== undefined && channelled.has(from.id));
      if (isChannelled) for (const { id } of Object.values(given)) channelled.add(id);
      const shape = given.y?.type.shape ?? [];
      const axis = isChannelled || shape.length > 3 ? 1 : shape.length - 1;
      if (axis >= 1 && layer.curve && LOW.every((x) => layer.curve?.(x) === 0) && typeof shape[axis] === "number") rectified.push({ node: path, axis });
    },
  };
}

/** Targets as losses take them, out of those that are stored in another way. */
function readTarget(b: ProgramBuilder, raw: Value, type: TensorType, { dtype, scale }: NonNullable<TargetInfo["stored"]>): Value {
  const value = dtype === type.dtype ? raw : b.call("aten::to.dtype", [raw, type.dtype], type);
  if (type.dtype === "int64") {
    const unknown = b.call("aten::eq.Scalar", [raw, UNKNOWN_BYTE], { dtype: "bool", shape: type.shape });
    return b.call("aten::masked_fill.Scalar", [value, unknown, UNKNOWN_TARGET], type);
  }
  return scale === 1 ? value : b.call("aten::mul.Scalar", [value, scale], type);
}

function outputType(checked: Checked, id: string): TensorType {
  const type = checked.types.get(id)?.inputs.x;
  if (!type || Array.isArray(type)) throw new Error(`Output ${id} of a checked graph has a type.`);
  return type;
}

/** Σ weight · loss */
function addLosses(b: ProgramBuilder, parts: readonly { weight: number; value: Value }[]): Value {
  const weighed = parts.map(({ weight, value }) => (weight === 1 ? value : b.call("aten::mul.Scalar", [value, weight], float32([]))));
  return weighed.reduce((sum, value) => b.call("aten::add.Tensor", [sum, value, 1], float32([])));
}

/** An input of the model: its node, what the network takes, and the value as it comes in. */
type DeclaredInput = {
  name: string;
  nodeId: string;
  type: TensorType;
  value: Value;
  /** What stands between what is stored and the network. */
  preprocess: Preprocess | undefined;
};

function declareInputs(writer: ProgramWriter, graph: Graph, checked: Checked, preprocess: Preprocess | undefined): DeclaredInput[] {
  const nodes = bodyInputs(graph).sort((a, b) => (a.name < b.name ? -1 : 1));
  return nodes.map(({ name, node }) => {
    const type = checked.types.get(node.id)?.outputs.y;
    if (!type) throw new Error(`Input ${node.id} of a checked graph has a type.`);
    const own = preprocess && isMeasure(type) ? preprocessAt(node, preprocess) : undefined;
    return { name, nodeId: node.id, type, value: writer.input(name, own ? { ...type, dtype: own.dtype } : type, node.id), preprocess: own };
  });
}

type See = (step: Step, values: { [port: string]: Value }, arrived: Inputs<Value>) => void;

/**
 * Writes everything between inputs and outputs; `change` may put others in the place of what comes in, `see` is shown what each node gives, and
 * of an Output what it takes, and then what arrived. Weights are declared first, since values are numbered in that order.
 */
function lowerNodes(
  writer: ProgramWriter,
  graph: Graph,
  checked: Checked,
  inputs: DeclaredInput[],
  { change = (args) => args, see }: { change?: (args: { [name: string]: Value }) => { [name: string]: Value }; see?: See } = {},
): { [name: string]: Value } {
  for (const input of inputs) if (input.preprocess) declareMoments(writer, input, input.preprocess);
  const tuned = isTuned(graph);
  const tuningOf = (path: string) => (tuned ? tuningAt(graph, path) : UNTUNED);
  for (const path of checked.order) writer.declareWeights(path, checked.weights.get(path) ?? {}, tuningOf(path));

  const lowerBody = (body: Body, steps: readonly BodyStep[], args: { [name: string]: Value }): { [name: string]: Value } =>
    foldBody(checked, body, steps, args, (step: Step, arrived: Inputs<Value>) => {
      const { node, layer, params, types, path } = step;
      const b = writer.at(path, (role, inner) => lowerBody(bodyOf(checked, step, role), [...steps, { node: node.id, role }], inner), tuningOf(path));
      const given = layer.lower(params, arrived, b, types, node);
      see?.(step, layer.boundary?.kind === "output" && arrived.x && !Array.isArray(arrived.x) ? { x: arrived.x } : given, arrived);
      return given;
    });
  return lowerBody(graph, [], change(Object.fromEntries(inputs.map((input) => [input.name, input.preprocess ? writePreprocess(writer, input, input.preprocess) : input.value]))));
}

/** Whether an input holds measures, which preprocessing scales, and not indices such as tokens, which it must leave whole. */
export function isMeasure({ dtype }: TensorType): boolean {
  return dtype === "float32";
}

/** What is stored is only scaled where the node says so: the network itself brings numbers to the place that its weights know. */
function preprocessAt(node: Node, preprocess: Preprocess): Preprocess {
  return readParams(input.params, node.params).values.standardize ? preprocess : { ...preprocess, mean: [], std: [] };
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
