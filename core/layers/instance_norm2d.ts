import { defineInstanceNorm } from "./instance_norm.ts";

export const instanceNorm2d = defineInstanceNorm(2);
