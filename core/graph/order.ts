import type { InputPorts, Layer } from "../layers/kit.ts";
import type { Edge, Node } from "./document.ts";

/** The wires into each node, in edge order; mostly one, so that a list is found faster than a map is made. */
export type Wiring = Map<string, Edge[]>;

const NO_WIRES: readonly Edge[] = [];

/** The wires into one port of a node. */
export function wiresInto(wiring: Wiring, node: string, port: string): readonly Edge[] {
  const wires = wiring.get(node);
  if (!wires) return NO_WIRES;
  if (wires.length === 1) return wires[0]?.to.port === port ? wires : NO_WIRES;
  return wires.filter(({ to }) => to.port === port);
}

type Ordered<N> = {
  /** Every node after those it needs, those of loops included. */
  order: N[];
  /** Ids of nodes on which an output node depends. */
  live: Set<string>;
  /** The edges of each loop, the closing one last. */
  cycles: Edge[][];
};

/**
 * Brings nodes into the order in which they run: depth first from the outputs, inputs in port order, so that code reads
 * branch by branch. Ids break ties, so the order depends neither on places on the canvas nor on the order in the document.
 */
export function arrange<N extends { node: Node; layer: Layer; inputs: InputPorts }>(nodes: N[], wiring: Wiring): Ordered<N> {
  /** A node on the walk: the wires into it, in port order once it is reached, and which of them is next. */
  type Stop = { read: N; wires: readonly Edge[]; next: number; state: "new" | "open" | "done" };
  const stops = new Map(nodes.map((read): [string, Stop] => [read.node.id, { read, wires: NO_WIRES, next: 0, state: "new" }]));
  const order: N[] = [];
  const cycles: Edge[][] = [];

  const inPortOrder = ({ node, inputs }: N): readonly Edge[] => {
    const wires = wiring.get(node.id);
    if (!wires) return NO_WIRES;
    return wires.length === 1 ? wires : Object.keys(inputs).flatMap((port) => wires.filter(({ to }) => to.port === port));
  };

  // The stack is explicit: a chain of 2,000 nodes is a legal graph.
  const stack: Stop[] = [];
  const enter = (stop: Stop) => {
    stop.state = "open";
    stop.wires = inPortOrder(stop.read);
    stack.push(stop);
  };
  const visit = (root: Stop) => {
    if (root.state !== "new") return;
    enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const wire = top.wires[top.next++];
      if (!wire) {
        top.state = "done";
        order.push(top.read);
        stack.pop();
        continue;
      }
      const source = stops.get(wire.from.node);
      if (source?.state === "new") enter(source);
      else if (source?.state === "open") {
        // Each open node but the last was left through the wire before its `next`; read against the walk, wires run forward.
        const loop = stack.slice(stack.indexOf(source)).map((stop) => stop.wires[stop.next - 1]);
        if (cycles.length < 10) cycles.push(loop.filter((edge) => edge !== undefined).reverse());
      }
    }
  };
  const visitAll = (some: Stop[]) => {
    for (const stop of some.sort((a, b) => (a.read.node.id < b.read.node.id ? -1 : 1))) visit(stop);
  };

  const all = [...stops.values()];
  visitAll(all.filter(({ read }) => read.layer.boundary?.kind === "output"));
  const live = new Set(order.map(({ node }) => node.id));
  visitAll(all.filter(({ state }) => state === "new"));
  return { order, live, cycles };
}
