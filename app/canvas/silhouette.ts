import type { Body } from "../../core/graph/document.ts";
import type { Shape } from "../../core/graph/shape.ts";

/** One node of a small drawing: where it stands and how large what it gives is. */
export type Slab = { id: string; x: number; y: number; width: number; height: number };
export type Silhouette = { slabs: Slab[]; wires: { id: string; path: string; skip: boolean }[] };

const MAX_GAP = 18;

/**
 * A body as a row of slabs, data flowing to the right. A slab is as tall as the picture its node gives and as wide as its channels
 * (on a logarithm's scale, as such drawings have always been); rows of features are tall by their count and thin. Shapes not known
 * yet are drawn small.
 */
export function drawSilhouette(body: Body, shapeOf: (id: string) => Shape | null, size: { width: number; height: number }): Silhouette {
  const depth = depths(body);
  const columns: string[][] = [];
  for (const node of body.nodes) (columns[depth.get(node.id) ?? 0] ??= []).push(node.id);

  const filled = columns.filter((ids) => ids.length > 0); // a cycle may leave holes
  const room = size.height - 16;
  const extents = new Map(body.nodes.map((node) => [node.id, extent(shapeOf(node.id), room)]));
  const columnWidths = filled.map((ids) => Math.max(...ids.map((id) => extents.get(id)?.width ?? 0)));
  const solid = columnWidths.reduce((sum, width) => sum + width, 0);
  const squeeze = Math.min(1, size.width / (solid + filled.length * 2));
  const gap = filled.length > 1 ? Math.min(MAX_GAP, (size.width - solid * squeeze) / (filled.length - 1)) : 0;
  let x = (size.width - solid * squeeze - gap * (filled.length - 1)) / 2;

  const places = new Map<string, Slab>();
  for (const [index, ids] of filled.entries()) {
    const columnWidth = (columnWidths[index] ?? 0) * squeeze;
    const share = size.height / ids.length;
    for (const [row, id] of ids.entries()) {
      const { width, height } = extents.get(id) ?? { width: 4, height: 8 };
      const drawn = { width: Math.max(1.5, width * squeeze), height: Math.min(height, share - 4) };
      places.set(id, { id, x: x + (columnWidth - drawn.width) / 2, y: share * (row + 0.5) - drawn.height / 2, ...drawn });
    }
    x += columnWidth + gap;
  }

  const wires = body.edges.flatMap((edge) => {
    const from = places.get(edge.from.node);
    const to = places.get(edge.to.node);
    if (!from || !to) return [];
    const skip = (depth.get(edge.to.node) ?? 0) - (depth.get(edge.from.node) ?? 0) > 1;
    const y1 = from.y + from.height / 2;
    const y2 = to.y + to.height / 2;
    // A skip rises over what it skips; everything else runs straight from middle to middle.
    const path = skip
      ? `M${round(from.x + from.width / 2)} ${round(from.y)}C${round(from.x + from.width / 2)} 0 ${round(to.x + to.width / 2)} 0 ${round(to.x + to.width / 2)} ${round(to.y)}`
      : `M${round(from.x + from.width)} ${round(y1)}L${round(to.x)} ${round(y2)}`;
    return [{ id: edge.id, path, skip }];
  });
  return { slabs: [...places.values()].map((slab) => ({ id: slab.id, x: round(slab.x), y: round(slab.y), width: round(slab.width), height: round(slab.height) })), wires };
}

const round = (value: number) => Math.round(value * 10) / 10;

function extent(shape: Shape | null, room: number): { width: number; height: number } {
  const sizes = (shape ?? []).slice(1).map((dim) => (typeof dim === "number" ? dim : 16));
  const [first, ...spatial] = sizes;
  if (first === undefined) return { width: 4, height: room * 0.2 };
  if (spatial.length === 0) return { width: 3, height: room * Math.min(1, 0.14 + Math.log2(first + 1) * 0.07) };
  const side = Math.sqrt(spatial.reduce((product, dim) => product * dim, 1) ** (2 / spatial.length));
  return { width: 2 + Math.log2(first + 1) * 1.8, height: room * Math.min(1, 0.16 + Math.log2(side + 1) * 0.155) };
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
