import { bodyInputs } from "../layers/input.ts";
import { type OutputPorts, portsOf } from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import { layerOf, whyNotBypass } from "./bypass.ts";
import type { Problem } from "./check.ts";
import type { Body, Edge, Node } from "./document.ts";
import { isFurniture } from "./furniture.ts";
import { canLint, lint } from "./lint.ts";
import { arrange, NO_WIRES, type Wired, wiresInto } from "./order.ts";

/** A node with its layer, the ports that it has now, and the wires that join known ports, by the port they go into. */
export type ReadNode = Wired & { outputs: OutputPorts };

/** A problem whose node and edge are ids within the body. */
export type Found = Omit<Problem, "severity"> & { severity?: Problem["severity"] };

/** What can be said of one body without knowing any type: nodes, wires, names, order. */
export type Structure = {
  nodes: readonly Node[];
  /** Nodes of known layers. */
  known: Map<string, ReadNode>;
  /** Names of input and output nodes by id. */
  names: Map<string, string>;
  /** Every node after those it needs. */
  order: ReadNode[];
  /** How many of these stand first because an output depends on them. */
  liveCount: number;
  hasOutput: boolean;
  found: Found[];
  /** What would run, but is probably not meant. */
  lint: Found[];
};

/** By the array of edges, which edits of parameters and places leave alone. */
const structures = new WeakMap<readonly Edge[], Structure>();

/** The structure of a body; after an edit of parameters or places, that of before with the new nodes. */
export function structureOf(body: Body): Structure {
  const last = structures.get(body.edges);
  const structure = (last && renew(last, body.nodes)) ?? new StructureReader(body).read();
  structures.set(body.edges, structure);
  return structure;
}

/** The same structure over other nodes, or null where one of them has another part in it. */
function renew(last: Structure, nodes: readonly Node[]): Structure | null {
  if (last.nodes === nodes) return last;
  if (last.nodes.length !== nodes.length) return null;
  const changed = new Map<string, ReadNode>();
  for (const [i, node] of nodes.entries()) {
    const before = last.nodes[i];
    if (before === node) continue;
    if (before?.id === node.id && isFurniture(before) && isFurniture(node)) continue;
    const read = before && last.known.get(before.id);
    if (
      !read ||
      read.node !== before ||
      before.id !== node.id ||
      before.type !== node.type ||
      before.name !== node.name ||
      before.bodies !== node.bodies ||
      before.bypass !== node.bypass
    )
      return null;
    if (read.layer.ports && before.params !== node.params) return null;
    changed.set(node.id, { ...read, node });
  }
  const known = new Map(last.known);
  for (const [id, read] of changed) known.set(id, read);
  return { ...last, nodes, known, order: last.order.map((read) => changed.get(read.node.id) ?? read) };
}

class StructureReader {
  private readonly body: Body;
  private readonly known = new Map<string, ReadNode>();
  private readonly found: Found[] = [];
  private readonly lint: Found[] = [];
  private hasBypass = false;

  constructor(body: Body) {
    this.body = body;
  }

  read(): Structure {
    this.readNodes();
    this.readEdges();
    const names = this.readNames();
    const { order, liveCount, cycles } = arrange(this.known);
    for (const cycle of cycles) this.reportCycle(cycle);
    // Each output is live, so without live nodes there is none.
    const hasOutput = liveCount > 0;
    if (this.hasBypass) this.readPassed(new Set((hasOutput ? order.slice(0, liveCount) : order).map(({ node }) => node.id)));
    this.readUnused(hasOutput ? order.slice(liveCount) : []);
    for (const read of order) this.readLint(read);
    return { nodes: this.body.nodes, known: this.known, names, order, liveCount, hasOutput, found: this.found, lint: this.lint };
  }

  private report(found: Found): void {
    this.found.push(found);
  }

  private hint(found: Found): void {
    this.lint.push({ severity: "hint", ...found });
  }

  /** Nodes of known layers; the others are reported and stand aside. */
  private readNodes(): void {
    /** Ids of what has no place among the known. */
    const aside = new Set<string>();
    for (const node of this.body.nodes) {
      if (this.known.has(node.id) || aside.has(node.id)) {
        this.report({ code: "GRAPH_DUPLICATE_ID", message: `Two nodes have the id ${node.id}.`, node: node.id, hint: "Delete one and add it again.", fixes: [] });
        continue;
      }
      const layer = isFurniture(node) ? undefined : layerOf(node);
      if (!layer) {
        aside.add(node.id);
        if (isFurniture(node)) continue;
        this.report({
          code: "GRAPH_UNKNOWN_TYPE",
          message: `This version has no layer “${node.type}”; the node is kept as it is.`,
          node: node.id,
          hint: "Update to the version it was made with, or replace the node.",
          fixes: [{ kind: "remove-node", label: "Remove this node" }],
        });
        continue;
      }
      if (node.bypass) this.hasBypass = true;
      const stays = node.bypass ? whyNotBypass(node) : null;
      if (stays !== null) this.report({ code: "GRAPH_BYPASS", message: `It cannot be bypassed. ${stays}`, node: node.id, fixes: [{ kind: "restore", label: "Bring it back" }] });
      const { inputs, outputs } = portsOf(layer, node);
      this.known.set(node.id, { node, layer, inputs, outputs, wires: NO_WIRES });
    }
  }

