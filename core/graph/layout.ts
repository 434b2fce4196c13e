import type { Edge, Node } from "./document.ts";

/** A node as drawn, and the room around it: below for a wire's label, beside for a wire that goes past. */
export const NODE_SIZE = { width: 184, height: 52 };
const GAP = { beside: 56, below: 44 };

type Size = { width: number; height: number };

/** As much of a body as its layout depends on. */
export type Drawn<N> = { nodes: readonly N[]; edges: readonly Pick<Edge, "from" | "to">[] };
export type DrawnNode = Pick<Node, "id" | "at" | "pinned">;

/** A node, or one row of a wire that runs past nodes. `wish`: where it would like to stand. */
type Cell = { id: string | null; width: number; x: number; wish: number; above: Cell[]; below: Cell[] };

/**
 * Tidy places for the nodes of a body, by id: rows downward in the order of data flow, wires as straight and uncrossed as a few
 * sweeps make them, the whole starting where the body's upper left corner is now.
 */
export function tidyLayout<N extends DrawnNode>(body: Drawn<N>, sizeOf: (node: N) => Size = () => NODE_SIZE): Map<string, { x: number; y: number }> {
  const places = new Map<string, { x: number; y: number }>();
  if (body.nodes.length === 0) return places;
  const rowOf = assignRows(body);
  const rows = makeRows(body, rowOf, sizeOf);
  for (let sweep = 0; sweep < 8; sweep++) sortRows(rows, sweep % 2 === 0 ? "above" : "below");
  for (let sweep = 0; sweep < 12; sweep++) spreadRows(rows, sweep % 2 === 0 ? "above" : "below");

  const heights = rows.map(() => NODE_SIZE.height);
  for (const node of body.nodes) {
    const row = rowOf.get(node.id) ?? 0;
    heights[row] = Math.max(heights[row] ?? 0, sizeOf(node).height);
  }
  const left = Math.min(...body.nodes.map(({ at }) => at.x));
  const top = Math.min(...body.nodes.map(({ at }) => at.y));
  const leftmost = Math.min(...rows.flat().map(({ x, width }) => x - width / 2));
  let y = top;
  for (const [i, row] of rows.entries()) {
    for (const { id, x, width } of row) if (id !== null) places.set(id, { x: Math.round(left + x - width / 2 - leftmost), y });
    y += (heights[i] ?? 0) + GAP.below;
  }
  return keepPinned(body, places, sizeOf);
}

/** Moves the whole so that it fits what is pinned; those that would come to lie on a pinned node go beside it. */
function keepPinned<N extends DrawnNode>(body: Drawn<N>, places: Map<string, { x: number; y: number }>, sizeOf: (node: N) => Size): Map<string, { x: number; y: number }> {
  const pinned = body.nodes.filter((node) => node.pinned);
  if (pinned.length === 0) return places;
  // Places are corners; a wide node's `at` is that of a plain one in its middle.
  const cornerOf = (node: N) => ({ x: node.at.x + (NODE_SIZE.width - sizeOf(node).width) / 2, y: node.at.y });
  const by = {
    x: Math.round(mean(pinned.map((node) => cornerOf(node).x - (places.get(node.id)?.x ?? 0)))),
    y: Math.round(mean(pinned.map((node) => node.at.y - (places.get(node.id)?.y ?? 0)))),
  };
  const kept = new Map<string, { x: number; y: number }>();
  for (const node of body.nodes) {
    const place = places.get(node.id);
    if (node.pinned || !place) continue;
    const { width, height } = sizeOf(node);
    let [x, y] = [place.x + by.x, place.y + by.y];
    for (const other of pinned) {
      const corner = cornerOf(other);
      const size = sizeOf(other);
      if (x < corner.x + size.width && corner.x < x + width && y < corner.y + size.height && corner.y < y + height) x = corner.x + size.width + GAP.beside;
    }
    kept.set(node.id, { x: Math.round(x), y: Math.round(y) });
  }
  return kept;
}

/** One below the lowest of what feeds it; wires that close a loop count for nothing. */
function assignRows(body: Drawn<DrawnNode>): Map<string, number> {
  const feeds = new Map<string, string[]>(body.nodes.map(({ id }) => [id, []]));
  for (const { from, to } of body.edges) if (feeds.has(from.node)) feeds.get(to.node)?.push(from.node);
  const rows = new Map<string, number>();
  const isOpen = new Set<string>();
  for (const { id: root } of body.nodes) {
    const stack = [root];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const sources = feeds.get(id) ?? [];
      const next = sources.find((source) => !rows.has(source) && !isOpen.has(source));
      if (!rows.has(id) && next !== undefined) {
        isOpen.add(id);
        stack.push(next);
      } else {
        if (!rows.has(id)) rows.set(id, Math.max(0, ...sources.map((source) => (rows.get(source) ?? -1) + 1)));
        isOpen.delete(id);
        stack.pop();
      }
    }
  }
  return rows;
}

