import type { Manifest } from "../data/manifest.ts";
import { say } from "../language/say.ts";
import {
  acceptedDtypes,
  accepts,
  bodiesOf,
  type Cost,
  type Fix,
  type InferProblem,
  type Inferred,
  type InputPort,
  type Inputs,
  type Layer,
  portsOf,
  type WeightPlan,
} from "../layers/kit.ts";
import { type Params, readParams, type Values } from "../layers/params.ts";
import type { Objective } from "../training/objective.ts";
import { checkEnds } from "./checkEnds.ts";
import { evaluate } from "./dims.ts";
import type { Body, Edge, Graph, Node } from "./document.ts";
import { findExcess, LIMITS } from "./limits.ts";
import { offerWires } from "./offerWires.ts";
import { wiresInto } from "./order.ts";
import { ancestorsOf, type BodyStep, type NodePath, pathOf, resolvePath, weightName } from "./path.ts";
import { type Dtype, printShape, type Shape, type TensorType } from "./shape.ts";
import { type ReadNode, type Structure, structureOf, titleOf } from "./structure.ts";

/**
 * Something a person should know about a graph. An `error` keeps it from running. Codes are stable:
 * GRAPH_LIMIT, GRAPH_DUPLICATE_ID, GRAPH_UNKNOWN_TYPE, GRAPH_UNKNOWN_PARAM, GRAPH_EDGE, GRAPH_NAME, GRAPH_CYCLE,
 * GRAPH_UNCONNECTED, GRAPH_TIED, GRAPH_NO_INPUT, GRAPH_INCOMPLETE, GRAPH_PARAM, GRAPH_DTYPE, GRAPH_SHAPE, GRAPH_BODY, GRAPH_OVERFLOW,
 * GRAPH_MEMORY, GRAPH_BYPASS, GRAPH_TARGET, GRAPH_DATA, GRAPH_LOSS, GRAPH_METRIC, GRAPH_OPTIMIZER; hints: GRAPH_UNUSED, GRAPH_LINT, GRAPH_LOOKAHEAD.
 */
export type Problem = {
  severity: "error" | "hint";
  code: string;
  /** One sentence: what is needed, what came. */
  message: string;
  /** What to do. */
  hint?: string;
  node?: NodePath;
  port?: string;
  param?: string;
  /** The edge's id, behind the same steps as a node's. */
  edge?: string;
  /** Edits that would mend it, best first, for `applyFix`. */
  fixes: Fix[];
};

export type Checked = {
  problems: Problem[];
  /** What is known of each node's wires; ports whose type cannot be known are absent. */
  types: Map<NodePath, { inputs: Inputs<TensorType>; outputs: { [port: string]: TensorType } }>;
  /** Weights of each node, without those of nodes inside it and those it shares. */
  weights: Map<NodePath, { [name: string]: WeightPlan }>;
  /** Tied weights: the full name of the weight that stands in for each that a node does not have itself. */
  shared: Map<string, string>;
  /** Bodies that are not drawn but composed, by role: those of composed layers and the copies of a stack. */
  composed: Map<NodePath, { [role: string]: Body }>;
  /** Numbers that training changes, those of nodes inside included. */
  parameterCount: Map<NodePath, number>;
  /** Of one sample; a zone's hold those inside it. */
  multiplyAdds: Map<NodePath, number>;
  totals: { parameters: number; multiplyAdds: number };
  /** The nodes on which an output depends, each after those it needs; a zone stands before the nodes inside it. */
  order: NodePath[];
  /** Of a batch of the targets that the losses compare with, where they are given and go with the outputs. */
  target: TensorType | null;
};

/** What the model is to be trained on, as far as it is decided. */
export type CheckOptions = Partial<Objective> & { data?: Manifest };

