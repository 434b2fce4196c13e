import { sayRecord } from "../language/records.ts";
import { convnextWeights } from "./convnext.ts";
import { dinov2Weights } from "./dinov2.ts";
import { efficientnetWeights } from "./efficientnet.ts";
import { mobilenetV2Small, mobilenetV2Wide } from "./mobilenetV2.ts";
import { mobilenetV3Weights } from "./mobilenetV3.ts";
import type { Packaged, Pretrained } from "./pretrained.ts";
import { resnet18Weights, resnet50Weights } from "./resnet.ts";
import { sentenceEncoder } from "./sentenceEncoder.ts";
import { vitWeights } from "./vit.ts";

export type { Pretrained } from "./pretrained.ts";

/** Networks to fine-tune, the quickest first. */
export const pretrained: readonly Pretrained[] = [
  mobilenetV2Small,
  mobilenetV3Weights,
  efficientnetWeights,
  mobilenetV2Wide,
  resnet18Weights,
  resnet50Weights,
  convnextWeights,
  dinov2Weights,
  vitWeights,
  sentenceEncoder,
].map(sayRecord);

/** Those whose weights are installed with the product. */
export const packaged = pretrained.filter((network): network is Packaged => network.weights.kind === "package");

export function findPretrained(id: string): Pretrained | undefined {
  return pretrained.find((network) => network.id === id);
}
