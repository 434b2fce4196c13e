import { type Architecture, imageInput } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part, sequential } from "./draw.ts";
import { dilatedMobilenetV3 } from "./mobilenetV3.ts";
import { batchNorm, convolution } from "./parts.ts";

const SIDE = 224;
/** The backbone leaves a sixteenth of each side. */
const STRIDE = 16;
const WIDTH = 256;
const RATES = [12, 24, 36];

/** @see Chen, Papandreou, Schroff, Adam, Rethinking atrous convolution for semantic image segmentation, 2017 */
export const deeplabMobilenet: Architecture = {
  id: "deeplabv3_mobilenet_v3_large",
  title: "DeepLabV3 MobileNetV3",
  doc: "Names the class of each pixel: a MobileNetV3 that keeps more places, and convolutions with gaps of several widths that look around each of them. Its second output helped it learn; a loss on the first is enough.",
  task: "Image segmentation",
  source: "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/segmentation/deeplabv3.py",
  licence: "BSD-3-Clause",
  input: [3, SIDE, SIDE],
  parameters: 11_029_328,
  firstWeights: "As PyTorch's layers draw them by default; the original draws the backbone's convolutions from Kaiming's normal distribution.",
  choices: { classes: { label: "Classes", default: 21 }, channels: { label: "Input channels", default: 3 } },
  build: ({ classes = 21, channels = 3 } = {}) => {
    const d = new Drawing();
    d.input("x", imageInput(channels, SIDE));
    const seen = d.put("backbone", dilatedMobilenetV3());
    d.put("classifier", sequential("DeepLabHead", [aspp(), convolution(WIDTH, 3), batchNorm(), layer("relu"), layer("conv2d", { out_channels: classes, kernel_size: 1 })]), seen);
    d.output(d.put("resize", layer("upsample", { size: [SIDE, SIDE], mode: "bilinear" })));
    d.put(
      "aux_classifier",
      sequential("FCNHead", [convolution(10, 3), batchNorm(), layer("relu"), layer("dropout", { p: 0.1 }), layer("conv2d", { out_channels: classes, kernel_size: 1 })]),
      `${seen}:aux`,
    );
    d.output(d.put("resize_aux", layer("upsample", { size: [SIDE, SIDE], mode: "bilinear" })), "aux");
    return d.graph();
  },
};

/** What is around each place, near, farther and all over the picture. */
function aspp(): Part {
  const d = new Drawing();
  const x = d.input();
  const parts = [
    d.put("0", sequential("ASPPConv", [convolution(WIDTH, 1), batchNorm(), layer("relu")]), x),
    ...RATES.map((rate, i) =>
      d.put(
        String(i + 1),
        sequential("ASPPConv", [layer("conv2d", { out_channels: WIDTH, kernel_size: 3, padding: rate, dilation: rate, bias: false }), batchNorm(), layer("relu")]),
        x,
      ),
    ),
    d.put(
      String(RATES.length + 1),
      chain("ASPPPooling", [
        ["0", layer("adaptive_avg_pool2d", { output_size: 1 })],
        ["1", convolution(WIDTH, 1)],
        ["2", batchNorm()],
        ["3", layer("relu")],
        ["resize", layer("upsample", { size: [SIDE / STRIDE, SIDE / STRIDE], mode: "bilinear" })],
      ]),
      x,
    ),
  ];
  d.put("concat", layer("concat"), { x: parts });
  d.output();
  return chain("ASPP", [
    ["convs", block("convs", d.body())],
    ["project", sequential("project", [convolution(WIDTH, 1), batchNorm(), layer("relu"), layer("dropout", { p: 0.5 })])],
  ]);
}
