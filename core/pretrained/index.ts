import { mobilenetV2Small, mobilenetV2Wide } from "./mobilenetV2.ts";
import type { Pretrained } from "./pretrained.ts";

export type { Pretrained } from "./pretrained.ts";

/** Networks to fine-tune, the quickest first. */
export const pretrained: readonly Pretrained[] = [mobilenetV2Small, mobilenetV2Wide];

export function findPretrained(id: string): Pretrained | undefined {
  return pretrained.find((network) => network.id === id);
}
