import type { Body } from "../../core/graph/document.ts";
import type { Shape } from "../../core/graph/shape.ts";

/** One node of a small drawing: where it stands and how large what it gives is. */
type Slab = { id: string; x: number; y: number; width: number; height: number };
type Silhouette = { slabs: Slab[]; wires: { id: string; path: string; skip: boolean }[] };

const MAX_PITCH = 26;

/**
 * A body as a row of slabs, data flowing to the right. A slab is as tall as the picture its node gives and as wide as its channels
 * (on a logarithm's scale, as such drawings have always been); rows of features are tall by their count and thin, and so is
 * whatever gives the shape that it takes. Shapes not known yet are drawn small.
 */
export function drawSilhouette(body: Body, shapeOf: (id: string) => Shape | null, size: { width: number; height: number }): Silhouette {
  const depth = depths(body);
  const columns: string[][] = [];
  for (const node of body.nodes) {
    const column = depth.get(node.id) ?? 0;
    columns[column] = [...(columns[column] ?? []), node.id];
  }
  const filled = columns.filter((ids) => ids.length > 0); // a cycle may leave holes
  const keeps = keepers(body, shapeOf);

  const room = size.height - 16;
  // Each column has a share of the width; slabs leave at least a third of it open, so that a deep network stays a row of things.
  const pitch = Math.min(MAX_PITCH, size.width / Math.max(1, filled.length));
  const start = (size.width - pitch * filled.length) / 2;
  const places = new Map<string, Slab>();
  for (const [index, ids] of filled.entries()) {
    const extents = ids.map((id) => extent(shapeOf(id), room, keeps.has(id)));
    const tallest = Math.max(...extents.map(({ height }) => height));
    const slot = tallest / ids.length;
    for (const [row, id] of ids.entries()) {
      const { width, height } = extents[row] ?? { width: 4, height: 8 };
      const drawn = { width: Math.max(1.5, Math.min(width, pitch * 0.62)), height: ids.length === 1 ? height : Math.min(height, slot - 3) };
      const middle = size.height / 2 - tallest / 2 + slot * (row + 0.5);
      places.set(id, { id, x: start + pitch * (index + 0.5) - drawn.width / 2, y: middle - drawn.height / 2, ...drawn });
    }
  }

  const wires = body.edges.flatMap((edge) => {
    const from = places.get(edge.from.node);
    const to = places.get(edge.to.node);
    if (!from || !to) return [];
    const skip = (depth.get(edge.to.node) ?? 0) - (depth.get(edge.from.node) ?? 0) > 1;
    const [x1, x2] = [round(from.x + from.width / 2), round(to.x + to.width / 2)];
    // A skip rises over what it skips; everything else runs straight from middle to middle.
    const path = skip
      ? `M${x1} ${round(from.y)}C${x1} -2 ${x2} -2 ${x2} ${round(to.y)}`
      : `M${round(from.x + from.width)} ${round(from.y + from.height / 2)}L${round(to.x)} ${round(to.y + to.height / 2)}`;
    return [{ id: edge.id, path, skip }];
  });
  return { slabs: [...places.values()].map((slab) => ({ id: slab.id, x: round(slab.x), y: round(slab.y), width: round(slab.width), height: round(slab.height) })), wires };
}

/** Nodes that give the very shape they take. */
function keepers(body: Body, shapeOf: (id: string) => Shape | null): Set<string> {
  const keeps = new Set<string>();
  for (const { from, to } of body.edges) {
    const shape = shapeOf(to.node);
    if (shape && shape.join() === shapeOf(from.node)?.join()) keeps.add(to.node);
  }
  return keeps;
}

const round = (value: number) => Math.round(value * 10) / 10;

function extent(shape: Shape | null, room: number, thin: boolean): { width: number; height: number } {
  const sizes = (shape ?? []).slice(1).map((dim) => (typeof dim === "number" ? dim : 16));
  const [first, ...spatial] = sizes;
  if (first === undefined) return { width: 4, height: room * 0.2 };
  if (spatial.length === 0) return { width: thin ? 2 : 4, height: room * Math.min(1, 0.14 + Math.log2(first + 1) * 0.07) };
  const side = Math.sqrt(spatial.reduce((product, dim) => product * dim, 1) ** (2 / spatial.length));
  return { width: thin ? 2 : 3 + Math.log2(first + 1) * 2, height: room * Math.min(1, 0.16 + Math.log2(side + 1) * 0.155) };
}

/** The longest way from the start to each node. Wires of a cycle, which a half-drawn graph may have, are walked once. */
function depths(body: Body): Map<string, number> {
  const before = new Map<string, string[]>();
  for (const { from, to } of body.edges) before.set(to.node, [...(before.get(to.node) ?? []), from.node]);
  const depth = new Map<string, number>();
  const walking = new Set<string>();
  const walk = (id: string): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    if (walking.has(id)) return 0;
    walking.add(id);
    const result = Math.max(0, ...(before.get(id) ?? []).map((other) => walk(other) + 1));
    walking.delete(id);
    depth.set(id, result);
    return result;
  };
  for (const node of body.nodes) walk(node.id);
  return depth;
}
