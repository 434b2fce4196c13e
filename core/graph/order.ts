import type { InputPorts, Layer } from "../layers/kit.ts";
import type { Edge, Node } from "./document.ts";

/** The wires into each node, by port. */
export type Wiring = Map<string, Map<string, Edge[]>>;

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
  const byId = new Map(nodes.map((read) => [read.node.id, read]));
  const visitAll = (some: N[]) => {
    for (const read of some.sort((a, b) => (a.node.id < b.node.id ? -1 : 1))) visit(read);
  };
  const order: N[] = [];
  const cycles: Edge[][] = [];
  const state = new Map<string, "open" | "done">();

  const wiresInto = (read: N): Edge[] => {
    const ports = wiring.get(read.node.id);
    if (!ports) return [];
    // Most nodes have one wire.
    if (ports.size === 1) for (const [port, wires] of ports) if (Object.hasOwn(read.inputs, port)) return wires;
    return Object.keys(read.inputs).flatMap((port) => ports.get(port) ?? []);
  };

  // The stack is explicit: a chain of 2,000 nodes is a legal graph.
  const visit = (root: N) => {
    if (state.has(root.node.id)) return;
    const stack: { read: N; wires: Edge[]; next: number }[] = [{ read: root, wires: wiresInto(root), next: 0 }];
    state.set(root.node.id, "open");
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const wire = top.wires[top.next++];
      if (!wire) {
        state.set(top.read.node.id, "done");
        order.push(top.read);
        stack.pop();
        continue;
      }
      const source = byId.get(wire.from.node);
      if (!source) continue;
      const reached = state.get(source.node.id);
      if (reached === "open") {
        const start = stack.findIndex(({ read }) => read === source);
        // Each open node but the last was left through the wire before its `next`; read against the walk, wires run forward.
        const loop = stack.slice(start).map((entry) => entry.wires[entry.next - 1]);
        if (cycles.length < 10) cycles.push(loop.filter((edge) => edge !== undefined).reverse());
      } else if (!reached) {
        state.set(source.node.id, "open");
        stack.push({ read: source, wires: wiresInto(source), next: 0 });
      }
    }
  };

  visitAll(nodes.filter(({ layer }) => layer.boundary?.kind === "output"));
  const live = new Set(state.keys());
  visitAll(nodes.filter(({ node }) => !state.has(node.id)));
  return { order, live, cycles };
}
