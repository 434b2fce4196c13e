import { say } from "../language/say.ts";
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
  /** What no output depends on. */
  unused: Found[];
  /** What would run, but is probably not meant: the one part that asks what parameters are. */
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
  let isLinted = true;
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
    if (before.params !== node.params && canLint(read)) isLinted = false;
    changed.set(node.id, { ...read, node });
  }
  const known = new Map(last.known);
  for (const [id, read] of changed) known.set(id, read);
  const order = last.order.map((read) => changed.get(read.node.id) ?? read);
  return { ...last, nodes, known, order, lint: isLinted ? last.lint : lintOf(order, known) };
}

/** What would run, but is probably not meant. */
function lintOf(order: readonly ReadNode[], known: ReadonlyMap<string, ReadNode>): Found[] {
  return order.flatMap((read) =>
    canLint(read)
      ? lint({ node: read.node, layer: read.layer, before: beforeOf(read, known) }).map((said): Found => ({ severity: "hint", code: "GRAPH_LINT", node: read.node.id, ...said }))
      : [],
  );
}

/** What stands before a node's first port, the nearest first: as far as layers change no value, and the first that does. */
function beforeOf(read: ReadNode, known: ReadonlyMap<string, ReadNode>): ReadNode[] {
  const found: ReadNode[] = [];
  let at: ReadNode | undefined = read;
  for (let steps = 0; at && steps < known.size; steps++) {
    const first: string | undefined = Object.keys(at.inputs)[0];
    const wire: Edge | undefined = first === undefined ? undefined : wiresInto(at, first)[0];
    at = wire && known.get(wire.from.node);
    if (at) found.push(at);
    if (at?.layer.trait !== "neutral") break;
  }
  return found;
}

