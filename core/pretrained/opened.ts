import { sayRecord } from "../language/records.ts";
import type { HubWeights } from "./pretrained.ts";
import { renamed } from "./timm.ts";

/** A published network that opens on the canvas, with its weights to start from where a hub has them: what becomes of it there is up to whoever opens it. */
type Opened = {
  id: string;
  title: string;
  doc: string;
  /** Of `core/architectures`: the graph. */
  architecture: string;
  input: string;
  /** Null where no hub has them in a form that can be read here; then `bring` makes a file that can. */
  weights: HubWeights | null;
  bring?: string;
  licence: string;
  source: string;
  accuracy: { text: string; source: string } | null;
  parameters: number;
};

const hub = (file: string): Pick<HubWeights, "kind" | "url"> => ({ kind: "hub", url: `https://huggingface.co/${file}/model.safetensors` });

/** In the order in which they are shown. */
export const opened: readonly Opened[] = (
  [
    {
      id: "deeplabv3_mobilenet_v3_large",
      title: "DeepLabV3 with MobileNetV3",
      doc: "Names the class of each pixel, of 21. For data sets with masks: give it your classes, and train.",
      architecture: "deeplabv3_mobilenet_v3_large",
      input: "pictures of 224 × 224",
      weights: null,
      bring:
        "python -c \"from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large as m; from safetensors.torch import save_file; save_file(m(weights='DEFAULT').state_dict(), 'deeplab.safetensors')\"",
      licence: "BSD-3-Clause",
      source: "https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.segmentation.deeplabv3_mobilenet_v3_large.html",
      accuracy: {
        text: "mean IoU 60.3 on part of COCO",
        source: "https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.segmentation.deeplabv3_mobilenet_v3_large.html",
      },
      parameters: 11_029_328,
    },
    {
      id: "minilm_l6",
      title: "MiniLM-L6",
      doc: "A small encoder of English sentences. It reads token numbers of BERT's vocabulary, with a mask.",
      architecture: "minilm_l6",
      input: "tokens of BERT's vocabulary, up to 512",
      weights: {
        ...hub("sentence-transformers/all-MiniLM-L6-v2/resolve/1110a243fdf4706b3f48f1d95db1a4f5529b4d41"),
        sizeBytes: 90_868_376,
        sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        convert: (tensors) => renamed(tensors, (name) => (name === "embeddings.position_ids" ? null : name)),
      },
      licence: "Apache-2.0",
      source: "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
      accuracy: null,
      parameters: 22_713_216,
    },
    {
      id: "distilbert_base",
      title: "DistilBERT base",
      doc: "BERT with half its layers, taught by BERT. It reads token numbers of BERT's vocabulary, with a mask.",
      architecture: "distilbert_base",
      input: "tokens of BERT's vocabulary, up to 512",
      weights: {
        ...hub("distilbert/distilbert-base-uncased/resolve/12040accade4e8a0f71eabdb258fecc2e7e948be"),
        sizeBytes: 267_954_768,
        sha256: "5e3f1108e3cb34ee048634875d8482665b65ac713291a7e32396fb18f6ff0063",
        // What guesses masked words is left out.
        convert: (tensors) => renamed(tensors, (name) => (name.startsWith("distilbert.") ? name.slice("distilbert.".length) : null)),
      },
      licence: "Apache-2.0",
      source: "https://huggingface.co/distilbert/distilbert-base-uncased",
      accuracy: null,
      parameters: 66_362_880,
    },
    {
      id: "gpt2",
      title: "GPT-2 small",
      doc: "Goes on with English texts. It reads and scores token numbers of its own 50,257.",
      architecture: "gpt2",
      input: "tokens of its own vocabulary, up to 1,024",
      weights: {
        ...hub("openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e"),
        sizeBytes: 548_105_171,
        sha256: "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
        // The masks among its tensors are no weights.
        convert: (tensors) => renamed(tensors, (name) => (/^h\.\d+\.attn\.bias$/.test(name) ? null : name)),
      },
      licence: "MIT",
      source: "https://huggingface.co/openai-community/gpt2",
      accuracy: null,
      parameters: 124_439_808,
    },
  ] satisfies Opened[]
).map(sayRecord);

export function findOpened(id: string): Opened | undefined {
  return opened.find((network) => network.id === id);
}
