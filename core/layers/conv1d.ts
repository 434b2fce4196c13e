import { defineConvolution } from "./convolution.ts";

export const conv1d = defineConvolution(1);
