import { type Architecture, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { Drawing, layer, sequential } from "./draw.ts";

/** Channels of the convolutions; 0 halves the size. */
const FEATURES = [64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0];

/** @see Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition, 2014 */
export const vgg11: Architecture = {
  id: "vgg11",
  title: "VGG-11",
  doc: "Eight 3×3 convolutions in a plain row and three wide Linear layers, which hold nine tenths of its weights. Easy to understand; large and slow for what it does.",
  task: "Image classification",
  source: "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/vgg.py",
  licence: "BSD-3-Clause",
  input: [3, 224, 224],
  parameters: 132_863_336,
  firstWeights: "As PyTorch's layers draw them by default; the original draws convolutions from Kaiming's normal distribution and Linear layers from one of deviation 0.01.",
  choices: IMAGE_CHOICES,
  build: ({ classes = 1000, channels = 3 } = {}) => {
    const d = new Drawing();
    d.input("x", imageInput(channels, 224));
    const features = FEATURES.flatMap((out_channels) =>
      out_channels === 0 ? [layer("max_pool2d", { kernel_size: 2, stride: 2 })] : [layer("conv2d", { out_channels, kernel_size: 3, padding: 1 }), layer("relu")],
    );
    d.put("features", sequential("features", features));
    d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 7 }));
    d.put("flatten", layer("flatten"));
    const wide = () => [layer("linear", { out_features: 4096 }), layer("relu"), layer("dropout", { p: 0.5 })];
    d.put("classifier", sequential("classifier", [...wide(), ...wide(), layer("linear", { out_features: classes })]));
    d.output();
    return d.graph();
  },
};