/** Everything that can be said about a graph without running it, all problems at once. Never throws, whatever the graph holds. */
export function checkGraph(graph: Graph, options: CheckOptions = {}): Checked {
  const checked: Checked = {
    problems: [],
    types: new Map(),
    weights: new Map(),
    shared: new Map(),
    composed: new Map(),
    parameterCount: new Map(),
    multiplyAdds: new Map(),
    totals: { parameters: 0, multiplyAdds: 0 },
    order: [],
    target: null,
  };
  const tooLarge = findExcess(graph);
  if (tooLarge) {
    checked.problems.push({ severity: "error", code: "GRAPH_LIMIT", ...tooLarge, fixes: [] });
    return checked;
  }
  const walk: Walk = { checked, nodeCount: 0, ties: [] };
  const result = new BodyCheck(walk, graph, [], null, { steps: [] }).run();
  checked.order = result.order;
  checked.totals = { parameters: result.parameters, multiplyAdds: result.multiplyAdds };
  tieWeights(checked, walk.ties);
  checkEnds(checked, graph, result.outputs, options);
  checkMemory(checked, result.weightBytes);
  // A node's wires may not be known because of a problem further up; say errors first, else keep the order of the graph.
  checked.problems.sort((a, b) => Number(a.severity === "hint") - Number(b.severity === "hint"));
  return checked;
}

/** Whether it can run. */
export function hasErrors(checked: Checked): boolean {
  return checked.problems.some(({ severity }) => severity === "error");
}

/** What one check of a whole graph gathers on its way. */
type Walk = { checked: Checked; nodeCount: number; ties: Tie[] };
/** A node that is to use the weights of another; `shown` is where its problems are drawn. */
type Tie = { path: NodePath; target: NodePath; title: string; shown: NodePath };

/**
 * Where what is said of a body is drawn: in the body reached by `steps`, or at the node inside which it was composed. Only of the
 * first copy of a stack are types drawn; `copy` tells the others.
 */
type Shown = { steps: readonly BodyStep[]; copy?: number } | { node: NodePath };

type BodyResult = { outputs: Map<string, TensorType>; order: NodePath[]; parameters: number; weightBytes: number; multiplyAdds: number; hasErrors: boolean };
/** All that is said of one node. */
type NodeResult = {
  types: { inputs: Inputs<TensorType>; outputs: { [port: string]: TensorType } };
  inside: { role: string; result: BodyResult }[];
  plan: { [name: string]: WeightPlan } | undefined;
  parameters: number;
  /** Of all its weights, those inside it included. */
  weightBytes: number;
  multiplyAdds: number;
};

/** Of so many problems of a body wires are offered: each offer looks at all its nodes. */
const OFFERS = 12;

/** One walk through one body. `args` are the types that come from outside, by name; null at the top, "unknown" where they cannot be known. */
class BodyCheck {
  /** What each node of this body gives, as far as the walk has come. */
  private readonly outputs = new Map<string, { [port: string]: TensorType }>();
  private hasErrors = false;
  /** Inputs without a wire, and the fixes that were said: wires are offered once all outputs are known. */
  private readonly waiting: { read: ReadNode; port: string; fixes: Fix[] }[] = [];
  private readonly walk: Walk;
  private readonly checked: Checked;
  private readonly steps: readonly BodyStep[];
  private readonly args: Map<string, TensorType> | "unknown" | null;
  private readonly shown: Shown;
  private readonly structure: Structure;

  constructor(walk: Walk, body: Body, steps: readonly BodyStep[], args: Map<string, TensorType> | "unknown" | null, shown: Shown) {
    this.walk = walk;
    this.checked = walk.checked;
    this.steps = steps;
    this.args = args;
    this.shown = shown;
    this.structure = structureOf(body);
  }

