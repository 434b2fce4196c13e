import { say } from "../language/say.ts";
import { Graph, SCHEMA_VERSION } from "./document.ts";
import { LIMITS } from "./limits.ts";

/** A saved document, or why it cannot be read. Codes: GRAPH_TOO_LARGE, GRAPH_NOT_JSON, GRAPH_VERSION, GRAPH_MALFORMED. */
export type Parsed = { graph: Graph } | { code: string; message: string };

/**
 * Lifts a document by one version: `steps[1]` makes version 2 of version 1. A step renames and moves; node types and
 * parameters that it does not know it leaves as they are.
 */
const steps: { [fromVersion: number]: (document: { [key: string]: unknown }) => { [key: string]: unknown } } = {};

/** Reads a graph from text that anybody may have written. */
export function parseGraph(text: string): Parsed {
  // UTF-8 is never shorter than UTF-16 code units, so most large texts are refused without encoding them.
  if (text.length > LIMITS.jsonBytes || new TextEncoder().encode(text).length > LIMITS.jsonBytes) {
    return { code: "GRAPH_TOO_LARGE", message: say("This graph is larger than {jsonBytes} MiB. Split it into several models.", { jsonBytes: LIMITS.jsonBytes / 1024 / 1024 }) };
  }
  if (nestingOf(text) > LIMITS.jsonDepth)
    return { code: "GRAPH_TOO_LARGE", message: say("This graph is nested deeper than {jsonDepth} brackets. Take some blocks out of others.", { jsonDepth: LIMITS.jsonDepth }) };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return { code: "GRAPH_NOT_JSON", message: say("This is not a graph: {message}", { message: cause instanceof Error ? cause.message : say("it is not JSON") }) };
  }
  return readGraph(value);
}

/** Reads a graph from a value such as a database column; older documents are lifted to the version of this build. */
export function readGraph(value: unknown): Parsed {
  const malformed = (where: string): Parsed => ({ code: "GRAPH_MALFORMED", message: say("This is not a graph: {where}.", { where }) });
  if (typeof value !== "object" || value === null || Array.isArray(value)) return malformed("it is not an object");
  if (isDeeperThan(value, LIMITS.jsonDepth))
    return { code: "GRAPH_TOO_LARGE", message: say("This graph is nested deeper than {jsonDepth} brackets. Take some blocks out of others.", { jsonDepth: LIMITS.jsonDepth }) };
  let document: { [key: string]: unknown } = { ...value };
  for (const [name, most, words] of [
    ["nodes", LIMITS.nodeCount, "nodes"],
    ["edges", LIMITS.edgeCount, "wires"],
  ] as const) {
    const listed = document[name];
    if (Array.isArray(listed) && listed.length > most)
      return { code: "GRAPH_TOO_LARGE", message: say("This graph has {count} {words}; the limit is {most}. Split it into several models.", { count: listed.length, words, most }) };
  }
  const { schemaVersion: version } = document;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) return malformed("it has no schemaVersion");
  if (version > SCHEMA_VERSION) {
    return {
      code: "GRAPH_VERSION",
      message: say("This graph was written by a newer version ({version}; this build reads up to {SCHEMA_VERSION}). Update, then open it again.", { version, SCHEMA_VERSION }),
    };
  }
  for (let from = version; from < SCHEMA_VERSION; from++) document = { ...steps[from]?.(document), schemaVersion: from + 1 };
  const read = Graph.safeParse(document);
  if (read.success) return { graph: read.data };
  const issue = read.error.issues[0];
  return malformed(issue ? `${issue.path.join(".") || "it"}: ${issue.message}` : "it has another form");
}

/** How deep brackets nest, read without building anything. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (isInString) {
      if (c === 0x5c)
        i++; // backslash: skips what it escapes
      else if (c === 0x22) isInString = false;
    } else if (c === 0x22) isInString = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}

function isDeeperThan(value: object, limit: number): boolean {
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((object) => Object.values(object).filter((child: unknown): child is object => typeof child === "object" && child !== null));
  }
  return false;
}