class StructureReader {
  private readonly body: Body;
  private readonly known = new Map<string, ReadNode>();
  private readonly found: Found[] = [];
  private readonly unused: Found[] = [];
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
    return { nodes: this.body.nodes, known: this.known, names, order, liveCount, hasOutput, found: this.found, unused: this.unused, lint: lintOf(order, this.known) };
  }

  private report(found: Found): void {
    this.found.push(found);
  }

  /** Nodes of known layers; the others are reported and stand aside. */
  private readNodes(): void {
    /** Ids of what has no place among the known. */
    const aside = new Set<string>();
    for (const node of this.body.nodes) {
      if (this.known.has(node.id) || aside.has(node.id)) {
        this.report({
          code: "GRAPH_DUPLICATE_ID",
          message: say("Two nodes have the id {id}.", { id: node.id }),
          node: node.id,
          hint: say("Delete one and add it again."),
          fixes: [],
        });
        continue;
      }
      const layer = isFurniture(node) ? undefined : layerOf(node);
      if (!layer) {
        aside.add(node.id);
        if (isFurniture(node)) continue;
        this.report({
          code: "GRAPH_UNKNOWN_TYPE",
          message: say("This version has no layer “{type}”; the node is kept as it is.", { type: node.type }),
          node: node.id,
          hint: say("Update to the version it was made with, or replace the node."),
          fixes: [{ kind: "remove-node", label: say("Remove this node") }],
        });
        continue;
      }
      if (node.bypass) this.hasBypass = true;
      const stays = node.bypass ? whyNotBypass(node) : null;
      if (stays !== null)
        this.report({ code: "GRAPH_BYPASS", message: say("It cannot be bypassed. {stays}", { stays }), node: node.id, fixes: [{ kind: "restore", label: say("Bring it back") }] });
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
    const bad = (edge: Edge, message: string, port?: string, code = "GRAPH_EDGE") =>
      this.report({
        code,
        message,
        edge: edge.id,
        node: isThere(edge.to.node) ? edge.to.node : undefined,
        port,
        fixes: [{ kind: "remove-edge", label: say("Remove this wire") }],
      });
    for (const edge of this.body.edges) {
      if (edgeIds.size === edgeIds.add(edge.id).size) {
        this.report({
          code: "GRAPH_DUPLICATE_ID",
          message: say("Two wires have the id {id}.", { id: edge.id }),
          edge: edge.id,
          fixes: [{ kind: "remove-edge", label: say("Remove this wire") }],
        });
        continue;
      }
      const from = this.known.get(edge.from.node);
      const to = this.known.get(edge.to.node);
      if ((!from && !isThere(edge.from.node)) || (!to && !isThere(edge.to.node))) {
        bad(edge, isThere(edge.from.node) ? say("This wire leads to a node that is not there.") : say("This wire comes from a node that is not there."));
        continue;
      }
      // Beside a node of an unknown type nothing can be said; that node is reported.
      if (from && !Object.hasOwn(from.outputs, edge.from.port)) bad(edge, say("{from} has no output “{port}”.", { from: titleOf(from), port: edge.from.port }));
      else if (to && !Object.hasOwn(to.inputs, edge.to.port)) bad(edge, say("{to} has no input “{port}”.", { to: titleOf(to), port: edge.to.port }), edge.to.port);
      else if (to) {
        if (to.wires.length === 0) to.wires = [edge];
        else if (to.inputs[edge.to.port]?.many || !to.wires.some((other) => other.to.port === edge.to.port)) to.wires = [...to.wires, edge];
        else {
          // What a loss looks at is one thing.
          const code = to.node.type === "output" ? "GRAPH_INCOMPLETE" : undefined;
          bad(edge, say("Input {port} of {to} takes one wire, and this is another.", { port: edge.to.port, to: titleOf(to) }), edge.to.port, code);
        }
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
            ? say("{source} is bypassed and nothing comes into it, so it has nothing to pass on.", { source: titleOf(source) })
            : say("{source} is bypassed, so its output {port} gives nothing: only {value} passes its input on.", {
                source: titleOf(source),
                port: from.port,
                value: String(Object.keys(source.outputs)[0]),
              }),
        node: from.node,
        edge: id,
        fixes: [{ kind: "restore", label: say("Bring it back") }],
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
            message: say("“{name}” cannot name an input or output.", { name }),
            node: node.id,
            hint: say("Begin with a letter; then letters, digits, spaces, - and _, up to 64."),
            fixes: [],
          });
        else if (taken.has(name))
          this.report({
            code: "GRAPH_NAME",
            message: say("Two {type}s are named {name}.", { type: String(boundary[0]?.node.type), name }),
            node: node.id,
            hint: say("Give each a name of its own."),
            fixes: [],
          });
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
      message: say("These nodes feed each other in a loop: {value}.", { value: [...titles, titles[0]].join(" → ") }),
      node: edges[0]?.from.node,
      edge: last?.id,
      hint: say("Data flows one way. To go round several times, put the nodes into a Repeat or While."),
      fixes: [{ kind: "remove-edge", label: say("Remove the wire that closes the loop") }],
    });
  }

  /** Of what no output depends on, the last of each chain. */
  private readUnused(rest: readonly ReadNode[]): void {
    if (rest.length === 0) return;
    const hasConsumer = new Set(this.body.edges.map(({ from }) => from.node));
    for (const { node, layer } of rest)
      if (!hasConsumer.has(node.id))
        this.unused.push({
          severity: "hint",
          code: "GRAPH_UNUSED",
          message: say("Nothing uses the result of this {title}, so it is left out.", { title: layer.title }),
          node: node.id,
          hint: say("Connect it, or delete it."),
          fixes: [{ kind: "remove-node", label: say("Remove this {title}", { title: layer.title }) }],
        });
  }
}

const BOUNDARY_NAME = /^\p{L}[\p{L}\p{N} _-]{0,63}$/u;

/** What a person calls a node. */
export function titleOf(read: ReadNode | undefined): string {
  return read?.node.name || read?.layer.title || "a node";
}
