import { block, Drawing, layer, type Part } from "./draw.ts";

/** torchvision's SqueezeExcitation: a weight for each channel, reckoned from the means of all. */
export function squeezeExcitation(channels: number, squeezed: number, { activation, gate }: { activation: "relu" | "silu"; gate: "sigmoid" | "hardsigmoid" }): Part {
  const d = new Drawing();
  const x = d.input();
  d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
  d.put("fc1", layer("conv2d", { out_channels: squeezed, kernel_size: 1 }));
  d.put("activation", layer(activation));
  d.put("fc2", layer("conv2d", { out_channels: channels, kernel_size: 1 }));
  const scale = d.put("scale_activation", layer(gate));
  d.put("scaled", layer("mul"), { a: scale, b: x });
  d.output();
  return block("SqueezeExcitation", d.body());
}
