import { defineBatchNorm } from "./batch_norm.ts";

export const batchNorm3d = defineBatchNorm(3);
