"use client";

import { create } from "zustand";
import type { NodePath } from "../../../core/graph/path.ts";
import type { Picture } from "../../../core/preview/picture.ts";
import type { Answers } from "../../ui/trpc.ts";

type Answer = Answers["preview"]["evaluate"];

/** What a node gives, by port; of an Output what it takes. */
export type NodeValues = { port: string; small?: Picture | undefined; large?: Picture | undefined }[];

type PreviewState = {
  on: boolean;
  split: "train" | "validation";
  row: number;
  training: boolean;
  /** Another number draws other augmentations. */
  draw: number;
  /** Nodes whose preview somebody has put away. */
  hidden: ReadonlySet<NodePath>;
  values: ReadonlyMap<NodePath, NodeValues>;
  failures: ReadonlyMap<NodePath, string>;
  /** Where the weights are from; null before the first answer. */
  weights: (Answer["weights"] & { from: Answer["from"] }) | null;
  busy: boolean;
  /** Why nothing new is shown. */
  problem: string | null;
};

const nothing = { values: new Map(), failures: new Map(), weights: null, problem: null };

/** The row that flows through the canvas, and what it looks like at each node. */
export const usePreview = create<PreviewState>(() => ({ on: false, split: "train", row: 0, training: true, draw: 1, hidden: new Set(), busy: false, ...nothing }));

export function togglePreview(): void {
  usePreview.setState(({ on }) => ({ on: !on, ...nothing }));
}

export function hidePreview(path: NodePath, hide: boolean): void {
  usePreview.setState(({ hidden }) => {
    const next = new Set(hidden);
    if (hide) next.add(path);
    else next.delete(path);
    return { hidden: next };
  });
}

export function takeAnswer({ values, failures, weights, from }: Answer): void {
  const byPath = new Map<NodePath, NodeValues>();
  for (const { path, port, small, large } of values) {
    const known = byPath.get(path);
    if (known) known.push({ port, small, large });
    else byPath.set(path, [{ port, small, large }]);
  }
  usePreview.setState({ values: byPath, failures: new Map(failures.map(({ node, message }) => [node, message])), weights: { ...weights, from }, problem: null });
}
