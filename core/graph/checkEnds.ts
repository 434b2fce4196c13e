import { LENGTHS_INPUT, type Manifest } from "../data/manifest.ts";
import { say } from "../language/say.ts";
import { bodyInputs } from "../layers/input.ts";
import { type Fix, type Layer, portsOf } from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import { bodyTargets } from "../layers/target.ts";
import { fitTargets, lossParts, metricProblems } from "../training/objective.ts";
import { targetInfo } from "../training/targets.ts";
import { shareWeights } from "../training/turns.ts";
import { layerOf } from "./bypass.ts";
import type { Checked, CheckOptions, Problem } from "./check.ts";
import type { Graph, Node } from "./document.ts";
import { findLookahead } from "./lookahead.ts";
import { weightName } from "./path.ts";
import { dependsOnTarget, mainOutput } from "./predicting.ts";
import { printShape, type Shape, type TensorType } from "./shape.ts";

/** Problems of the whole model: its ends, the data that comes in, the loss at the end. */
export function checkEnds(checked: Checked, graph: Graph, outputs: Map<string, TensorType>, { loss, extraLosses = [], expressionMetrics, further, data }: CheckOptions): void {
  const report = (problem: Omit<Problem, "severity"> & { severity?: Problem["severity"] }) => checked.problems.push({ severity: "error", ...problem });
  const inputNodes = bodyInputs(graph);
  const outputNodes = bodyOutputs(graph);
  if (inputNodes.length === 0)
    report({
      code: "GRAPH_NO_INPUT",
      message: say("The model has no Input, so no data can enter."),
      hint: say("Add an Input from the palette."),
      fixes: addInput(checked, graph, data),
    });
  for (const { name, node } of inputNodes) {
    if (name === "target")
      report({
        code: "GRAPH_NAME",
        message: say("An input cannot be named target, which is what training compares with."),
        node: node.id,
        hint: say("Give it another name."),
        fixes: [{ kind: "rename", label: say("Name it after its layer"), name: "" }],
      });
  }
  if (outputNodes.length === 0)
    report({
      code: "GRAPH_INCOMPLETE",
      message: say("The model has no Output, so it predicts nothing."),
      hint: say("Add an Output and connect the last layer to it."),
      fixes: addOutput(graph),
    });

  if (data) checkData(checked, inputNodes, data, report);
  if (data) checkTargets(checked, bodyTargets(graph), data, report);
  // Texts with a token for each step to be said: that of the step after it.
  if (data?.text && data.splits.train.target.shape.length === 1) checked.problems.push(...findLookahead(graph));

  const main = mainOutput(graph);
  if (!main) {
    const [node] = outputNodes.map((output) => output.node);
    if (node)
      report({
        code: "GRAPH_TARGET",
        message: say("Every Output depends on the Target, which is there while training only, so the model predicts nothing."),
        node: node.id,
        hint: say("Add an Output for the prediction, in front of where the Target comes in."),
        fixes: [],
      });
    return;
  }
  const nodeOf = (name: string) => outputNodes.find((output) => output.name === name)?.node ?? main.node;
  const parts = loss ? lossParts({ loss, extraLosses }, main.name) : [{ output: main.name, loss: undefined }];
  for (const part of parts) {
    const source = outputs.has(part.output) ? sourceAtTop(graph, nodeOf(part.output).id) : undefined;
    if (source?.layer.trait !== "probabilities" || (part.loss && part.loss.expects !== "logits")) continue;
    report({
      severity: "hint",
      code: "GRAPH_LINT",
      message: say("{name} does what {title} before the output does, so training would suffer from it twice.", {
        name: part.loss?.name ?? "CrossEntropyLoss or BCEWithLogitsLoss",
        title: source.layer.title,
      }),
      node: source.node.id,
      hint: say("Leave the output as plain scores."),
      fixes: [{ kind: "remove-node", label: say("Remove this {title}", { title: source.layer.title }) }],
    });
  }
  if (!loss) return;
  const training = dependsOnTarget(graph);
  for (const { name, node } of outputNodes) {
    if (!training.has(node.id) || parts.some((part) => part.output === name)) continue;
    report({
      severity: "hint",
      code: "GRAPH_TARGET",
      message: say("Output “{name}” is computed from the Target, but no loss of the training settings looks at it.", { name }),
      node: node.id,
      hint: say("Choose “The output itself” as the loss there, with {name} as its output.", { name }),
      fixes: [],
    });
  }
  const learns = [...checked.weights.values()].some((plans) => Object.values(plans).some(({ trainable }) => trainable !== false));
  // While a model is drawn that goes without saying; where it is to be trained on something, it does not.
  if (data && !learns)
    report({
      code: "GRAPH_INCOMPLETE",
      message: say("The model has no weights that learn, so there is nothing to train."),
      node: main.node.id,
      hint: say("Add a layer with weights, such as Linear, or a Parameter."),
      fixes: [],
    });
  if (further && further.length > 0) {
    const weights = [...checked.weights].flatMap(([node, plans]) =>
      Object.entries(plans).map(([name, { trainable = true }]) => ({ name: weightName(node, name), node, trainable })),
    );
    const answer = shareWeights(further, weights);
    if ("problems" in answer) for (const { node, problem: message, hint } of answer.problems) report({ code: "GRAPH_OPTIMIZER", message, hint, node, fixes: [] });
  }
  const known = new Map(outputNodes.map(({ name }) => [name, outputs.get(name) ?? null]));
  const answer = fitTargets({ loss, extraLosses }, main.name, known, data ? targetInfo(data) : { classes: null, type: null });
  if ("target" in answer) {
    checked.target = answer.target;
    for (const { problem: message, hint } of metricProblems({ loss, expressionMetrics }, { y: known.get(main.name) ?? null, target: answer.target }))
      report({ code: "GRAPH_METRIC", message, node: main.node.id, port: "x", hint, fixes: [] });
    return;
  }
  for (const { output, problem: message, hint, width, fixes = [] } of answer.problems) {
    const node = nodeOf(output);
    const source = sourceAtTop(graph, node.id);
    const widen = source?.layer.widthParam;
    const setWidth: Fix[] =
      width !== undefined && source && widen
        ? [{ kind: "set-param", label: say("Set {widen} of {title} to {width}", { widen, title: source.layer.title, width }), node: source.node.id, name: widen, value: width }]
        : [];
    report({ code: "GRAPH_LOSS", message, node: node.id, port: "x", hint, fixes: [...setWidth, ...fixes] });
  }
}

