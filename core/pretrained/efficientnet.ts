import { partOf } from "../architectures/cut.ts";
import { efficientnetB0 } from "../architectures/efficientnet.ts";
import type { Tensor } from "../export/tensor.ts";
import type { PretrainedPictures } from "./pretrained.ts";
import { blockNames, renamed, TIMM, timmFile } from "./timm.ts";

/** timm's `efficientnet_b0.ra_in1k`, up to its pooling. */
export const efficientnetWeights: PretrainedPictures = {
  ...TIMM,
  id: "efficientnet_b0",
  title: "EfficientNet-B0",
  doc: "As good as networks of five times its size; slower to train than its size suggests.",
  weights: {
    ...timmFile("efficientnet_b0.ra_in1k", "1b5383e5f79cc0f7fc067e372f8f26a5fa73f26a"),
    sizeBytes: 21_355_344,
    sha256: "d569899762ea9b1384ee07f4af64805cf8caa1c55f9253ebb1080dc40e87a2cd",
    convert: namesOfTorchvision,
  },
  origin: "EfficientNet-B0 trained on ImageNet by the authors of timm with RandAugment.",
  source: "https://huggingface.co/timm/efficientnet_b0.ra_in1k",
  accuracy: null,
  parameters: 4_007_548,
  gives: "maps",
  features: 1280,
  backbone: { id: "features", part: () => partOf(efficientnetB0.build(), "features") },
  stages: Array.from({ length: 9 }, (_, i) => String(i)),
  upperStages: 2,
};

function namesOfTorchvision(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const inBlock = blockNames(tensors.keys());
  return renamed(tensors, (name) => {
    const ends = /^(conv_stem|bn1|conv_head|bn2)\.(\w+)$/.exec(name);
    if (ends) return `features.${ends[1] === "conv_head" || ends[1] === "bn2" ? 8 : 0}.${ends[1]?.startsWith("bn") ? 1 : 0}.${ends[2]}`;
    const [, block = "", stage, at, rest = ""] = /^(blocks\.(\d+)\.(\d+))\.(.+)$/.exec(name) ?? [];
    const own = block === "" ? null : inBlock(block, rest);
    return own === null ? null : `features.${1 + Number(stage)}.${at}.${own}`;
  });
}
