import { cutHead } from "../architectures/cut.ts";
import { vitB16 } from "../architectures/vit.ts";
import type { Tensor } from "../export/tensor.ts";
import type { PretrainedPictures } from "./pretrained.ts";
import { renamed, TIMM, timmFile } from "./timm.ts";

const LAYERS = 12;

/** timm's `vit_base_patch16_224.augreg2_in21k_ft_in1k`. Its head is not used. */
export const vitWeights: PretrainedPictures = {
  ...TIMM,
  id: "vit_b_16",
  title: "ViT-B/16",
  doc: "Reads a picture as a sentence of 196 patches. Very good with published weights; wants a GPU, or patience.",
  weights: {
    ...timmFile("vit_base_patch16_224.augreg2_in21k_ft_in1k", "063c6c38a5d8510b2e57df480445e94b231dad2c"),
    sizeBytes: 346_284_714,
    sha256: "32aa17d6e17b43500f531d5f6dc9bc93e56ed8841b8a75682e1bb295d722405b",
    convert: namesOfTorchvision,
  },
  origin: "ViT-B/16 trained on ImageNet-21k by its paper's authors, and then on ImageNet by those of timm.",
  source: "https://huggingface.co/timm/vit_base_patch16_224.augreg2_in21k_ft_in1k",
  accuracy: null,
  parameters: 85_798_656,
  // Its table of places is for 14 × 14 patches.
  size: { trained: 224, smallest: 224 },
  normalize: { mean: 0.5, std: 0.5 },
  gives: "numbers",
  features: 768,
  backbone: { id: "features", part: () => cutHead(vitB16.build(), "heads", "ViTFeatures") },
  stages: ["conv_proj", "class_token", "encoder/pos_embedding", ...Array.from({ length: LAYERS }, (_, i) => `encoder/layers/encoder_layer_${i}`), "encoder/ln"],
  upperStages: 3,
};

const PLACES: { readonly [theirs: string]: string } = {
  norm1: "ln_1",
  "attn.qkv": "self_attention.in_proj",
  "attn.proj": "self_attention.out_proj",
  norm2: "ln_2",
  "mlp.fc1": "mlp.0",
  "mlp.fc2": "mlp.3",
};

function namesOfTorchvision(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return renamed(tensors, (name) => {
    if (name === "cls_token") return "features.class_token";
    if (name === "pos_embed") return "features.encoder.pos_embedding";
    const plain = /^(patch_embed\.proj|norm)\.(weight|bias)$/.exec(name);
    if (plain) return `features.${plain[1] === "norm" ? "encoder.ln" : "conv_proj"}.${plain[2]}`;
    const [, at, part = "", kind] = /^blocks\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
    const own = PLACES[part];
    if (own === undefined) return null;
    // What attention asks, offers and says is one tensor in both, without a dot before its kind in ours.
    return `features.encoder.layers.encoder_layer_${at}.${own}${part === "attn.qkv" ? "_" : "."}${kind}`;
  });
}
