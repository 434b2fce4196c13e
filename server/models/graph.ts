import type { Graph } from "../../core/graph/document.ts";
import { readGraph } from "../../core/graph/migrate.ts";
import { AppError } from "../errors.ts";

/** A graph as the database has it, lifted to this release's form. It was checked when it was saved. */
export function keptGraph(value: unknown): Graph {
  const read = readGraph(value);
  if (!("graph" in read)) throw new AppError("GRAPH_INVALID", read.message, { details: { code: read.code } });
  return read.graph;
}
