import { z } from "zod";
import { Drawing } from "../architectures/draw.ts";
import { checkGraph } from "../graph/check.ts";
import type { Graph } from "../graph/document.ts";
import type { Pretrained } from "../pretrained/pretrained.ts";

/** What the preview process is told: which pretrained network to time. */
export type PaceOrder = { networkId: string };

/** What it answers: multiply-adds a second in passes forward, and the engine that made them. */
export const PaceAnswer = z.strictObject({ perSecond: z.number().positive(), engine: z.string() });
export type PaceAnswer = z.infer<typeof PaceAnswer>;

/** A pretrained network without anything in front or behind, a row for it, and the work of one row. */
export function backboneAlone(network: Pretrained): { graph: Graph; shape: number[]; multiplyAdds: number } {
  const d = new Drawing();
  const isText = network.takes === "texts";
  const shape = isText ? [network.reads.tokens] : [3, network.size.trained, network.size.trained];
  d.input("x", isText ? { shape: ["T"], dtype: "int64" } : { shape, standardize: false });
  d.put(network.backbone.id, network.backbone.part());
  d.output();
  const graph = d.graph();
  return { graph, shape, multiplyAdds: (isText ? network.reads.tokens : 1) * checkGraph(graph).totals.multiplyAdds };
}