  run(): BodyResult {
    const { structure } = this;
    for (const found of structure.found) this.report(found);
    const result: BodyResult = { outputs: new Map(), order: [], parameters: 0, weightBytes: 0, multiplyAdds: 0, hasErrors: false };
    for (const [place, read] of structure.order.entries()) {
      const { node, layer } = read;
      const path = this.path(node.id);
      const isLive = place < structure.liveCount;
      const { types, inside, plan, parameters, weightBytes, multiplyAdds } = this.checkNode(read, isLive || !structure.hasOutput);
      this.outputs.set(node.id, types.outputs);
      this.checked.types.set(path, types);
      if (plan) this.checked.weights.set(path, plan);
      if (parameters > 0 || plan) this.checked.parameterCount.set(path, parameters);
      if (multiplyAdds > 0) this.checked.multiplyAdds.set(path, multiplyAdds);
      if (node.weightsOf !== undefined && isLive && !node.bypass)
        this.walk.ties.push({ path, target: resolvePath(this.steps, node.weightsOf), title: node.name || layer.title, shown: this.shownPath(node.id) });
      // The body of a stack is drawn once, with what is known of its first copy.
      const drawn = this.drawnTwin(node.id);
      if (drawn !== null) {
        this.checked.types.set(drawn, types);
        if (plan) this.checked.weights.set(drawn, plan);
        if (parameters > 0 || plan) this.checked.parameterCount.set(drawn, parameters);
        if (multiplyAdds > 0) this.checked.multiplyAdds.set(drawn, multiplyAdds);
        const composed = this.checked.composed.get(path);
        if (composed) this.checked.composed.set(drawn, composed);
      }
      if (isLive) {
        result.order.push(path);
        for (const body of inside) for (const inner of body.result.order) result.order.push(inner);
        result.parameters += parameters;
        result.weightBytes += weightBytes;
        result.multiplyAdds += multiplyAdds;
      }
      const name = structure.names.get(node.id);
      if (name !== undefined && layer.boundary?.kind === "output" && types.inputs.x && !Array.isArray(types.inputs.x)) result.outputs.set(name, types.inputs.x);
    }
    // Its fixes name nodes of this body by their ids.
    for (const found of [...structure.unused, ...structure.lint])
      this.report({ ...found, fixes: found.fixes.map((fix) => (fix.kind === "remove-node" && fix.node !== undefined ? { ...fix, node: this.path(fix.node) } : fix)) });
    for (const { read, port, fixes } of this.waiting.slice(0, OFFERS)) fixes.unshift(...offerWires(structure, this.outputs, read, port));
    return { ...result, hasErrors: this.hasErrors };
  }

