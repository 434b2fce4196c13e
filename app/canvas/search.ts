import type { Layer } from "../../core/layers/kit.ts";

/**
 * Layers that fit what was typed, best first: the title's beginning, then a word's beginning, then anywhere in the title, then
 * keywords, type and description. Case and punctuation say nothing; every word typed must be found.
 */
export function searchLayers(layers: readonly Layer[], query: string): Layer[] {
  const words = plain(query).split(" ").filter(Boolean);
  if (words.length === 0) return [...layers];
  return layers
    .map((layer, index) => ({ layer, index, rank: Math.max(...words.map((word) => rankOf(layer, word))) }))
    .filter(({ rank }) => rank < Infinity)
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ layer }) => layer);
}

function rankOf(layer: Layer, word: string): number {
  const title = layer.title.toLowerCase();
  if (title === word) return 0;
  if (title.startsWith(word)) return 1;
  if (
    plain(layer.type)
      .split(" ")
      .some((part) => part.startsWith(word))
  )
    return 2;
  if (title.includes(word)) return 3;
  if (layer.keywords?.some((keyword) => plain(keyword).startsWith(word))) return 4;
  if (layer.category.startsWith(word)) return 5;
  if (word.length >= 3 && plain(layer.doc).includes(word)) return 6;
  return Infinity;
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim();
