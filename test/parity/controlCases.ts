import type { LazyCase } from "./cases.ts";

export function controlCases(): LazyCase[] {
  return [];
}
