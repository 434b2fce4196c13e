import { Graph, SCHEMA_VERSION } from "../../core/graph/document.ts";
import type { Clip } from "../../core/graph/edit.ts";

/** Marks our text among everything else that may be on a clipboard. */
const MARK = "tensorloom nodes";
const KEY = "tensorloom.clip";

export function printClip(clip: Clip): string {
  return JSON.stringify({ kind: MARK, ...clip });
}

/** The nodes that a text holds, or null where it is something else. */
export function parseClip(text: string): Clip | null {
  if (!text.includes(MARK)) return null;
  try {
    const { nodes, edges, definitions, outside }: Partial<Clip> = JSON.parse(text);
    const read = Graph.safeParse({ schemaVersion: SCHEMA_VERSION, nodes, edges, definitions });
    if (!read.success || read.data.nodes.length === 0) return null;
    const { schemaVersion: _, ...clip } = read.data;
    const wires = Graph.shape.edges.safeParse(outside ?? []);
    return { ...clip, outside: wires.success ? wires.data : [] };
  } catch {
    return null;
  }
}

/** Whether a text holds nodes. */
export function isClip(text: string): boolean {
  return parseClip(text) !== null;
}

let kept: string | null = null;

/** Puts nodes on the system's clipboard, and where every tab of this browser finds them even if that is not allowed. */
export function writeClip(clip: Clip): void {
  kept = printClip(clip);
  try {
    localStorage.setItem(KEY, kept);
  } catch {
    // Kept in this tab then.
  }
  void navigator.clipboard?.writeText(kept).catch(() => {});
}

/** What was copied last in this browser. */
export function readClip(): Clip | null {
  try {
    return parseClip(localStorage.getItem(KEY) ?? kept ?? "");
  } catch {
    return parseClip(kept ?? "");
  }
}
