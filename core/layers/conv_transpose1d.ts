import { defineTransposedConvolution } from "./transposed_convolution.ts";

export const convTranspose1d = defineTransposedConvolution(1);