  private checkNode(read: ReadNode, matters: boolean): NodeResult {
    const { node, layer } = read;
    const memo = readNodeParams(layer, node);
    const isPlain = !layer.boundary && !layer.bodies && !layer.compose;
    // After an edit most nodes have the very inputs that they had, so nothing about them is new.
    if (isPlain && memo.clean && this.isAsBefore(memo.clean.arrived, read)) return memo.clean.result;
    const arrived = isPlain ? this.arrivedAt(read) : null;
    const reported = this.checked.problems.length;
    for (const { name, message } of memo.problems) {
      const { default: value } = layer.params[name] ?? { default: null };
      this.report({
        code: "GRAPH_PARAM",
        message: say("{name} of {title} must be {message}; it is {shorten}.", { name, title: layer.title, message, shorten: shorten(JSON.stringify(node.params[name])) }),
        node: node.id,
        param: name,
        fixes: [{ kind: "remove-param", label: say("Set {name} back to {value}", { name, value: JSON.stringify(value) }), name }],
      });
    }
    for (const name of node.bypass ? [] : memo.unknown) {
      this.report({
        severity: "hint",
        code: "GRAPH_UNKNOWN_PARAM",
        message: say("{title} has no parameter “{name}”; it is kept but changes nothing.", { title: layer.title, name: shorten(name) }),
        node: node.id,
        param: name,
        fixes: [{ kind: "remove-param", label: say("Remove {name}", { name: shorten(name) }), name }],
      });
    }

    const { inputs, isComplete } = this.readInputs(read, matters);
    let composed: { [role: string]: Body } | undefined;
    const inside: { role: string; result: BodyResult }[] = [];
    const asked = new Set<string>();
    let outputs: { [port: string]: TensorType } = {};
    let plan: { [name: string]: WeightPlan } | undefined;
    if (isComplete && memo.problems.length === 0) {
      const made = compose(layer, node, memo.values, inputs);
      if (made && !("problem" in made)) {
        composed = made;
        this.checked.composed.set(this.path(node.id), made);
      }
      const inferred =
        made && "problem" in made
          ? (made as InferProblem)
          : memo.infer(
              inputs,
              (role, args) => {
                asked.add(role);
                const result = this.checkInside(node, layer, role, new Map(Object.entries(args)), composed);
                if (!result) return null;
                inside.push({ role, result });
                return result.hasErrors ? null : Object.fromEntries(result.outputs);
              },
              node,
            );
      if (inferred && "problem" in inferred) {
        const { problem: message, code = "GRAPH_SHAPE", port, param, hint, fixes = [] } = inferred;
        this.report({ code, message, node: node.id, port, param, edge: port === undefined ? undefined : wiresInto(read, port)[0]?.id, hint, fixes });
      } else if (inferred) {
        for (const { message, port, hint, fixes = [] } of inferred.hints ?? []) this.report({ severity: "hint", code: "GRAPH_LINT", message, node: node.id, port, hint, fixes });
        plan = inferred.weights;
        if (this.checkSize(node, layer, inferred)) outputs = inferred.outputs;
      }
    }
    // Bodies that could not be reached with types are still looked through for other problems.
    for (const role of Object.keys(bodiesOf(layer, node))) {
      if (composed || asked.has(role)) continue;
      const result = this.checkInside(node, layer, role, "unknown", undefined);
      if (result) inside.push({ role, result });
    }
    const roles = Object.keys(composed ?? bodiesOf(layer, node));
    inside.sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
    if (inside.some(({ result }) => result.hasErrors)) this.hasErrors = true;
    const types = { inputs, outputs };
    const result: NodeResult = {
      types,
      inside,
      plan,
      parameters: countParameters(plan) + inside.reduce((sum, body) => sum + body.result.parameters, 0),
      weightBytes: bytesOf(plan) + inside.reduce((sum, body) => sum + body.result.weightBytes, 0),
      multiplyAdds: this.costOf(node, layer, types, inside),
    };
    if (arrived) memo.clean = isComplete && this.checked.problems.length === reported ? { arrived, result } : undefined;
    return result;
  }

  /** What comes in at each port, by identity: port names, each followed by the types on its wires; null where one is not known. */
  private arrivedAt(read: ReadNode): (string | TensorType)[] | null {
    const arrived: (string | TensorType)[] = [];
    for (const port of Object.keys(read.inputs)) {
      arrived.push(port);
      for (const { from } of wiresInto(read, port)) {
        const type = this.outputs.get(from.node)?.[from.port];
        if (!type) return null;
        arrived.push(type);
      }
    }
    return arrived;
  }

  /** Whether the very same comes in as `arrivedAt` said before. */
  private isAsBefore(before: readonly (string | TensorType)[], read: ReadNode): boolean {
    let at = 0;
    for (const port in read.inputs) {
      if (before[at++] !== port) return false;
      for (const { from } of wiresInto(read, port)) if (before[at++] !== this.outputs.get(from.node)?.[from.port]) return false;
    }
    return at === before.length;
  }