const nameOf = (node: Node) => node.name || layerOf(node)?.title || node.type;

/** An Input into the first port that waits for a wire, as wide as the data where that is known. */
function addInput(checked: Checked, graph: Graph, data: Manifest | undefined): Fix[] {
  const waiting = checked.problems.find(({ code, node, port }) => code === "GRAPH_UNCONNECTED" && port !== undefined && graph.nodes.some(({ id }) => id === node));
  const to = graph.nodes.find(({ id }) => id === waiting?.node);
  if (!to || waiting?.port === undefined) return [];
  const { dtype, shape } = data?.splits.train.input ?? {};
  const params = shape ? { shape, ...(dtype === "int64" ? { dtype } : {}) } : {};
  return [{ kind: "add", label: say("Add an Input to {to}", { to: nameOf(to) }), type: "input", params, beside: to.id, port: waiting.port, side: "above" }];
}

/** An Output behind the lowest node whose result nothing takes. */
function addOutput(graph: Graph): Fix[] {
  const taken = new Set(graph.edges.map(({ from }) => from.node));
  const ends = graph.nodes.flatMap((node) => {
    const layer = layerOf(node);
    const [port] = layer && !layer.boundary && !taken.has(node.id) ? Object.keys(portsOf(layer, node).outputs) : [];
    return port === undefined ? [] : [{ node, port }];
  });
  const last = ends.toSorted((a, b) => a.node.at.y - b.node.at.y).at(-1);
  return last
    ? [{ kind: "add", label: say("Add an Output behind {node}", { node: nameOf(last.node) }), type: "output", params: {}, beside: last.node.id, port: last.port, side: "below" }]
    : [];
}

