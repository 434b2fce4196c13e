import { bindLoss, type Loss, type LossRecord, type ParamValues } from "../records.ts";
import { bceLoss } from "./bceLoss.ts";
import { bceWithLogitsLoss } from "./bceWithLogitsLoss.ts";
import { cosineEmbeddingLoss } from "./cosineEmbeddingLoss.ts";
import { crossEntropyLoss } from "./crossEntropyLoss.ts";
import { diceLoss } from "./diceLoss.ts";
import { focalLoss } from "./focalLoss.ts";
import { gaussianKlLoss } from "./gaussianKlLoss.ts";
import { gaussianNllLoss } from "./gaussianNllLoss.ts";
import { hingeEmbeddingLoss } from "./hingeEmbeddingLoss.ts";
import { huberLoss } from "./huberLoss.ts";
import { klDivLoss } from "./klDivLoss.ts";
import { l1Loss } from "./l1Loss.ts";
import { marginRankingLoss } from "./marginRankingLoss.ts";
import { mseLoss } from "./mseLoss.ts";
import { multiLabelSoftMarginLoss } from "./multiLabelSoftMarginLoss.ts";
import { multiMarginLoss } from "./multiMarginLoss.ts";
import { nllLoss } from "./nllLoss.ts";
import { poissonNllLoss } from "./poissonNllLoss.ts";
import { smoothL1Loss } from "./smoothL1Loss.ts";
import { softMarginLoss } from "./softMarginLoss.ts";
import { tripletMarginLoss } from "./tripletMarginLoss.ts";
import { value } from "./value.ts";

const all = [
  crossEntropyLoss,
  bceWithLogitsLoss,
  mseLoss,
  l1Loss,
  huberLoss,
  smoothL1Loss,
  focalLoss,
  diceLoss,
  nllLoss,
  bceLoss,
  multiMarginLoss,
  multiLabelSoftMarginLoss,
  softMarginLoss,
  hingeEmbeddingLoss,
  poissonNllLoss,
  gaussianNllLoss,
  klDivLoss,
  gaussianKlLoss,
  cosineEmbeddingLoss,
  marginRankingLoss,
  tripletMarginLoss,
  value,
] as const;

export type LossName = (typeof all)[number]["name"];

/** The losses, in the order offered. */
export const losses = all as readonly unknown[] as readonly Loss<LossName>[];

/** The losses that can learn from such targets; shares are values from 0 to 1. */
export function lossesFor(targets: "classes" | "values" | "shares"): Loss<LossName>[] {
  return losses.filter(({ learns, takesShares }) => learns === "any" || (targets === "shares" ? learns === "values" || takesShares : learns === targets));
}

/** The record of a loss, whose parameters are still open. */
export function lossNamed(name: LossName): Loss<LossName> {
  const found = losses.find((loss) => loss.name === name);
  if (!found) throw new Error(`There is no loss record for ${name}.`);
  return found;
}

/** A loss with its parameters; those not given take PyTorch's defaults. */
export function findLoss(name: LossName, params: ParamValues = {}): LossRecord {
  return bindLoss(lossNamed(name), params);
}
