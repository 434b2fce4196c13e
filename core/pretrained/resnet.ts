import { resnetFeatures } from "../architectures/resnet.ts";
import type { Tensor } from "../export/tensor.ts";
import type { PretrainedPictures } from "./pretrained.ts";
import { renamed, TIMM, timmFile } from "./timm.ts";

const shared = {
  ...TIMM,
  gives: "maps",
  stages: ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"],
  upperStages: 1,
} as const;

/** timm's `resnet18.a1_in1k`. Its head is not used. */
export const resnet18Weights: PretrainedPictures = {
  ...shared,
  id: "resnet18",
  title: "ResNet-18",
  doc: "The usual first choice where there is room for it: simple, hard to break, and trained on ImageNet alone.",
  weights: {
    ...timmFile("resnet18.a1_in1k", "491b427b45c94c7fb0e78b5474cc919aff584bbf"),
    sizeBytes: 46_807_446,
    sha256: "80c49dee3da4822c009c5a7fe591e9223c5a2cfcf95a4067ca4dfb5a7b89c612",
    convert: withoutHead,
  },
  origin: "ResNet-18 trained on ImageNet by the authors of timm with their recipe A1.",
  source: "https://huggingface.co/timm/resnet18.a1_in1k",
  accuracy: { text: "73.2 % of ImageNet, at 288 × 288", source: "https://huggingface.co/timm/resnet18.a1_in1k" },
  parameters: 11_176_512,
  features: 512,
  backbone: { id: "features", part: () => resnetFeatures("resnet18") },
};

/** timm's `resnet50.a1_in1k`. Its head is not used. */
export const resnet50Weights: PretrainedPictures = {
  ...shared,
  id: "resnet50",
  title: "ResNet-50",
  doc: "The yardstick of image classification: tells fine differences apart, and takes its time without a GPU.",
  weights: {
    ...timmFile("resnet50.a1_in1k", "767268603ca0cb0bfe326fa87277f19c419566ef"),
    sizeBytes: 102_469_840,
    sha256: "773525d5821de224f8f30c33377b7a795d7863e08522698200d3217d3f2a41bb",
    convert: withoutHead,
  },
  origin: "ResNet-50 trained on ImageNet by the authors of timm with their recipe A1.",
  source: "https://huggingface.co/timm/resnet50.a1_in1k",
  accuracy: { text: "80.4 % of ImageNet", source: "https://arxiv.org/abs/2110.00476" },
  parameters: 23_508_032,
  features: 2048,
  backbone: { id: "features", part: () => resnetFeatures("resnet50") },
};

/** timm calls them as torchvision does; ours stand in a block. */
function withoutHead(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return renamed(tensors, (name) => (name.startsWith("fc.") ? null : `features.${name}`));
}
