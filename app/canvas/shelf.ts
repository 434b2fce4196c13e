import { create } from "zustand";
import { instanceOf } from "../../core/graph/definitions.ts";
import { type Definitions, emptyGraph } from "../../core/graph/document.ts";
import { addNode } from "../../core/graph/edit.ts";
import { say } from "../../core/language/say.ts";
import { findLayer, layers } from "../../core/layers/index.ts";
import { type Category, type InputPorts, type Layer, portsOf } from "../../core/layers/kit.ts";
import { searchLayers } from "./search.ts";
import { useGraph } from "./useGraph.ts";

/** Something that can be added: a layer, or one of the person's own blocks. */
export type Item = { key: string; title: string; doc: string; category: Category; layer: Layer; definition?: string; version?: number };

const KEY = "tensorloom.palette";
const RECENT = 5;

type Shelf = { starred: readonly string[]; recent: readonly string[] /** Sections that show all they have. */; whole: readonly string[] };
const empty: Shelf = { starred: [], recent: [], whole: [] };

/** How a person keeps the palette: what they starred, what they added last, which sections they opened. Kept by the browser. */
export const useShelf = create<Shelf>(() => empty);

export function openShelf(): void {
  try {
    const kept: Partial<Record<keyof Shelf, unknown>> = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const texts = (value: unknown) => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);
    useShelf.setState({ starred: texts(kept.starred), recent: texts(kept.recent), whole: texts(kept.whole) });
  } catch {
    // Storage may be forbidden or hold something else: the palette then begins anew.
  }
}

function keep(change: Partial<Shelf>): void {
  useShelf.setState(change);
  try {
    localStorage.setItem(KEY, JSON.stringify(useShelf.getState()));
  } catch {
    // It then holds for this visit.
  }
}

const toggled = (list: readonly string[], one: string) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);

export function toggleStar(type: string): void {
  keep({ starred: toggled(useShelf.getState().starred, type) });
}

export function toggleWhole(section: string): void {
  keep({ whole: toggled(useShelf.getState().whole, section) });
}

export function rememberAdded(type: string): void {
  const { recent } = useShelf.getState();
  keep({ recent: [type, ...recent.filter((other) => other !== type)].slice(0, RECENT) });
}

const items = new Map<string, Item>(layers.map((layer) => [layer.type, { key: layer.type, title: layer.title, doc: layer.doc, category: layer.category, layer }]));

export function layerItem(type: string): Item | undefined {
  return items.get(type);
}

export const layerItems: readonly Item[] = [...items.values()];

/** The person's own blocks, by name. */
export function blockItems(definitions: Definitions | undefined): Item[] {
  const layer = findLayer("block");
  if (!layer || !definitions) return [];
  return Object.entries(definitions)
    .map(([definition, { name, doc = "", version }]) => ({
      key: `block ${definition}`,
      title: name,
      doc: doc || say("A block of this model."),
      category: layer.category,
      layer,
      definition,
      version,
    }))
    .sort((a, b) => a.title.localeCompare(b.title));
}

/** What fits a text: own blocks by their names first, then layers. */
export function searchItems(query: string, own: readonly Item[]): Item[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const blocks = words.length === 0 ? own : own.filter(({ title }) => words.every((word) => title.toLowerCase().includes(word)));
  return [...blocks, ...searchLayers(layers, query).flatMap(({ type }) => items.get(type) ?? [])];
}

/** The inputs that an item would have on the canvas. */
export function portsOfItem({ layer, definition }: Item): InputPorts {
  const made = definition === undefined ? { type: layer.type } : instanceOf(useGraph.getState().graph, definition);
  const [draft] = made ? addNode(emptyGraph, { ...made, at: { x: 0, y: 0 } }).nodes : [];
  return draft ? portsOf(layer, draft).inputs : {};
}