  /** The types on a node's input ports; incomplete where a needed one is missing or of a wrong dtype. */
  private readInputs(read: ReadNode, matters: boolean): { inputs: Inputs<TensorType>; isComplete: boolean } {
    const { node, layer, inputs: ports } = read;
    const { names } = this.structure;
    const inputs: Inputs<TensorType> = Object.create(null);
    if (layer.boundary?.kind === "input") {
      if (this.args === null) return { inputs, isComplete: names.has(node.id) };
      if (this.args === "unknown") return { inputs, isComplete: false };
      const name = names.get(node.id);
      const type = name === undefined ? undefined : this.args.get(name);
      if (type) inputs.x = type;
      else if (name !== undefined) {
        const known = [...this.args.keys()];
        this.report({
          code: "GRAPH_BODY",
          message: say("Nothing named {name} comes in here, only {known}.", { name, known: known.join(", ") || "nothing at all" }),
          node: node.id,
          hint: say("Rename this input, or remove it."),
          fixes: [{ kind: "remove-node", label: say("Remove this input") }],
        });
      }
      return { inputs, isComplete: type !== undefined };
    }
    if (layer.boundary?.kind === "target" && this.args !== null) {
      this.report({
        code: "GRAPH_TARGET",
        message: say("A Target stands on the model's own canvas only."),
        node: node.id,
        hint: say("Put it there and wire it in."),
        fixes: [{ kind: "remove-node", label: say("Remove this Target") }],
      });
      return { inputs, isComplete: false };
    }
    let isComplete = true;
    for (const [port, taken] of Object.entries(ports)) {
      const { optional, many } = taken;
      const wires = wiresInto(read, port);
      if (wires.length === 0) {
        if (many) inputs[port] = [];
        if (optional) continue;
        isComplete = false;
        const fixes: Fix[] = [{ kind: "remove-node", label: say("Remove this {title}", { title: layer.title }) }];
        if ("steps" in this.shown) this.waiting.push({ read, port, fixes });
        this.report({
          severity: matters ? "error" : "hint",
          code: "GRAPH_UNCONNECTED",
          message: say("Input {port} of {title} is not connected.", { port, title: layer.title }),
          node: node.id,
          port,
          hint: say("Draw a wire into it, or delete the node."),
          fixes,
        });
        continue;
      }
      const types: TensorType[] = [];
      for (const wire of wires) {
        const type = this.outputs.get(wire.from.node)?.[wire.from.port];
        if (!type) isComplete = false;
        else {
          types.push(type);
          if (!accepts(taken, type.dtype)) {
            isComplete = false;
            this.reportDtype(node, layer, port, wire, taken, type.dtype);
          }
        }
      }
      if (many) inputs[port] = types;
      else if (types[0]) inputs[port] = types[0];
    }
    return { inputs, isComplete };
  }

  private reportDtype(node: Node, layer: Layer, port: string, wire: Edge, taken: InputPort, came: Dtype): void {
    const need = typeof taken.dtype === "object" ? (taken.dtype[0] ?? "float32") : taken.dtype === "any" || taken.dtype === undefined ? "float32" : taken.dtype;
    const source = this.structure.known.get(wire.from.node);
    const setting = this.args === null && source?.layer.boundary?.kind === "input" && source.layer.params.dtype?.schema.safeParse(need).success;
    this.report({
      code: "GRAPH_DTYPE",
      message: source
        ? say("Input {port} of {title} needs {taken} but receives {came} from {source}.", { port, title: layer.title, taken: acceptedDtypes(taken), came, source: titleOf(source) })
        : say("Input {port} of {title} needs {taken} but receives {came}.", { port, title: layer.title, taken: acceptedDtypes(taken), came }),
      node: node.id,
      port,
      edge: wire.id,
      hint: DTYPE_HINTS[need],
      fixes: [
        ...(setting
          ? [
              {
                kind: "set-param" as const,
                label: say("Make {source} {need}", { source: source ? titleOf(source) : say("it"), need }),
                node: this.path(wire.from.node),
                name: "dtype",
                value: need,
              },
            ]
          : []),
        ...(taken.many || need === "uint8"
          ? []
          : [{ kind: "insert" as const, label: say("Insert Cast to {need}", { need }), nodes: [{ type: "cast", params: need === "float32" ? {} : { dtype: need } }], port }]),
      ],
    });
  }