/** Cells row by row; a wire over several rows gets a narrow cell in each row between. */
function makeRows<N extends DrawnNode>(body: Drawn<N>, rowOf: Map<string, number>, sizeOf: (node: N) => Size): Cell[][] {
  const rows: Cell[][] = Array.from({ length: Math.max(...rowOf.values()) + 1 }, () => []);
  const cells = new Map<string, Cell>();
  // Left to right as it stands now, so that tidying twice gives the same.
  for (const node of [...body.nodes].sort((a, b) => a.at.x - b.at.x || (a.id < b.id ? -1 : 1))) {
    const cell: Cell = { id: node.id, width: sizeOf(node).width, x: 0, wish: 0, above: [], below: [] };
    cells.set(node.id, cell);
    rows[rowOf.get(node.id) ?? 0]?.push(cell);
  }
  for (const { from, to } of body.edges) {
    let cell = cells.get(from.node);
    const end = cells.get(to.node);
    const start = rowOf.get(from.node) ?? 0;
    const stop = rowOf.get(to.node) ?? 0;
    if (!cell || !end || stop <= start) continue;
    for (let row = start + 1; row < stop; row++) {
      const passing: Cell = { id: null, width: 0, x: 0, wish: 0, above: [], below: [] };
      rows[row]?.push(passing);
      join(cell, passing);
      cell = passing;
    }
    join(cell, end);
  }
  for (const row of rows) pack(row);
  return rows;
}

function join(upper: Cell, lower: Cell): void {
  upper.below.push(lower);
  lower.above.push(upper);
}

/** Sorts each row by the mean place of its neighbours; cells without neighbours keep theirs. */
function sortRows(rows: Cell[][], toward: "above" | "below"): void {
  for (const row of toward === "above" ? rows : rows.toReversed()) {
    for (const cell of row) cell.wish = cell[toward].length === 0 ? cell.x : middleOf(cell[toward]);
    row.sort((a, b) => a.wish - b.wish);
    pack(row);
  }
}

function pack(row: Cell[]): void {
  const width = row.reduce((sum, cell) => sum + cell.width + GAP.beside, -GAP.beside);
  let x = -width / 2;
  for (const cell of row) {
    cell.x = x + cell.width / 2;
    x += cell.width + GAP.beside;
  }
}

/**
 * Moves each cell of each row to the middle of its neighbours, keeping order and gaps: runs of cells that press against each
 * other share the mean of their wishes (the pool-adjacent-violators method).
 */
function spreadRows(rows: Cell[][], toward: "above" | "below"): void {
  for (const row of toward === "above" ? rows : rows.toReversed()) {
    // Blocks of cells that stand as near as they may: from which cell on, the sum of what they wish for their first cell, and how much they insist.
    const starts: number[] = [];
    const sums: number[] = [];
    const weights: number[] = [];
    const offsets: number[] = [];
    let offset = 0;
    for (const [i, cell] of row.entries()) {
      const before = row[i - 1];
      if (before) offset += (before.width + cell.width) / 2 + GAP.beside;
      offsets.push(offset);
      const neighbours = cell[toward];
      const wish = neighbours.length === 0 ? cell.x : middleOf(neighbours);
      // A wire that runs past would rather stay straight than a node; nodes without neighbours do not insist.
      let weight = neighbours.length === 0 ? 0.1 : cell.id === null ? 2 : 1;
      let sum = (wish - offset) * weight;
      let start = i;
      for (let last = starts.length - 1; last >= 0 && (sums[last] ?? 0) / (weights[last] ?? 1) > sum / weight; last--) {
        sum += sums.pop() ?? 0;
        weight += weights.pop() ?? 0;
        start = starts.pop() ?? i;
      }
      starts.push(start);
      sums.push(sum);
      weights.push(weight);
    }
    for (const [block, start] of starts.entries()) {
      const first = (sums[block] ?? 0) / (weights[block] ?? 1);
      for (let i = start; i < (starts[block + 1] ?? row.length); i++) {
        const cell = row[i];
        if (cell) cell.x = first + (offsets[i] ?? 0);
      }
    }
  }
}

function middleOf(cells: readonly Cell[]): number {
  let sum = 0;
  for (const { x } of cells) sum += x;
  return sum / cells.length;
}

function mean(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length;
}
