import { defineInstanceNorm } from "./instance_norm.ts";

export const instanceNorm3d = defineInstanceNorm(3);
