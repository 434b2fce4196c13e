import { expect, it } from "vitest";
import { drawSilhouette } from "../../../app/canvas/silhouette.ts";
import type { Body } from "../../../core/graph/document.ts";

const node = (id: string) => ({ id, type: "relu", params: {}, at: { x: 0, y: 0 } });
const wire = (from: string, to: string) => ({ id: `${from}-${to}`, from: { node: from, port: "y" }, to: { node: to, port: "x" } });
const size = { width: 320, height: 96 };

it("draws data flowing to the right, inside its frame, and a skip as an arc", () => {
  const body: Body = { nodes: ["c", "a", "b"].map(node), edges: [wire("a", "b"), wire("b", "c"), wire("a", "c")] };
  const drawing = drawSilhouette(body, () => ["B", 16, 14, 14], size);
  const x = Object.fromEntries(drawing.slabs.map((slab) => [slab.id, slab.x]));
  expect(x.a).toBeLessThan(x.b ?? 0);
  expect(x.b).toBeLessThan(x.c ?? 0);
  expect(drawing.wires.find((w) => w.id === "a-c")?.skip).toBe(true);
  expect(drawing.wires.find((w) => w.id === "a-b")?.skip).toBe(false);
});

it("keeps a hundred layers within the frame", () => {
  const ids = Array.from({ length: 100 }, (_, i) => `n${i}`);
  const body: Body = { nodes: ids.map(node), edges: ids.slice(1).map((id, i) => wire(`n${i}`, id)) };
  const { slabs } = drawSilhouette(body, () => ["B", 512, 28, 28], size);
  expect(Math.min(...slabs.map((s) => s.x))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...slabs.map((s) => s.x + s.width))).toBeLessThanOrEqual(321);
  expect(Math.max(...slabs.map((s) => s.height))).toBeLessThanOrEqual(96);
});

it("survives a cycle, which a half-drawn graph may have", () => {
  const body: Body = { nodes: ["a", "b"].map(node), edges: [wire("a", "b"), wire("b", "a")] };
  expect(drawSilhouette(body, () => null, size).slabs).toHaveLength(2);
});
