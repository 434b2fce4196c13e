import { layer, type Part, sequential } from "./draw.ts";

/** Parts that several networks of torchvision share. */

/** What `norm` is made with, where not with PyTorch's defaults. */
export type NormOptions = { eps?: number; momentum?: number };
export type ActivationType = "relu" | "relu6" | "hardswish" | "silu";

export function batchNorm(options: NormOptions = {}): Part {
  return layer("batch_norm2d", options);
}

/** A convolution without bias that keeps the size, but for its stride. */
export function convolution(
  out_channels: number,
  kernel_size: number,
  { stride = 1, groups = 1, dilation = 1 }: { stride?: number; groups?: number; dilation?: number } = {},
): Part {
  return layer("conv2d", {
    out_channels,
    kernel_size,
    ...(stride === 1 ? {} : { stride }),
    ...(kernel_size === 1 ? {} : { padding: ((kernel_size - 1) / 2) * dilation }),
    ...(dilation === 1 ? {} : { dilation }),
    ...(groups === 1 ? {} : { groups }),
    bias: false,
  });
}

const ACTIVATION_TITLES: { [type in ActivationType]: string } = { relu: "ReLU", relu6: "ReLU6", hardswish: "Hardswish", silu: "SiLU" };

/** torchvision's Conv2dNormActivation; `activation` null leaves it plain. */
export function convNorm(
  out_channels: number,
  kernel_size: number,
  { activation, norm, ...rest }: { activation: ActivationType | null; stride?: number; groups?: number; dilation?: number; norm?: NormOptions },
): Part {
  return sequential(activation ? `Conv BN ${ACTIVATION_TITLES[activation]}` : "Conv BN", [
    convolution(out_channels, kernel_size, rest),
    batchNorm(norm),
    ...(activation ? [layer(activation)] : []),
  ]);
}
