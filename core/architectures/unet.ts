import { type Architecture, imageInput } from "./architecture.ts";
import { chain, Drawing, layer, type Part } from "./draw.ts";
import { batchNorm, convolution } from "./parts.ts";

const FEATURES = 32;
const DEPTH = 4;

/** @see Buda, Saha, Mazurowski, Association of genomic subtypes of lower-grade gliomas with shape features automatically extracted by a deep learning algorithm, 2019 */
export const unet: Architecture = {
  id: "unet",
  title: "U-Net",
  doc: "Shrinks an image in four steps and grows it again, handing the details of each size across: an answer for each pixel. The one of the PyTorch Hub that outlines tumours; its sizes are multiples of 16.",
  task: "Image segmentation",
  source: "https://github.com/mateuszbuda/brain-segmentation-pytorch/blob/master/unet.py",
  licence: "MIT",
  input: [3, 256, 256],
  parameters: 7_763_041,
  firstWeights: "As PyTorch's layers draw them by default, which is also what the original does.",
  choices: { classes: { label: "Channels that come out", default: 1 }, channels: { label: "Input channels", default: 3 } },
  build: ({ classes = 1, channels = 3 } = {}) => {
    const d = new Drawing();
    d.input("x", imageInput(channels, 256));
    const encoded: string[] = [];
    for (let i = 1; i <= DEPTH; i++) {
      encoded.push(d.put(`encoder${i}`, twice(`encoder${i}`, `enc${i}`, FEATURES * 2 ** (i - 1))));
      d.put(`pool${i}`, layer("max_pool2d", { kernel_size: 2, stride: 2 }));
    }
    d.put("bottleneck", twice("bottleneck", "bottleneck", FEATURES * 2 ** DEPTH));
    for (let i = DEPTH; i >= 1; i--) {
      const width = FEATURES * 2 ** (i - 1);
      const grown = d.put(`upconv${i}`, layer("conv_transpose2d", { out_channels: width, kernel_size: 2, stride: 2 }));
      d.put(`concat${i}`, layer("concat"), { x: [grown, encoded[i - 1] ?? ""] });
      d.put(`decoder${i}`, twice(`decoder${i}`, `dec${i}`, width));
    }
    d.put("conv", layer("conv2d", { out_channels: classes, kernel_size: 1 }));
    d.put("sigmoid", layer("sigmoid"));
    d.output();
    return d.graph();
  },
};

/** Two convolutions of the same width; `stem` begins the names of their layers. */
function twice(name: string, stem: string, width: number): Part {
  return chain(
    name,
    [1, 2].flatMap((i): [string, Part][] => [
      [`${stem}conv${i}`, convolution(width, 3)],
      [`${stem}norm${i}`, batchNorm()],
      [`${stem}relu${i}`, layer("relu")],
    ]),
  );
}