  private checkInside(node: Node, layer: Layer, role: string, args: Map<string, TensorType> | "unknown", composed: { [role: string]: Body } | undefined): BodyResult | null {
    const bodies = composed ?? node.bodies;
    const body = bodies && Object.hasOwn(bodies, role) ? bodies[role] : undefined;
    if (!body) {
      this.report({
        code: "GRAPH_BODY",
        message: say("Its {role} is missing.", { role }),
        node: node.id,
        hint: say("Delete the node and add it again."),
        fixes: [{ kind: "remove-node", label: say("Remove this node") }],
      });
      return null;
    }
    this.walk.nodeCount += body.nodes.length;
    if (this.walk.nodeCount > LIMITS.composedNodeCount || this.steps.length >= 2 * LIMITS.nesting) {
      this.report({
        code: "GRAPH_LIMIT",
        message: say("With everything inside it, the graph has more than {composedNodeCount} nodes or is nested too deep.", { composedNodeCount: LIMITS.composedNodeCount }),
        node: node.id,
        hint: say("Make fewer copies, or use Repeat for what recurs."),
        fixes: [],
      });
      return null;
    }
    return new BodyCheck(this.walk, body, [...this.steps, { node: node.id, role }], args, this.shownInside(node, layer, role, composed !== undefined)).run();
  }

  /** Copies of a drawn body are shown there; what was composed out of nothing drawn, at its node. */
  private shownInside(node: Node, layer: Layer, role: string, isComposed: boolean): Shown {
    if ("node" in this.shown) return this.shown;
    if (!isComposed) return { ...this.shown, steps: [...this.shown.steps, { node: node.id, role }] };
    const copied = layer.bodies && Object.keys(layer.bodies)[0];
    if (copied === undefined) return { node: this.shownPath(node.id) };
    return { steps: [...this.shown.steps, { node: node.id, role: copied }], copy: Math.max(this.shown.copy ?? 0, Number(role)) };
  }

  /** Where the node with this id is drawn. */
  private shownPath(id: string): NodePath {
    return "node" in this.shown ? this.shown.node : pathOf(this.shown.steps, id);
  }

  /** The other path under which the types of a node of a first copy are looked for. */
  private drawnTwin(id: string): NodePath | null {
    if ("node" in this.shown || this.shown.copy !== 0) return null;
    return this.shownPath(id);
  }

  /** Whether results and weights can be counted at all. */
  private checkSize(node: Node, layer: Layer, inferred: { outputs: { [port: string]: TensorType }; weights?: { [name: string]: WeightPlan } }): boolean {
    const sized: [what: string, shape: Shape][] = [
      ...Object.values(inferred.outputs).map(({ shape }): [string, Shape] => ["result", shape]),
      ...Object.entries(inferred.weights ?? {}).map(([name, { shape }]): [string, Shape] => [name, shape]),
    ];
    const excess = sized.find(([, shape]) => !(shape.reduce<number>((count, dim) => count * evaluate(dim, 1), 1) <= LIMITS.tensorElements));
    if (excess) {
      const [what, shape] = excess;
      const bytes = 4 * shape.reduce<number>((count, dim) => count * evaluate(dim, 1), 1);
      // Weights that could be counted, but never held.
      const isMemory = what !== "result" && bytes < 2 ** 62;
      this.report({
        code: isMemory ? "GRAPH_MEMORY" : "GRAPH_OVERFLOW",
        message: isMemory
          ? say("The {what} of {title} would be {shape}: {bytes} for it alone, and all weights together may take {weightBytes}.", {
              what,
              title: layer.title,
              shape: printShape(shape),
              bytes: printGib(bytes),
              weightBytes: printGib(LIMITS.weightBytes),
            })
          : say("The {what} of {title} would be {shape}: more than {tensorElements} numbers.", {
              what,
              title: layer.title,
              shape: printShape(shape),
              tensorElements: LIMITS.tensorElements,
            }),
        node: node.id,
        hint: say("Make it smaller, or shrink its input before."),
        fixes: [],
      });
    }
    return !excess;
  }

  private costOf(node: Node, layer: Layer, types: { inputs: Inputs<TensorType>; outputs: { [port: string]: TensorType } }, inside: { role: string; result: BodyResult }[]): number {
    const bodies: { [role: string]: Cost } = Object.fromEntries(inside.map(({ role, result }) => [role, { multiplyAdds: result.multiplyAdds }]));
    const outputs = Object.keys(portsOf(layer, node).outputs);
    if (outputs.length === 0 || Object.keys(types.outputs).length === 0) return 0;
    if (layer.cost) return layer.cost(readNodeParams(layer, node).values, types, bodies).multiplyAdds;
    return Object.values(bodies).reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  }

