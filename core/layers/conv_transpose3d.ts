import { defineTransposedConvolution } from "./transposed_convolution.ts";

export const convTranspose3d = defineTransposedConvolution(3);
