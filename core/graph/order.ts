import type { InputPorts, Layer } from "../layers/kit.ts";
import type { Edge, Node } from "./document.ts";

/** A node with its layer, the input ports that it has now, and the wires into them, in edge order. */
export type Wired = { node: Node; layer: Layer; inputs: InputPorts; wires: readonly Edge[] };

export const NO_WIRES: readonly Edge[] = [];

/** The wires into one port of a node; mostly it has one, so that a list is found faster than a map is made. */
export function wiresInto({ wires }: { wires: readonly Edge[] }, port: string): readonly Edge[] {
  if (wires.length === 1) return wires[0]?.to.port === port ? wires : NO_WIRES;
  return wires.length === 0 ? NO_WIRES : wires.filter(({ to }) => to.port === port);
}

type Ordered<N> = {
  /** Every node after those it needs, those of loops included. */
  order: N[];
  /** How many of these stand first because an output depends on them. */
  liveCount: number;
  /** The edges of each loop, the closing one last. */
  cycles: Edge[][];
};

/**
 * Brings nodes, by id, into the order in which they run: depth first from the outputs, inputs in port order, so that code reads
 * branch by branch. Ids break ties, so the order depends neither on places on the canvas nor on the order in the document.
 */
export function arrange<N extends Wired>(nodes: ReadonlyMap<string, N>): Ordered<N> {
  /** A node on the walk: the wires into it, in port order, and which of them is next. */
  type Stop = { read: N; wires: readonly Edge[]; next: number };
  /** Nodes that the walk has reached; those still on the way down to their inputs have a stop. */
  const reached = new Map<N, Stop | null>();
  const order: N[] = [];
  const cycles: Edge[][] = [];

  // The stack is explicit: a chain of 2,000 nodes is a legal graph.
  const stack: Stop[] = [];
  const enter = (read: N) => {
    const stop = { read, wires: inPortOrder(read), next: 0 };
    reached.set(read, stop);
    stack.push(stop);
  };
  const visit = (root: N) => {
    if (reached.has(root)) return;
    enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const wire = top.wires[top.next++];
      if (!wire) {
        reached.set(top.read, null);
        order.push(top.read);
        stack.pop();
        continue;
      }
      const source = nodes.get(wire.from.node);
      if (!source) continue;
      const open = reached.get(source);
      if (open === undefined) enter(source);
      else if (open !== null) {
        // Each open node but the last was left through the wire before its `next`; read against the walk, wires run forward.
        const loop = stack.slice(stack.indexOf(open)).map((stop) => stop.wires[stop.next - 1]);
        if (cycles.length < 10) cycles.push(loop.filter((edge) => edge !== undefined).reverse());
      }
    }
  };
  const visitAll = (some: N[]) => {
    for (const read of some.sort((a, b) => (a.node.id < b.node.id ? -1 : 1))) visit(read);
  };

  visitAll([...nodes.values()].filter(({ layer }) => layer.boundary?.kind === "output"));
  const liveCount = order.length;
  if (liveCount < nodes.size) visitAll([...nodes.values()].filter((read) => !reached.has(read)));
  return { order, liveCount, cycles };
}

function inPortOrder({ inputs, wires }: Wired): readonly Edge[] {
  return wires.length < 2 ? wires : Object.keys(inputs).flatMap((port) => wires.filter(({ to }) => to.port === port));
}