  private path(id: string): NodePath {
    return pathOf(this.steps, id);
  }

  private report({ node, edge, severity = "error", ...rest }: Omit<Problem, "severity"> & { severity?: Problem["severity"] }): void {
    if (severity === "error") this.hasErrors = true;
    const { shown } = this;
    const problem: Problem = { severity, ...rest };
    if ("node" in shown) {
      // Nothing of what is composed is on the canvas: its hints are not the person's business, its errors are the node's.
      if (severity === "hint") return;
      this.checked.problems.push({
        ...problem,
        message: say("Inside it: {message}", { message: problem.message }),
        node: shown.node,
        port: undefined,
        param: undefined,
        fixes: [],
      });
      return;
    }
    if (shown.copy) {
      if (severity === "hint") return;
      problem.message = `In copy ${shown.copy + 1}: ${problem.message}`;
    }
    if (node !== undefined) problem.node = this.shownPath(node);
    if (edge !== undefined) problem.edge = this.shownPath(edge);
    this.checked.problems.push(problem);
  }
}

const DTYPE_HINTS: { [D in Dtype]: string } = {
  float32: say("Numbers and images are float32: put a Cast in front, or turn token numbers into vectors with Embedding."),
  int64: say("Token and class numbers are int64: set the Input's dtype."),
  bool: say("Make a condition with Greater."),
  uint8: say("Raw bytes come from an Input of dtype uint8."),
};

const compositions = new WeakMap<Node, Map<string, { [role: string]: Body } | InferProblem>>();

/** What a layer composes for a node, made once for the same node and inputs so that what is remembered of its parts stays valid. */
function compose(layer: Layer, node: Node, params: Values<Params>, inputs: Inputs<TensorType>): { [role: string]: Body } | InferProblem | undefined {
  if (!layer.compose) return undefined;
  const known = compositions.get(node) ?? new Map<string, { [role: string]: Body } | InferProblem>();
  compositions.set(node, known);
  const key = JSON.stringify(inputs);
  const made = known.get(key) ?? layer.compose(params, inputs, node);
  if (known.size >= 8) known.clear();
  known.set(key, made);
  return made;
}

/** Takes weights away from nodes that use those of others, where name, shape and dtype are the same. */
function tieWeights(checked: Checked, ties: readonly Tie[]): void {
  if (ties.length === 0) return;
  const targets = new Map(ties.map(({ path, target }) => [path, target]));
  const live = new Set(checked.order);
  const plans = new Map(checked.weights);
  for (const { path, target, title, shown } of ties) {
    const report = (message: string, hint: string) => checked.problems.push({ severity: "error", code: "GRAPH_TIED", message, hint, node: shown, fixes: [] });
    let owner = target;
    for (let hops = 0; targets.has(owner) && hops <= ties.length; hops++) owner = targets.get(owner) ?? owner;
    const own = plans.get(path);
    const theirs = plans.get(owner);
    if (targets.has(owner)) report(say("{title} uses the weights of a node that uses its own in turn.", { title }), say("Let one of them have weights of its own."));
    else if (!live.has(owner))
      report(
        say("{title} uses the weights of “{target}”, which is not there or leads to no output.", { title, target }),
        say("Choose another node, or let it have its own weights."),
      );
    else if (own) {
      const same = Object.entries(own).filter(([name, { shape, dtype }]) => {
        const other = theirs && Object.hasOwn(theirs, name) ? theirs[name] : undefined;
        return other && other.dtype === dtype && other.shape.join() === shape.join();
      });
      if (same.length === 0) {
        const print = (plan: typeof own) =>
          Object.entries(plan)
            .map(([name, { shape }]) => `${name} ${printShape(shape)}`)
            .join(", ") || "none";
        report(
          say("{title} cannot use the weights of “{target}”: it needs {own}, and there are {theirs}.", { title, target, own: print(own), theirs: print(theirs ?? {}) }),
          say("Tied weights have the same name and shape."),
        );
      }
      for (const [name] of same) checked.shared.set(weightName(path, name), weightName(owner, name));
      const rest = Object.fromEntries(Object.entries(own).filter(([name]) => !same.some(([other]) => other === name)));
      checked.weights.set(path, rest);
      const saved = countParameters(own) - countParameters(rest);
      checked.totals.parameters -= saved;
      for (const around of [path, ...ancestorsOf(path)]) checked.parameterCount.set(around, (checked.parameterCount.get(around) ?? 0) - saved);
    }
  }
}

