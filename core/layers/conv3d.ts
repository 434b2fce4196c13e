import { defineConvolution } from "./convolution.ts";

export const conv3d = defineConvolution(3);
