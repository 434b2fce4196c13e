import { mobilenetV2Small } from "./mobilenetV2.ts";
import type { Pretrained } from "./pretrained.ts";

export type { Pretrained } from "./pretrained.ts";

/** Networks to fine-tune, the one to take first in front. */
export const pretrained: readonly Pretrained[] = [mobilenetV2Small];

export function findPretrained(id: string): Pretrained | undefined {
  return pretrained.find((network) => network.id === id);
}
