import { defineTransposedConvolution } from "./transposed_convolution.ts";

export const convTranspose2d = defineTransposedConvolution(2);
