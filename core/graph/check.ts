import type { Manifest } from "../data/manifest.ts";
import { findLayer } from "../layers/index.ts";
import { bodyInputs } from "../layers/input.ts";
import {
  acceptedDtypes,
  accepts,
  bodiesOf,
  type Cost,
  type Fix,
  type InferProblem,
  type Inferred,
  type InputPort,
  type InputPorts,
  type Inputs,
  type Layer,
  type OutputPorts,
  portsOf,
  type WeightPlan,
} from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import { type Params, readParams, type Values } from "../layers/params.ts";
import { fitTargets, lossParts, type Objective } from "../training/objective.ts";
import { countElements, evaluate } from "./dims.ts";
import type { Body, Edge, Graph, Node } from "./document.ts";
import { LIMITS } from "./limits.ts";
import { arrange, type Wiring } from "./order.ts";
import { ancestorsOf, type BodyStep, type NodePath, pathOf, resolvePath, weightName } from "./path.ts";
import { type Dtype, printShape, type Shape, type TensorType } from "./shape.ts";

/**
 * Something a person should know about a graph. An `error` keeps it from running. Codes are stable:
 * GRAPH_LIMIT, GRAPH_DUPLICATE_ID, GRAPH_UNKNOWN_TYPE, GRAPH_UNKNOWN_PARAM, GRAPH_EDGE, GRAPH_NAME, GRAPH_CYCLE,
 * GRAPH_UNCONNECTED, GRAPH_TIED, GRAPH_NO_INPUT, GRAPH_NO_OUTPUT, GRAPH_PARAM, GRAPH_DTYPE, GRAPH_SHAPE, GRAPH_BODY, GRAPH_OVERFLOW,
 * GRAPH_MEMORY, GRAPH_DATA, GRAPH_LOSS; hints: GRAPH_UNUSED, GRAPH_LINT.
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
  checkTop(checked, graph, result.outputs, options);
  checkMemory(checked);
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

type BodyResult = { outputs: Map<string, TensorType>; order: NodePath[]; parameters: number; multiplyAdds: number; hasErrors: boolean };
type ReadNode = { node: Node; layer: Layer; inputs: InputPorts; outputs: OutputPorts };

/** One walk through one body. `args` are the types that come from outside, by name; null at the top, "unknown" where they cannot be known. */
class BodyCheck {
  private readonly known = new Map<string, ReadNode>();
  private hasErrors = false;
  private readonly walk: Walk;
  private readonly checked: Checked;
  private readonly body: Body;
  private readonly steps: readonly BodyStep[];
  private readonly args: Map<string, TensorType> | "unknown" | null;
  private readonly shown: Shown;

  constructor(walk: Walk, body: Body, steps: readonly BodyStep[], args: Map<string, TensorType> | "unknown" | null, shown: Shown) {
    this.walk = walk;
    this.checked = walk.checked;
    this.body = body;
    this.steps = steps;
    this.args = args;
    this.shown = shown;
  }