/** `2.0 GiB`, `3.6 TiB` */
function printGib(bytes: number): string {
  const gib = bytes / 1024 ** 3;
  return gib < 1024 ? `${gib.toFixed(1)} GiB` : `${(gib / 1024).toFixed(1)} TiB`;
}

function bytesOf(plan: { [name: string]: WeightPlan } = {}): number {
  return Object.values(plan).reduce((sum, { shape, dtype }) => sum + shape.reduce((a, b) => a * b, dtype === "int64" ? 8 : 4), 0);
}

function checkMemory(checked: Checked, total: number): void {
  if (total <= LIMITS.weightBytes) return;
  let greatest = { path: "", bytes: 0 };
  for (const path of checked.order) {
    const bytes = bytesOf(checked.weights.get(path));
    if (bytes > greatest.bytes) greatest = { path, bytes };
  }
  checked.problems.push({
    severity: "error",
    code: "GRAPH_MEMORY",
    message: say("The weights of this model need {total}, more than {weightBytes}; {bytes} of it here.", {
      total: printGib(total),
      weightBytes: printGib(LIMITS.weightBytes),
      bytes: printGib(greatest.bytes),
    }),
    node: greatest.path,
    hint: say("Shrink what comes into this layer, or what goes out of it."),
    fixes: [],
  });
}

/** What one node's parameters say, with its inferences by input types. */
type ParamMemo = {
  layer: Layer;
  values: Values<Params>;
  problems: { name: string; message: string }[];
  unknown: string[];
  infer: (inputs: Inputs<TensorType>, bodies: Parameters<Layer["infer"]>[2], node: Node) => Inferred;
  /** What was said last where nothing was to be reported, and of which inputs. */
  clean?: { arrived: (string | TensorType)[]; result: NodeResult };
};

/**
 * Edits keep the params object of nodes they do not touch, so that object carries what was worked out for it: after an edit
 * only nodes with new params or new inputs are inferred again.
 */
const memos = new WeakMap<Node["params"], ParamMemo>();

function readNodeParams(layer: Layer, node: Node): ParamMemo {
  const memo = memos.get(node.params);
  if (memo?.layer === layer) return memo;
  const read = readParams(layer.params, node.params);
  const inferences = new Map<string, Inferred>();
  const fresh: ParamMemo = {
    layer,
    ...read,
    infer: (inputs, bodies, node) => {
      if (layer.bodies || layer.compose) return layer.infer(read.values, inputs, bodies, node);
      const key = JSON.stringify(inputs);
      let inferred = inferences.get(key);
      if (inferred === undefined) {
        inferred = layer.infer(read.values, inputs, bodies, node);
        if (inferences.size >= 8) inferences.clear();
        inferences.set(key, inferred);
      }
      return inferred;
    },
  };
  memos.set(node.params, fresh);
  return fresh;
}

/** A layer's checked parameters, for lowering and exports. */
export function paramsOf(layer: Layer, node: Node): Values<Params> {
  return readNodeParams(layer, node).values;
}

function countParameters(plan: { [name: string]: WeightPlan } | undefined): number {
  return Object.values(plan ?? {}).reduce((sum, { shape, trainable = true }) => sum + (trainable ? shape.reduce((a, b) => a * b, 1) : 0), 0);
}

function shorten(text: string | undefined): string {
  return text === undefined ? "nothing" : text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
