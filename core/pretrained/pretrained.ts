import type { Part } from "../architectures/draw.ts";
import type { Tensor, Weights } from "../export/tensor.ts";

/** A network whose weights were learned elsewhere, to be fine-tuned on data of one's own. */
export type Pretrained = {
  id: string;
  title: string;
  /** One or two sentences: what it is, and when to take it. */
  doc: string;
  takes: "pictures";
  weights: PackagedWeights;
  /** What its weights were made from, and by whom. */
  origin: string;
  /** Of the weights; and where that is said. */
  licence: string;
  source: string;
  /** As published, and where; null where nobody published one. */
  accuracy: { text: string; source: string } | null;
  parameters: number;
  /** Width and height that it was trained with, and the smallest that its weights are still worth much at. */
  size: { trained: number; smallest: number };
  /** Pictures as 0 to 1 become (x − mean) / std. */
  normalize: { mean: number; std: number };
  /** How many numbers it says of each picture. */
  features: number;
  /** Multiply-adds of one picture of the size that it was trained with. */
  multiplyAdds: number;
  /** [N, 3, H, W] → [N, features, …]: the part that was trained before, under the name its weights begin with. */
  backbone: { id: string; part: () => Part };
  /** The parts of the backbone in order, by their ids inside it; the last learn first where it thaws. */
  stages: readonly string[];
};

/** Weights inside an npm package that is installed with the product. */
export type PackagedWeights = {
  kind: "package";
  /** Under `dist/models` of nsfwjs. */
  folder: string;
  sizeBytes: number;
  /** The package's tensors under the names and in the layouts of the graph. */
  convert: (tensors: ReadonlyMap<string, Tensor>) => Weights;
};
