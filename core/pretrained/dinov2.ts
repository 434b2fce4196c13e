import { cutHead, unrolled } from "../architectures/cut.ts";
import { dinov2Small } from "../architectures/dinov2.ts";
import type { PretrainedPictures } from "./pretrained.ts";
import { renamed, TIMM } from "./timm.ts";

const LAYERS = 12;

/** Meta's `dinov2-small`. It has no head; what it says of a picture is its first token, and the mean of all patches. */
export const dinov2Weights: PretrainedPictures = {
  ...TIMM,
  id: "dinov2_small",
  title: "DINOv2-S",
  doc: "Learned from 142 million pictures without labels, so it tells things apart that nobody named. Often a last layer is all that must learn.",
  weights: {
    kind: "hub",
    url: "https://huggingface.co/facebook/dinov2-small/resolve/ed25f3a31f01632728cabb09d1542f84ab7b0056/model.safetensors",
    sizeBytes: 88_249_960,
    sha256: "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
    convert: (tensors) => renamed(tensors, (name) => (name === "embeddings.mask_token" ? null : `features.dinov2.${name}`)),
  },
  origin: "DINOv2-S by Meta, taught by a larger network that learned from 142 million pictures without labels.",
  source: "https://huggingface.co/facebook/dinov2-small",
  accuracy: { text: "81.1 % of ImageNet with a last layer alone", source: "https://github.com/facebookresearch/dinov2#pretrained-models" },
  parameters: 22_056_192,
  // 16 × 16 patches of 14 pixels.
  size: { trained: 224, smallest: 224 },
  gives: "numbers",
  features: 768,
  backbone: { id: "features", part: () => unrolled(cutHead(dinov2Small.build(), "classifier", "Dinov2Features")) },
  stages: ["dinov2/embeddings", ...Array.from({ length: LAYERS }, (_, i) => `dinov2/encoder/layer/${i}`), "dinov2/layernorm"],
  upperStages: 3,
};
