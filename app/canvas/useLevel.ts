"use client";

import { create } from "zustand";

/** How much a panel shows: the few settings that matter, or all. */
export type Level = "simple" | "expert";
export type Panel = "train" | "node";

const keyOf = (panel: Panel) => `tensorloom:level:${panel}`;

function read(panel: Panel): Level {
  try {
    return localStorage.getItem(keyOf(panel)) === "expert" ? "expert" : "simple";
  } catch {
    return "simple";
  }
}

const useLevels = create<Record<Panel, Level>>(() => ({ train: read("train"), node: read("node") }));

/** A panel's level, as this person chose it last, and how to choose. */
export function useLevel(panel: Panel): [Level, (level: Level) => void] {
  const level = useLevels((s) => s[panel]);
  return [
    level,
    (next) => {
      useLevels.setState({ [panel]: next });
      try {
        localStorage.setItem(keyOf(panel), next);
      } catch {
        // A browser that keeps nothing begins simple again.
      }
    },
  ];
}
