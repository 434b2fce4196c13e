import { mobilenetV3Features } from "../architectures/mobilenetV3.ts";
import type { Tensor } from "../export/tensor.ts";
import type { PretrainedPictures } from "./pretrained.ts";
import { blockNames, renamed, TIMM, timmFile } from "./timm.ts";

/** timm's `mobilenetv3_large_100.ra_in1k`, up to its pooling. */
export const mobilenetV3Weights: PretrainedPictures = {
  ...TIMM,
  id: "mobilenet_v3",
  title: "MobileNetV3-Large",
  doc: "MobileNetV2's blocks, found anew by search: about as quick, and a little better at telling things apart.",
  weights: {
    ...timmFile("mobilenetv3_large_100.ra_in1k", "96f46a1c52932f27492dff66c72378eb99b443a7"),
    sizeBytes: 22_058_321,
    sha256: "f425af34cc1cead2b5d6211f789a1f30b94835dc32f9c0fcc5a916e4fd2dde85",
    convert: namesOfTorchvision,
  },
  origin: "MobileNetV3-Large trained on ImageNet by the authors of timm with RandAugment.",
  source: "https://huggingface.co/timm/mobilenetv3_large_100.ra_in1k",
  accuracy: null,
  parameters: 2_971_952,
  gives: "maps",
  features: 960,
  // torchvision's batch norms add 0.001 to the variance, timm's 0.00001, which these weights were trained with.
  backbone: { id: "features", part: () => mobilenetV3Features({ eps: 1e-5 }) },
  stages: Array.from({ length: 17 }, (_, i) => String(i)),
  upperStages: 4,
};

/** How many blocks each of timm's stages has; torchvision counts them through. */
const BLOCKS = [1, 2, 3, 4, 2, 3];

function namesOfTorchvision(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const inBlock = blockNames(tensors.keys());
  return renamed(tensors, (name) => {
    const stem = /^(conv_stem|bn1|blocks\.6\.0\.conv|blocks\.6\.0\.bn1)\.(\w+)$/.exec(name);
    if (stem) return `features.${stem[1]?.startsWith("blocks") ? 16 : 0}.${stem[1]?.includes("bn1") ? 1 : 0}.${stem[2]}`;
    const [, block = "", stage, at, rest = ""] = /^(blocks\.(\d+)\.(\d+))\.(.+)$/.exec(name) ?? [];
    const own = block === "" ? null : inBlock(block, rest);
    const before = BLOCKS.slice(0, Number(stage)).reduce((sum, count) => sum + count, 0);
    return own === null ? null : `features.${1 + before + Number(at)}.${own}`;
  });
}