  run(): BodyResult {
    this.readNodes();
    const wiring = this.readEdges();
    const names = this.readNames();
    const { order, live, cycles } = arrange([...this.known.values()], wiring);
    for (const cycle of cycles) this.reportCycle(cycle);

    const result: BodyResult = { outputs: new Map(), order: [], parameters: 0, multiplyAdds: 0, hasErrors: false };
    const hasOutput = [...this.known.values()].some(({ layer }) => layer.boundary?.kind === "output");
    for (const { node, layer, inputs } of order) {
      const path = this.path(node.id);
      const isLive = live.has(node.id);
      const { types, inside, plan } = this.checkNode(node, layer, inputs, wiring, names, isLive || !hasOutput);
      this.checked.types.set(path, types);
      const parameters = countParameters(plan) + inside.reduce((sum, body) => sum + body.result.parameters, 0);
      const multiplyAdds = this.costOf(node, layer, types, inside);
      if (parameters > 0 || plan) this.checked.parameterCount.set(path, parameters);
      if (multiplyAdds > 0) this.checked.multiplyAdds.set(path, multiplyAdds);
      if (node.weightsOf !== undefined && isLive)
        this.walk.ties.push({ path, target: resolvePath(this.steps, node.weightsOf), title: node.name || layer.title, shown: this.shownPath(node.id) });
      // The body of a stack is drawn once, with what is known of its first copy.
      const drawn = this.drawnTwin(node.id);
      if (drawn !== null) {
        this.checked.types.set(drawn, types);
        if (plan) this.checked.weights.set(drawn, plan);
        if (parameters > 0 || plan) this.checked.parameterCount.set(drawn, parameters);
        if (multiplyAdds > 0) this.checked.multiplyAdds.set(drawn, multiplyAdds);
      }
      if (isLive) {
        result.order.push(path, ...inside.flatMap((body) => body.result.order));
        result.parameters += parameters;
        result.multiplyAdds += multiplyAdds;
      }
      const name = names.get(node.id);
      if (name !== undefined && layer.boundary?.kind === "output" && types.inputs.x && !Array.isArray(types.inputs.x)) result.outputs.set(name, types.inputs.x);
    }
    this.lint(order, live, wiring, hasOutput);
    return { ...result, hasErrors: this.hasErrors };
  }

  /** Nodes of known layers; the others are reported and stand aside. */
  private readNodes(): void {
    const seen = new Set<string>();
    for (const node of this.body.nodes) {
      if (seen.has(node.id)) {
        this.report({ code: "GRAPH_DUPLICATE_ID", message: `Two nodes have the id ${node.id}.`, node: node.id, hint: "Delete one and add it again.", fixes: [] });
        continue;
      }
      seen.add(node.id);
      const layer = findLayer(node.type);
      if (!layer) {
        this.report({
          code: "GRAPH_UNKNOWN_TYPE",
          message: `This version has no layer “${node.type}”; the node is kept as it is.`,
          node: node.id,
          hint: "Update to the version it was made with, or replace the node.",
          fixes: [{ kind: "remove-node", label: "Remove this node" }],
        });
        continue;
      }
      this.known.set(node.id, { node, layer, ...pickPorts(portsOf(layer, node)) });
    }
  }

  /** The wires that join known ports, by the port they go into. */
  private readEdges(): Wiring {
    const wiring: Wiring = new Map();
    const nodeIds = new Set(this.body.nodes.map(({ id }) => id));
    const edgeIds = new Set<string>();
    const bad = (edge: Edge, message: string, port?: string) =>
      this.report({
        code: "GRAPH_EDGE",
        message,
        edge: edge.id,
        node: nodeIds.has(edge.to.node) ? edge.to.node : undefined,
        port,
        fixes: [{ kind: "remove-edge", label: "Remove this wire" }],
      });
    for (const edge of this.body.edges) {
      if (edgeIds.has(edge.id)) {
        this.report({ code: "GRAPH_DUPLICATE_ID", message: `Two wires have the id ${edge.id}.`, edge: edge.id, fixes: [{ kind: "remove-edge", label: "Remove this wire" }] });
        continue;
      }
      edgeIds.add(edge.id);
      if (!nodeIds.has(edge.from.node) || !nodeIds.has(edge.to.node)) {
        bad(edge, `This wire ${nodeIds.has(edge.from.node) ? "leads to" : "comes from"} a node that is not there.`);
        continue;
      }
      const from = this.known.get(edge.from.node);
      const to = this.known.get(edge.to.node);
      // Beside a node of an unknown type nothing can be said; that node is reported.
      if (from && !Object.hasOwn(from.outputs, edge.from.port)) bad(edge, `${titleOf(from)} has no output “${edge.from.port}”.`);
      else if (to && !Object.hasOwn(to.inputs, edge.to.port)) bad(edge, `${titleOf(to)} has no input “${edge.to.port}”.`, edge.to.port);
      else if (to) {
        const ports = wiring.get(edge.to.node) ?? new Map<string, Edge[]>();
        wiring.set(edge.to.node, ports);
        const wires = ports.get(edge.to.port) ?? [];
        if (wires.length > 0 && !to.inputs[edge.to.port]?.many) bad(edge, `Input ${edge.to.port} of ${titleOf(to)} takes one wire, and this is another.`, edge.to.port);
        else ports.set(edge.to.port, [...wires, edge]);
      }
    }
    return wiring;
  }