/** Whether the data set's arrays fit the inputs that they are fed to. */
function checkData(checked: Checked, inputs: readonly { name: string; node: Node }[], data: Manifest, report: (problem: Omit<Problem, "severity">) => void): void {
  const { input, lengths, more = {} } = data.splits.train;
  const typeOf = (node: Node) => checked.types.get(node.id)?.outputs.y;
  const given = inputs.filter(({ name }) => name === LENGTHS_INPUT);
  for (const { node } of given) {
    const type = typeOf(node);
    if (!lengths) {
      report({
        code: "GRAPH_DATA",
        message: say("The data set's samples are all of one size, so it gives nothing to the Input “{LENGTHS_INPUT}”.", { LENGTHS_INPUT }),
        node: node.id,
        hint: say("Remove it: without lengths every step counts."),
        fixes: [{ kind: "remove-node", label: say("Remove this Input") }],
      });
    } else if (type && type.shape.length !== 1) {
      report({
        code: "GRAPH_DATA",
        message: say("Input “{LENGTHS_INPUT}” is fed one number for each sample, {shape}, but takes {shape2}.", {
          LENGTHS_INPUT,
          shape: printShape(["B"]),
          shape2: printShape(type.shape),
        }),
        node: node.id,
        param: "shape",
        fixes: [{ kind: "set-param", label: say("Set shape to a single number"), name: "shape", value: [] }],
      });
    } else if (type && type.dtype !== "int64") {
      report({
        code: "GRAPH_DATA",
        message: say("Input “{LENGTHS_INPUT}” is fed whole numbers, int64, but takes {dtype}.", { LENGTHS_INPUT, dtype: type.dtype }),
        node: node.id,
        param: "dtype",
        fixes: [{ kind: "set-param", label: say("Make it int64"), name: "dtype", value: "int64" }],
      });
    }
  }
  const isMore = (name: string) => Object.hasOwn(more, name);
  for (const { name, node } of inputs.filter((one) => isMore(one.name))) {
    const type = typeOf(node);
    const { dtype, shape } = more[name] ?? input;
    if (type && (!matches(type.shape.slice(1), shape) || type.dtype !== dtype)) {
      const isShape = !matches(type.shape.slice(1), shape);
      report({
        code: "GRAPH_DATA",
        message: say("Input “{name}” is fed {dtype} {shape} but takes {dtype2} {shape2}.", {
          name,
          dtype,
          shape: printShape(shape),
          dtype2: type.dtype,
          shape2: printShape(type.shape.slice(1)),
        }),
        node: node.id,
        param: isShape ? "shape" : "dtype",
        fixes: [
          isShape
            ? { kind: "set-param", label: say("Set shape to {shape}", { shape: shape.join("×") }), name: "shape", value: shape }
            : { kind: "set-param", label: say("Make it {dtype}", { dtype }), name: "dtype", value: dtype },
        ],
      });
    }
  }
  const [first, ...others] = inputs.filter(({ name }) => name !== LENGTHS_INPUT && !isMore(name));
  const names = [
    ...(lengths ? [`${LENGTHS_INPUT} to be fed the length of each sample`] : []),
    ...Object.entries(more).map(([name, { dtype, shape }]) => `${name} to be fed ${dtype} ${printShape(shape)}`),
  ];
  for (const { name, node } of others)
    report({
      code: "GRAPH_DATA",
      message: say("The data set gives one input without a name of its own, and the model has {count}: nothing is fed to “{name}”.", { count: others.length + 1, name }),
      node: node.id,
      hint: names.length > 0 ? say("Remove it, or name it {names}.", { names: names.join(", or ") }) : say("Remove it."),
      fixes: [],
    });
  const type = first && typeOf(first.node);
  if (!first || !type) return;
  const declared = type.shape.slice(1);
  if (!matches(declared, input.shape)) {
    const wanted = lengths ? ["T", ...input.shape.slice(1)] : input.shape;
    report({
      code: "GRAPH_DATA",
      message: say("The data set's samples are {shape} but Input takes {declared}.", {
        shape: lengths ? say("sequences of up to {shape} steps, {wanted},", { shape: String(input.shape[0]), wanted: printShape(wanted) }) : printShape(wanted),
        declared: printShape(declared),
      }),
      node: first.node.id,
      param: "shape",
      fixes: [{ kind: "set-param", label: say("Set shape to {wanted}", { wanted: wanted.join("×") }), name: "shape", value: wanted }],
    });
  } else if (type.dtype !== (data.text ? "int64" : "float32")) {
    const wanted = data.text ? "int64" : "float32";
    report({
      code: "GRAPH_DATA",
      message: data.text
        ? say("The data set's samples are token numbers, int64, but Input takes {dtype}.", { dtype: type.dtype })
        : say("The data set's samples arrive as float32 but Input takes {dtype}.", { dtype: type.dtype }),
      node: first.node.id,
      param: "dtype",
      hint: data.text ? say("Let an Embedding turn the numbers into vectors.") : undefined,
      fixes: [{ kind: "set-param", label: say("Make it {wanted}", { wanted }), name: "dtype", value: wanted }],
    });
  }
}

/** Whether the data set's targets are what the Targets of the graph say. */
function checkTargets(checked: Checked, targets: readonly Node[], data: Manifest, report: (problem: Omit<Problem, "severity">) => void): void {
  const { type: given } = targetInfo(data);
  for (const node of targets) {
    const type = checked.types.get(node.id)?.outputs.y;
    if (!type || !given) continue;
    const sizes = given.shape.slice(1);
    const isShape = !matches(
      type.shape.slice(1),
      sizes.filter((size) => typeof size === "number"),
    );
    if (!isShape && type.dtype === given.dtype) continue;
    report({
      code: "GRAPH_DATA",
      message: say("The data set's targets are {dtype} {shape} but Target says {dtype2} {shape2}.", {
        dtype: given.dtype,
        shape: printShape(given.shape),
        dtype2: type.dtype,
        shape2: printShape(type.shape),
      }),
      node: node.id,
      param: isShape ? "shape" : "dtype",
      fixes: [
        isShape
          ? {
              kind: "set-param",
              label: sizes.length === 0 ? say("Set shape to a single number") : say("Set shape to {sizes}", { sizes: sizes.join("×") }),
              name: "shape",
              value: sizes,
            }
          : { kind: "set-param", label: say("Make it {dtype}", { dtype: given.dtype }), name: "dtype", value: given.dtype },
      ],
    });
  }
}

function matches(declared: Shape, shape: number[]): boolean {
  return declared.length === shape.length && declared.every((size, i) => typeof size === "string" || size === shape[i]);
}

/** The layer whose values arrive at an output, looking through those that change none. */
function sourceAtTop(graph: Graph, id: string): { node: Node; layer: Layer } | undefined {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  let at = id;
  for (let steps = 0; steps <= graph.nodes.length; steps++) {
    const edge = graph.edges.find(({ to }) => to.node === at);
    const node = edge && nodes.get(edge.from.node);
    const layer = node && layerOf(node);
    if (!node || !layer) return undefined;
    if (layer.trait !== "neutral") return { node, layer };
    at = node.id;
  }
  return undefined;
}
