import { defineConvolution } from "./convolution.ts";

export const conv2d = defineConvolution(2);