  private readEdges(): void {
    let listed: Set<string> | undefined;
    /** Whether there is such a node, known or not; mostly both ends are known, and nobody asks. */
    const isThere = (id: string) => {
      listed ??= new Set(this.body.nodes.flatMap((node) => (isFurniture(node) ? [] : [node.id])));
      return listed.has(id);
    };
    const edgeIds = new Set<string>();
    const bad = (edge: Edge, message: string, port?: string) =>
      this.report({
        code: "GRAPH_EDGE",
        message,
        edge: edge.id,
        node: isThere(edge.to.node) ? edge.to.node : undefined,
        port,
        fixes: [{ kind: "remove-edge", label: "Remove this wire" }],
      });
    for (const edge of this.body.edges) {
      if (edgeIds.size === edgeIds.add(edge.id).size) {
        this.report({ code: "GRAPH_DUPLICATE_ID", message: `Two wires have the id ${edge.id}.`, edge: edge.id, fixes: [{ kind: "remove-edge", label: "Remove this wire" }] });
        continue;
      }
      const from = this.known.get(edge.from.node);
      const to = this.known.get(edge.to.node);
      if ((!from && !isThere(edge.from.node)) || (!to && !isThere(edge.to.node))) {
        bad(edge, `This wire ${isThere(edge.from.node) ? "leads to" : "comes from"} a node that is not there.`);
        continue;
      }
      // Beside a node of an unknown type nothing can be said; that node is reported.
      if (from && !Object.hasOwn(from.outputs, edge.from.port)) bad(edge, `${titleOf(from)} has no output “${edge.from.port}”.`);
      else if (to && !Object.hasOwn(to.inputs, edge.to.port)) bad(edge, `${titleOf(to)} has no input “${edge.to.port}”.`, edge.to.port);
      else if (to) {
        if (to.wires.length === 0) to.wires = [edge];
        else if (to.inputs[edge.to.port]?.many || !to.wires.some((other) => other.to.port === edge.to.port)) to.wires = [...to.wires, edge];
        else bad(edge, `Input ${edge.to.port} of ${titleOf(to)} takes one wire, and this is another.`, edge.to.port);
      }
    }
  }

  /** Wires from outputs to which a node that hands its inputs on has nothing to give. */
  private readPassed(live: ReadonlySet<string>): void {
    for (const { from, to, id } of this.body.edges) {
      const source = this.known.get(from.node);
      if (!source?.node.bypass || !source.layer.passes || !Object.hasOwn(source.outputs, from.port)) continue;
      const wired = new Set(source.wires.map(({ to }) => to.port));
      if (Object.hasOwn(source.layer.passes(source.node, wired), from.port)) continue;
      this.report({
        severity: live.has(to.node) ? "error" : "hint",
        code: "GRAPH_BYPASS",
        message:
          wired.size === 0
            ? `${titleOf(source)} is bypassed and nothing comes into it, so it has nothing to pass on.`
            : `${titleOf(source)} is bypassed, so its output ${from.port} gives nothing: only ${Object.keys(source.outputs)[0]} passes its input on.`,
        node: from.node,
        edge: id,
        fixes: [{ kind: "restore", label: "Bring it back" }],
      });
    }
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

  /** Of what no output depends on, the last of each chain. */
  private readUnused(rest: readonly ReadNode[]): void {
    if (rest.length === 0) return;
    const hasConsumer = new Set(this.body.edges.map(({ from }) => from.node));
    for (const { node, layer } of rest)
      if (!hasConsumer.has(node.id))
        this.hint({
          code: "GRAPH_UNUSED",
          message: `Nothing uses the result of this ${layer.title}, so it is left out.`,
          node: node.id,
          hint: "Connect it, or delete it.",
          fixes: [{ kind: "remove-node", label: `Remove this ${layer.title}` }],
        });
  }

  /** What would run, but is probably not meant. */
  private readLint(read: ReadNode): void {
    if (!canLint(read)) return;
    for (const said of lint({ node: read.node, layer: read.layer, before: this.before(read) })) this.hint({ code: "GRAPH_LINT", node: read.node.id, ...said });
  }

  /** What stands before a node's first port, the nearest first: as far as layers change no value, and the first that does. */
  private before(read: ReadNode): ReadNode[] {
    const found: ReadNode[] = [];
    let at: ReadNode | undefined = read;
    for (let steps = 0; at && steps < this.known.size; steps++) {
      const first: string | undefined = Object.keys(at.inputs)[0];
      const wire: Edge | undefined = first === undefined ? undefined : wiresInto(at, first)[0];
      at = wire && this.known.get(wire.from.node);
      if (at) found.push(at);
      if (at?.layer.trait !== "neutral") break;
    }
    return found;
  }
}

const BOUNDARY_NAME = /^\p{L}[\p{L}\p{N} _-]{0,63}$/u;

/** What a person calls a node. */
export function titleOf(read: ReadNode | undefined): string {
  return read?.node.name || read?.layer.title || "a node";
}
