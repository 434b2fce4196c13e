import { sayRecord } from "../language/records.ts";
import type { Architecture } from "./architecture.ts";
import { bertBase, minilm } from "./bert.ts";
import { convnextTiny } from "./convnext.ts";
import { deeplabMobilenet } from "./deeplab.ts";
import { densenet121 } from "./densenet.ts";
import { dinov2Small } from "./dinov2.ts";
import { distilbertBase } from "./distilbert.ts";
import { efficientnetB0 } from "./efficientnet.ts";
import { gpt2 } from "./gpt2.ts";
import { mobilenetV2 } from "./mobilenetV2.ts";
import { mobilenetV3Large, mobilenetV3Small } from "./mobilenetV3.ts";
import { resnet18, resnet50 } from "./resnet.ts";
import { unet } from "./unet.ts";
import { vgg11 } from "./vgg.ts";
import { vitB16 } from "./vit.ts";

export type { Architecture, Choices } from "./architecture.ts";

/** Published networks to start from. */
export const architectures: readonly Architecture[] = [
  resnet18,
  resnet50,
  mobilenetV2,
  mobilenetV3Large,
  mobilenetV3Small,
  efficientnetB0,
  densenet121,
  vgg11,
  convnextTiny,
  vitB16,
  dinov2Small,
  unet,
  deeplabMobilenet,
  gpt2,
  bertBase,
  distilbertBase,
  minilm,
].map(sayRecord);

export function findArchitecture(id: string): Architecture | undefined {
  return architectures.find((architecture) => architecture.id === id);
}