  /** Names of input and output nodes by node id; a name that cannot stand is reported and left out. */
  private readNames(): Map<string, string> {
    const names = new Map<string, string>();
    for (const boundary of [bodyInputs(this.body), bodyOutputs(this.body)]) {
      const taken = new Set<string>();
      for (const { name, node } of boundary) {
        if (!BOUNDARY_NAME.test(name))
          this.report({
            code: "GRAPH_NAME",
            message: `“${name}” cannot name an input or output.`,
            node: node.id,
            hint: "Begin with a letter; then letters, digits, spaces, - and _, up to 64.",
            fixes: [],
          });
        else if (taken.has(name))
          this.report({ code: "GRAPH_NAME", message: `Two ${boundary[0]?.node.type}s are named ${name}.`, node: node.id, hint: "Give each a name of its own.", fixes: [] });
        else names.set(node.id, name);
        taken.add(name);
      }
    }
    return names;
  }

  private checkNode(node: Node, layer: Layer, ports: InputPorts, wiring: Wiring, names: Map<string, string>, matters: boolean) {
    const memo = readNodeParams(layer, node);
    for (const { name, message } of memo.problems) {
      const { default: value } = layer.params[name] ?? { default: null };
      this.report({
        code: "GRAPH_PARAM",
        message: `${name} of ${layer.title} must be ${message}; it is ${shorten(JSON.stringify(node.params[name]))}.`,
        node: node.id,
        param: name,
        fixes: [{ kind: "remove-param", label: `Set ${name} back to ${JSON.stringify(value)}`, name }],
      });
    }
    for (const name of memo.unknown) {
      this.report({
        severity: "hint",
        code: "GRAPH_UNKNOWN_PARAM",
        message: `${layer.title} has no parameter “${shorten(name)}”; it is kept but changes nothing.`,
        node: node.id,
        param: name,
        fixes: [{ kind: "remove-param", label: `Remove ${shorten(name)}`, name }],
      });
    }

    const { inputs, isComplete } = this.readInputs(node, layer, ports, wiring, names, matters);
    let composed: { [role: string]: Body } | undefined;
    const inside: { role: string; result: BodyResult }[] = [];
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
                const result = this.checkInside(node, layer, role, new Map(Object.entries(args)), composed);
                if (!result) return null;
                inside.push({ role, result });
                return result.hasErrors ? null : Object.fromEntries(result.outputs);
              },
              node,
            );
      if (inferred && "problem" in inferred) {
        const { problem: message, code = "GRAPH_SHAPE", port, param, hint, fixes = [] } = inferred;
        this.report({ code, message, node: node.id, port, param, edge: port === undefined ? undefined : wiring.get(node.id)?.get(port)?.[0]?.id, hint, fixes });
      } else if (inferred) {
        for (const { message, port, hint, fixes = [] } of inferred.hints ?? []) this.report({ severity: "hint", code: "GRAPH_LINT", message, node: node.id, port, hint, fixes });
        plan = inferred.weights;
        if (this.checkSize(node, layer, inferred)) outputs = inferred.outputs;
        if (plan) this.checked.weights.set(this.path(node.id), plan);
      }
    }
    // Bodies that could not be reached with types are still looked through for other problems.
    for (const role of Object.keys(bodiesOf(layer, node))) {
      if (composed || inside.some((body) => body.role === role)) continue;
      const result = this.checkInside(node, layer, role, "unknown", undefined);
      if (result) inside.push({ role, result });
    }
    const roles = Object.keys(composed ?? bodiesOf(layer, node));
    inside.sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
    if (inside.some(({ result }) => result.hasErrors)) this.hasErrors = true;
    return { types: { inputs, outputs }, inside, plan };
  }

  /** The types on a node's input ports; incomplete where a needed one is missing or of a wrong dtype. */
  private readInputs(
    node: Node,
    layer: Layer,
    ports: InputPorts,
    wiring: Wiring,
    names: Map<string, string>,
    matters: boolean,
  ): { inputs: Inputs<TensorType>; isComplete: boolean } {
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
          message: `Nothing named ${name} comes in here, only ${known.join(", ") || "nothing at all"}.`,
          node: node.id,
          hint: "Rename this input, or remove it.",
          fixes: [{ kind: "remove-node", label: "Remove this input" }],
        });
      }
      return { inputs, isComplete: type !== undefined };
    }
    let isComplete = true;
    for (const [port, taken] of Object.entries(ports)) {
      const { optional, many } = taken;
      const wires = wiring.get(node.id)?.get(port) ?? [];
      if (wires.length === 0) {
        if (many) inputs[port] = [];
        if (optional) continue;
        isComplete = false;
        this.report({
          severity: matters ? "error" : "hint",
          code: "GRAPH_UNCONNECTED",
          message: `Input ${port} of ${layer.title} is not connected.`,
          node: node.id,
          port,
          hint: "Draw a wire into it, or delete the node.",
          fixes: [{ kind: "remove-node", label: `Remove this ${layer.title}` }],
        });
        continue;
      }
      const types: TensorType[] = [];
      for (const wire of wires) {
        const type = this.checked.types.get(this.path(wire.from.node))?.outputs[wire.from.port];
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
    const source = this.known.get(wire.from.node);
    const setting = this.args === null && source?.layer.boundary?.kind === "input" && source.layer.params.dtype?.schema.safeParse(need).success;
    this.report({
      code: "GRAPH_DTYPE",
      message: `Input ${port} of ${layer.title} needs ${acceptedDtypes(taken)} but receives ${came}${source ? ` from ${titleOf(source)}` : ""}.`,
      node: node.id,
      port,
      edge: wire.id,
      hint: DTYPE_HINTS[need],
      fixes: setting ? [{ kind: "set-param", label: `Make ${source ? titleOf(source) : "it"} ${need}`, node: this.path(wire.from.node), name: "dtype", value: need }] : [],
    });
  }

  private checkInside(node: Node, layer: Layer, role: string, args: Map<string, TensorType> | "unknown", composed: { [role: string]: Body } | undefined): BodyResult | null {
    const bodies = composed ?? node.bodies;
    const body = bodies && Object.hasOwn(bodies, role) ? bodies[role] : undefined;
    if (!body) {
      this.report({
        code: "GRAPH_BODY",
        message: `Its ${role} is missing.`,
        node: node.id,
        hint: "Delete the node and add it again.",
        fixes: [{ kind: "remove-node", label: "Remove this node" }],
      });
      return null;
    }
    this.walk.nodeCount += body.nodes.length;
    if (this.walk.nodeCount > LIMITS.composedNodeCount || this.steps.length >= 2 * LIMITS.nesting) {
      this.report({
        code: "GRAPH_LIMIT",
        message: `With everything inside it, the graph has more than ${LIMITS.composedNodeCount} nodes or is nested too deep.`,
        node: node.id,
        hint: "Make fewer copies, or use Repeat for what recurs.",
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
    const excess = sized.find(([, shape]) => !(evaluate(countElements(shape), 1) <= LIMITS.tensorElements));
    if (excess) {
      this.report({
        code: "GRAPH_OVERFLOW",
        message: `The ${excess[0]} of ${layer.title} would be ${printShape(excess[1])}: more than ${LIMITS.tensorElements} numbers.`,
        node: node.id,
        hint: "Make it smaller, or shrink its input before.",
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

  private reportCycle(edges: Edge[]): void {
    const titles = edges.map(({ from }) => titleOf(this.known.get(from.node)));
    const last = edges.at(-1);
    this.report({
      code: "GRAPH_CYCLE",
      message: `These nodes feed each other in a loop: ${[...titles, titles[0]].join(" → ")}.`,
      node: edges[0]?.from.node,
      edge: last?.id,
      hint: "Data flows one way. To go round several times, put the nodes into a Repeat or While.",
      fixes: [{ kind: "remove-edge", label: "Remove the wire that closes the loop" }],
    });
  }

  /** What would run, but is probably not meant. */
  private lint(order: ReadNode[], live: Set<string>, wiring: Wiring, hasOutput: boolean): void {
    const hasConsumer = new Set(this.body.edges.map(({ from }) => from.node));
    for (const { node, layer } of order) {
      if (hasOutput && !live.has(node.id) && !hasConsumer.has(node.id) && layer.boundary?.kind !== "output") {
        this.report({
          severity: "hint",
          code: "GRAPH_UNUSED",
          message: `Nothing uses the result of this ${layer.title}, so it is left out.`,
          node: node.id,
          hint: "Connect it, or delete it.",
          fixes: [{ kind: "remove-node", label: `Remove this ${layer.title}` }],
        });
      }
      if (layer.trait === "affine") {
        const before = this.sourceOf(node, wiring);
        if (before?.layer.trait === "affine") {
          this.report({
            severity: "hint",
            code: "GRAPH_LINT",
            message: `Two ${layer.title} layers in a row can do no more than one.`,
            node: node.id,
            hint: "Put an activation between them.",
            fixes: [{ kind: "insert", label: "Insert ReLU", nodes: [{ type: "relu", params: {} }], port: Object.keys(layer.inputs)[0] ?? "x" }],
          });
        }
      }
    }
  }

  /** The node whose values arrive at a node's first port, looking through layers that change no value. */
  private sourceOf(node: Node, wiring: Wiring): ReadNode | undefined {
    let at: ReadNode | undefined = this.known.get(node.id);
    for (let steps = 0; at && steps < this.known.size; steps++) {
      const first = Object.keys(at.inputs)[0];
      const wire = first === undefined ? undefined : wiring.get(at.node.id)?.get(first)?.[0];
      at = wire && this.known.get(wire.from.node);
      if (at?.layer.trait !== "neutral") return at;
    }
    return undefined;
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
      this.checked.problems.push({ ...problem, message: `Inside it: ${problem.message}`, node: shown.node, port: undefined, param: undefined, fixes: [] });
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

const BOUNDARY_NAME = /^\p{L}[\p{L}\p{N} _-]{0,63}$/u;

const DTYPE_HINTS: { [D in Dtype]: string } = {
  float32: "Numbers and images are float32; turn token numbers into vectors with Embedding.",
  int64: "Token and class numbers are int64: set the Input's dtype.",
  bool: "Make a condition with Greater.",
  uint8: "Raw bytes come from an Input of dtype uint8.",
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
  const targets = new Map(ties.map(({ path, target }) => [path, target]));
  const live = new Set(checked.order);
  const plans = new Map(checked.weights);
  for (const { path, target, title, shown } of ties) {
    const report = (message: string, hint: string) => checked.problems.push({ severity: "error", code: "GRAPH_TIED", message, hint, node: shown, fixes: [] });
    let owner = target;
    for (let hops = 0; targets.has(owner) && hops <= ties.length; hops++) owner = targets.get(owner) ?? owner;
    const own = plans.get(path);
    const theirs = plans.get(owner);
    if (targets.has(owner)) report(`${title} uses the weights of a node that uses its own in turn.`, "Let one of them have weights of its own.");
    else if (!live.has(owner))
      report(`${title} uses the weights of “${target}”, which is not there or leads to no output.`, "Choose another node, or let it have its own weights.");
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
        report(`${title} cannot use the weights of “${target}”: it needs ${print(own)}, and there are ${print(theirs ?? {})}.`, "Tied weights have the same name and shape.");
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

/** Problems of the whole model: its ends, the data that comes in, the loss at the end. */
function checkTop(checked: Checked, graph: Graph, outputs: Map<string, TensorType>, { loss, extraLosses = [], data }: CheckOptions): void {
  const report = (problem: Omit<Problem, "severity"> & { severity?: Problem["severity"] }) => checked.problems.push({ severity: "error", ...problem });
  const inputNodes = bodyInputs(graph);
  const outputNodes = bodyOutputs(graph);
  if (inputNodes.length === 0) report({ code: "GRAPH_NO_INPUT", message: "The model has no Input, so no data can enter.", hint: "Add an Input from the palette.", fixes: [] });
  for (const { name, node } of inputNodes) {
    if (name === "target")
      report({ code: "GRAPH_NAME", message: "An input cannot be named target, which is what training compares with.", node: node.id, hint: "Give it another name.", fixes: [] });
  }
  if (outputNodes.length === 0)
    report({ code: "GRAPH_NO_OUTPUT", message: "The model has no Output, so it predicts nothing.", hint: "Add an Output and connect the last layer to it.", fixes: [] });

  const [first] = inputNodes;
  if (data && first) {
    if (inputNodes.length > 1)
      report({
        code: "GRAPH_DATA",
        message: `The data set gives one input, and the model has ${inputNodes.length}.`,
        node: inputNodes[1]?.node.id,
        hint: "Remove the others.",
        fixes: [],
      });
    const { shape } = data.splits.train.input;
    const type = checked.types.get(first.node.id)?.outputs.y;
    if (type && JSON.stringify(type.shape.slice(1)) !== JSON.stringify(shape) && !matches(type.shape.slice(1), shape)) {
      report({
        code: "GRAPH_DATA",
        message: `The data set's samples are ${printShape(shape)} but Input takes ${printShape(type.shape.slice(1))}.`,
        node: first.node.id,
        param: "shape",
        fixes: [{ kind: "set-param", label: `Set shape to ${shape.join("×")}`, name: "shape", value: shape }],
      });
    } else if (type && type.dtype !== "float32") {
      report({
        code: "GRAPH_DATA",
        message: `The data set's samples arrive as float32 but Input takes ${type.dtype}.`,
        node: first.node.id,
        param: "dtype",
        fixes: [{ kind: "set-param", label: "Make it float32", name: "dtype", value: "float32" }],
      });
    }
  }

  const main = mainOutput(graph);
  if (!main) return;
  const nodeOf = (name: string) => outputNodes.find((output) => output.name === name)?.node ?? main.node;
  const parts = loss ? lossParts({ loss, extraLosses }, main.name) : [{ output: main.name, loss: undefined }];
  for (const part of parts) {
    const source = outputs.has(part.output) ? sourceAtTop(graph, nodeOf(part.output).id) : undefined;
    if (source?.layer.trait !== "probabilities" || (part.loss && part.loss.expects !== "logits")) continue;
    report({
      severity: "hint",
      code: "GRAPH_LINT",
      message: `${part.loss?.name ?? "CrossEntropyLoss or BCEWithLogitsLoss"} does what ${source.layer.title} before the output does, so training would suffer from it twice.`,
      node: source.node.id,
      hint: "Leave the output as plain scores.",
      fixes: [{ kind: "remove-node", label: `Remove this ${source.layer.title}` }],
    });
  }
  if (!loss) return;
  const type = data ? { dtype: data.splits.train.target.dtype, shape: ["B", ...data.splits.train.target.shape] } : null;
  const known = new Map(outputNodes.map(({ name }) => [name, outputs.get(name) ?? null]));
  const answer = fitTargets({ loss, extraLosses }, main.name, known, { classes: data && data.classes.length > 0 ? data.classes.length : null, type });
  if ("target" in answer) return;
  for (const { output, problem: message, hint, width, fixes = [] } of answer.problems) {
    const node = nodeOf(output);
    const source = sourceAtTop(graph, node.id);
    const widen = source?.layer.widthParam;
    const setWidth: Fix[] =
      width !== undefined && source && widen
        ? [{ kind: "set-param", label: `Set ${widen} of ${source.layer.title} to ${width}`, node: source.node.id, name: widen, value: width }]
        : [];
    report({ code: "GRAPH_LOSS", message, node: node.id, port: "x", hint, fixes: [...setWidth, ...fixes] });
  }
}

/** The output that training looks at: the one named y, else the first by name. */
export function mainOutput(graph: Body): { name: string; node: Node } | undefined {
  const outputs = bodyOutputs(graph).sort((a, b) => (a.name < b.name ? -1 : 1));
  return outputs.find(({ name }) => name === "y") ?? outputs[0];
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
    const layer = node && findLayer(node.type);
    if (!node || !layer) return undefined;
    if (layer.trait !== "neutral") return { node, layer };
    at = node.id;
  }
  return undefined;
}

function checkMemory(checked: Checked): void {
  let total = 0;
  let greatest = { path: "", bytes: 0 };
  for (const path of checked.order) {
    const bytes = Object.values(checked.weights.get(path) ?? {}).reduce((sum, { shape, dtype }) => sum + shape.reduce((a, b) => a * b, dtype === "int64" ? 8 : 4), 0);
    total += bytes;
    if (bytes > greatest.bytes) greatest = { path, bytes };
  }
  if (total <= LIMITS.weightBytes) return;
  const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  checked.problems.push({
    severity: "error",
    code: "GRAPH_MEMORY",
    message: `The weights of this model need ${gib(total)}, more than ${gib(LIMITS.weightBytes)}; ${gib(greatest.bytes)} of it here.`,
    node: greatest.path,
    hint: "Shrink what comes into this layer, or what goes out of it.",
    fixes: [],
  });
}

function findExcess(graph: Graph): { message: string; node?: NodePath; hint: string } | null {
  let nodeCount = 0;
  let edgeCount = 0;
  let level: Body[] = [graph];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > LIMITS.nesting) return { message: `Zones and blocks are nested deeper than ${LIMITS.nesting}.`, hint: "Take some out of others." };
    for (const { nodes, edges } of level) {
      nodeCount += nodes.length;
      edgeCount += edges.length;
    }
    if (nodeCount > LIMITS.nodeCount) return { message: `The graph has more than ${LIMITS.nodeCount} nodes.`, hint: "Use Repeat for what recurs." };
    if (edgeCount > LIMITS.edgeCount) return { message: `The graph has more than ${LIMITS.edgeCount} wires.`, hint: "Use Repeat for what recurs." };
    level = level.flatMap(({ nodes }) => nodes.flatMap(({ bodies }) => (bodies ? Object.values(bodies) : [])));
  }
  return null;
}

/** What one node's parameters say, with its inferences by input types. */
type ParamMemo = {
  type: string;
  values: Values<Params>;
  problems: { name: string; message: string }[];
  unknown: string[];
  infer: (inputs: Inputs<TensorType>, bodies: Parameters<Layer["infer"]>[2], node: Node) => Inferred;
};

/**
 * Edits keep the params object of nodes they do not touch, so that object carries what was worked out for it: after an edit
 * only nodes with new params or new inputs are inferred again.
 */
const memos = new WeakMap<Node["params"], ParamMemo>();

function readNodeParams(layer: Layer, node: Node): ParamMemo {
  const memo = memos.get(node.params);
  if (memo?.type === node.type) return memo;
  const read = readParams(layer.params, node.params);
  const inferences = new Map<string, Inferred>();
  const fresh: ParamMemo = {
    type: node.type,
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

function pickPorts({ inputs, outputs }: { inputs: InputPorts; outputs: OutputPorts }) {
  return { inputs, outputs };
}

function titleOf(read: ReadNode | undefined): string {
  return read?.node.name || read?.layer.title || "a node";
}

function shorten(text: string | undefined): string {
  return text === undefined ? "nothing" : text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
