import { sayRecord } from "../language/records.ts";
import { adaptiveComputation } from "./adaptiveComputation.ts";
import { adversarialAutoencoder } from "./adversarialAutoencoder.ts";
import { birthsGru, birthsLinear } from "./births.ts";
import { charLstm } from "./charLstm.ts";
import { convAutoencoder } from "./convAutoencoder.ts";
import { earlyExitCnn } from "./earlyExitCnn.ts";
import { fastDigits } from "./fastDigits.ts";
import { fuelMlp } from "./fuelMlp.ts";
import { gateLstm } from "./gateLstm.ts";
import { charGpt, partsGpt } from "./gpt.ts";
import { lenet5 } from "./lenet5.ts";
import { logisticRegression } from "./logisticRegression.ts";
import { mailBag } from "./mailBag.ts";
import { mlp } from "./mlp.ts";
import { nameLstm } from "./nameLstm.ts";
import { playgroundMoons, playgroundSpiral } from "./playground.ts";
import { resnetSmall } from "./resnetSmall.ts";
import { routedExperts } from "./routedExperts.ts";
import { tabularEmbedding } from "./tabularEmbedding.ts";
import { tabularMlp } from "./tabularMlp.ts";
import type { Template } from "./template.ts";
import { textCnn } from "./textCnn.ts";
import { unetSmall } from "./unetSmall.ts";
import { vae } from "./vae.ts";

export type { Template } from "./template.ts";

/** What can be started from, simplest first. */
export const templates: readonly Template[] = [
  playgroundMoons,
  playgroundSpiral,
  logisticRegression,
  mlp,
  lenet5,
  fastDigits,
  resnetSmall,
  tabularMlp,
  tabularEmbedding,
  fuelMlp,
  mailBag,
  textCnn,
  nameLstm,
  charLstm,
  charGpt,
  partsGpt,
  birthsLinear,
  birthsGru,
  gateLstm,
  earlyExitCnn,
  adaptiveComputation,
  routedExperts,
  unetSmall,
  convAutoencoder,
  vae,
  adversarialAutoencoder,
].map(sayRecord);

/** One of each kind, for whoever begins. */
export const firstSteps: readonly Template[] = [playgroundMoons, mlp, lenet5, tabularMlp, mailBag, charGpt, birthsLinear, unetSmall].map(sayRecord);

export function findTemplate(id: string): Template | undefined {
  return templates.find((template) => template.id === id);
}
