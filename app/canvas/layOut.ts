import type { Body, Node } from "../../core/graph/document.ts";
import { type Drawn, type DrawnNode, tidyLayout } from "../../core/graph/layout.ts";

type Places = Map<string, { x: number; y: number }>;
/** What the worker is given: a drawing with the sizes of its nodes. */
export type Laid = Drawn<DrawnNode & { width: number; height: number }> & { order: number };

/** A smaller drawing is laid out sooner than a worker answers. */
const SMALL = 150;

let worker: Worker | null = null;
let orders = 0;

/** Tidy places for the corners of a body's nodes, by id. Large bodies are laid out beside the page, so the answer comes a moment later. */
export async function layOut(body: Body, sizeOf: (node: Node) => { width: number; height: number }): Promise<Places> {
  const nodes = body.nodes.map((node) => ({ id: node.id, at: node.at, pinned: node.pinned, ...sizeOf(node) }));
  const order = ++orders;
  const drawn: Laid = { order, nodes, edges: body.edges.map(({ from, to }) => ({ from, to })) };
  if (nodes.length <= SMALL || typeof Worker === "undefined") return tidyLayout(drawn, (node) => node);
  worker ??= new Worker(new URL("./layoutWorker.ts", import.meta.url), { type: "module" });
  const asked = worker;
  return new Promise((resolve) => {
    const done = (places: Places) => {
      asked.removeEventListener("message", onMessage);
      asked.removeEventListener("error", onError);
      resolve(places);
    };
    const onMessage = ({ data }: MessageEvent<{ order: number; places: Places }>) => data.order === order && done(data.places);
    // Where a worker may not start, the page does it itself.
    const onError = () => {
      worker = null;
      done(tidyLayout(drawn, (node) => node));
    };
    asked.addEventListener("message", onMessage);
    asked.addEventListener("error", onError);
    asked.postMessage(drawn);
  });
}
