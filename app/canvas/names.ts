import { definitionOf } from "../../core/graph/definitions.ts";
import type { Definitions, Node } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";

const FURNITURE_TITLES: { readonly [type: string]: string } = { note: say("Note"), frame: say("Frame") };

/** What a node is called: by the person, else by its definition, else by its layer. */
export function titleOf(node: Node, definitions: Definitions | undefined): string {
  return node.name?.trim() || plainTitle(node, definitions);
}

/** The same without a name of its own. */
export function plainTitle(node: Node, definitions: Definitions | undefined): string {
  const definition = definitionOf(node, definitions);
  return (definition === undefined ? undefined : definitions?.[definition]?.name) ?? findLayer(node.type)?.title ?? FURNITURE_TITLES[node.type] ?? node.type;
}
