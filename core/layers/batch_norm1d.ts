import { defineBatchNorm } from "./batch_norm.ts";

export const batchNorm1d = defineBatchNorm(1);
