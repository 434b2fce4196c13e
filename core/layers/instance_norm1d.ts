import { defineInstanceNorm } from "./instance_norm.ts";

export const instanceNorm1d = defineInstanceNorm(1);
