import { defineBatchNorm } from "./batch_norm.ts";

export const batchNorm2d = defineBatchNorm(2);
