import { type Body, emptyGraph, type Graph, type Json, type Node } from "../graph/document.ts";

/** Places on the canvas: a node is 184 wide and about 52 high, with room for a wire's label below and a column beside. */
const COLUMN_WIDTH = 184 + 56;
const ROW_HEIGHT = 52 + 44;

type Place = { column: number; row: number };
export type Step = [id: string, type: string, params?: { [name: string]: Json }, name?: string];
/** Output `y` of a node, or another output of it. */
type From = string | [node: string, port: string];

/** A graph drawn node by node. Ids become attribute names in PyTorch code and the first part of weight names. */
export type Sketch = {
  /** Puts a node, wires each `from` into it (`all` into a port that takes many), and gives its id. */
  put(step: Step, place: Place, from?: { [port: string]: From | { all: From[] } }, bodies?: Node["bodies"]): string;
  /** Puts nodes one below the other, each fed by the one before, and gives the last one's id. */
  stack(steps: Step[], place: Place, from?: string): string;
  graph(): Graph;
  /** What was drawn, as the inside of a zone. */
  body(): Body;
};

export function sketch(): Sketch {
  const nodes: Node[] = [];
  const edges: Graph["edges"] = [];
  const put: Sketch["put"] = ([id, type, params = {}, name], { column, row }, from = {}, bodies = undefined) => {
    nodes.push({ id, type, params, ...(name === undefined ? {} : { name }), at: { x: column * COLUMN_WIDTH, y: row * ROW_HEIGHT }, ...(bodies ? { bodies } : {}) });
    for (const [port, sources] of Object.entries(from)) {
      for (const source of typeof sources === "object" && "all" in sources ? sources.all : [sources]) {
        const [node, output] = typeof source === "string" ? [source, "y"] : source;
        edges.push({ id: `${node}-${id}-${port}`, from: { node, port: output }, to: { node: id, port } });
      }
    }
    return id;
  };
  return {
    put,
    stack(steps, { column, row }, from) {
      let last = from;
      for (const [i, step] of steps.entries()) last = put(step, { column, row: row + i }, last === undefined ? {} : { x: last });
      if (last === undefined) throw new Error("A stack needs a step.");
      return last;
    },
    graph: () => ({ ...emptyGraph, nodes, edges }),
    body: () => ({ nodes, edges }),
  };
}

/** A network without branches. */
export function chain(steps: Step[]): Graph {
  const drawing = sketch();
  drawing.stack(steps, { column: 0, row: 0 });
  return drawing.graph();
}
