import { convnextTiny } from "../architectures/convnext.ts";
import { partOf } from "../architectures/cut.ts";
import type { Tensor } from "../export/tensor.ts";
import type { PretrainedPictures } from "./pretrained.ts";
import { renamed, TIMM, timmFile } from "./timm.ts";

/** timm's `convnext_tiny.fb_in1k`. Its head is not used. */
export const convnextWeights: PretrainedPictures = {
  ...TIMM,
  id: "convnext_tiny",
  title: "ConvNeXt-Tiny",
  doc: "A network of convolutions that is as accurate as a transformer, and takes pictures of any size. Wants a GPU, or patience.",
  weights: {
    ...timmFile("convnext_tiny.fb_in1k", "b43a6303c9fcf176d2d707478a128c2c91e93528"),
    sizeBytes: 114_374_272,
    sha256: "08b9dc9c3a3a29421de7996761e176501896d1ae7fc3085cf56a643772329276",
    convert: namesOfTransformers,
  },
  origin: "ConvNeXt-Tiny trained on ImageNet by the authors of its paper, as timm carries it.",
  source: "https://huggingface.co/timm/convnext_tiny.fb_in1k",
  accuracy: { text: "82.1 % of ImageNet", source: "https://huggingface.co/timm/convnext_tiny.fb_in1k" },
  parameters: 27_820_128,
  gives: "numbers",
  features: 768,
  backbone: { id: "features", part: () => partOf(convnextTiny.build(), "convnext") },
  stages: ["embeddings", ...Array.from({ length: 4 }, (_, i) => `encoder/stages/${i}`), "layernorm"],
  upperStages: 2,
};

const PLACES: { readonly [theirs: string]: string } = {
  "conv_dw.": "dwconv.",
  "norm.": "layernorm.",
  "mlp.fc1.": "pwconv1.",
  "mlp.fc2.": "pwconv2.",
};

function namesOfTransformers(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return renamed(tensors, (name) => {
    const stem = /^(?:stem\.([01])|head\.(norm))\.(weight|bias)$/.exec(name);
    if (stem) return stem[2] ? `features.layernorm.${stem[3]}` : `features.embeddings.${stem[1] === "0" ? "patch_embeddings" : "layernorm"}.${stem[3]}`;
    const halving = /^stages\.(\d)\.downsample\.([01])\.(weight|bias)$/.exec(name);
    if (halving) return `features.encoder.stages.${halving[1]}.downsampling_layer.${halving[2]}.${halving[3]}`;
    const [, stage, at, part = "", kind = ""] = /^stages\.(\d)\.blocks\.(\d+)\.(?:(.+\.))?(\w+)$/.exec(name) ?? [];
    const own = kind === "gamma" ? "layer_scale_parameter" : PLACES[part] && `${PLACES[part]}${kind}`;
    return own ? `features.encoder.stages.${stage}.layers.${at}.${own}` : null;
  });
}
