import { printShape, type Shape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineAugmentation } from "./augmenting.ts";
import { float32, type Value } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

const MODES = { constant: "constant", edge: "replicate", reflect: "reflect" } as const;

export const randomCrop = defineAugmentation({
  type: "random_crop",
  title: "RandomCrop",
  doc: "While training, pads each image and cuts one of the same size out at a random place; afterwards it does nothing.",
  formula: "y[n, c, i, j] = padded x[n, c, i + a, j + b] while training, with a and b drawn from 0 … 2·padding for each image",
  when: "The first augmentation to try for small images: with padding 4, and a flip, it is the recipe of CIFAR-10.",
  source: "RandomCrop",
  keywords: ["shift", "translate", "padding", "cifar"],
  params: {
    padding: p.int({ min: 1, max: 64, default: 4, doc: "Pixels at each side: an image moves by up to as many." }),
    padding_mode: p.choice({
      options: ["constant", "edge", "reflect"],
      default: "constant",
      doc: "`constant` fills with `fill`, `edge` repeats the last pixel, `reflect` mirrors.",
    }),
    fill: p.float({ default: 0, doc: "What `constant` fills with; 0 is the mean where the data set is standardized." }),
  },
  summary: ({ padding }) => `padding ${padding}`,
  check: ({ padding, padding_mode }, shape) => {
    const unknown = shape.slice(1).some((size) => typeof size !== "number");
    if (unknown) return { problem: say("RandomCrop needs images of known channels, height and width but receives {shape}.", { shape: printShape(shape) }), port: "x" };
    return padding_mode === "reflect" && shape.slice(2).some((size) => Number(size) <= padding)
      ? { problem: say("RandomCrop cannot mirror {padding} pixels of a shorter side: it needs sides that are longer.", { padding }), code: "GRAPH_PARAM", param: "padding" }
      : null;
  },
  change: ({ padding, padding_mode, fill }, x, { b, add, times, uniform, map }) => {
    const [n = "B", ...sizes] = x.type.shape;
    const [channels = 1, height = 1, width = 1] = sizes.map(Number);
    const [tall, wide] = [height + 2 * padding, width + 2 * padding];
    const int = (shape: Shape): TensorType => ({ dtype: "int64", shape });
    const padded = b.call("aten::pad", [x, { ints: [padding, padding, padding, padding] }, MODES[padding_mode], padding_mode === "constant" ? fill : null], {
      dtype: x.type.dtype,
      shape: [n, channels, tall, wide],
    });
    // The first row and column of each image's cut. A number just below 1 may be rounded up to the end.
    const start = () => {
      const drawn = b.call("aten::clamp_max", [map("floor", uniform(0, 2 * padding + 1)), 2 * padding], float32([n, 1, 1, 1]));
      return b.call("aten::to.dtype", [drawn, "int64"], int([n, 1, 1, 1]));
    };
    const [row, column] = [start(), start()];
    // Each row of a cut lies in one piece in the padded images: where it begins there, counted in numbers.
    const along = (axis: number, count: number | { size: [Value, number] }, step: number) => {
      const shape: Shape = [1, 1, 1, 1].map((one, at) => (at === axis ? (x.type.shape[axis] ?? one) : one));
      const places = b.call("aten::arange.start_step", [0, count, 1, "int64"], int([shape[axis] ?? 1]));
      return times(b.call("aten::reshape", [places, { ints: [0, 1, 2, 3].map((at) => (at === axis ? -1 : 1)) }], int(shape)), step);
    };
    const inImage = add(along(1, channels, tall * wide), along(2, height, wide), int([1, channels, height, 1]));
    const ofImage = add(along(0, { size: [x, 0] }, channels * tall * wide), add(times(row, wide), column));
    const starts = b.call("aten::reshape", [add(ofImage, inImage, int([n, channels, height, 1])), { ints: [-1] }], int(["rows"]));
    const flat = b.call("aten::reshape", [padded, { ints: [-1] }], { dtype: x.type.dtype, shape: ["numbers"] });
    const pieces = b.call("aten::unfold", [flat, 0, width, 1], { dtype: x.type.dtype, shape: ["pieces", width] });
    const rows = b.call("aten::index_select", [pieces, 0, starts], { dtype: x.type.dtype, shape: ["rows", width] });
    return b.call("aten::reshape", [rows, { ints: [{ size: [x, 0] }, channels, height, width] }], x.type);
  },
  python: {
    make: ({ padding, padding_mode, fill }) => pythonCall("RandomCrop", [], { padding: [padding, 4], padding_mode: [padding_mode, "constant"], fill: [fill, 0] }),
    source: `class RandomCrop(nn.Module):
    """Pads each image and cuts one of the same size out at a random place while training."""

    def __init__(self, padding=4, padding_mode="constant", fill=0):
        super().__init__()
        self.padding = padding
        self.mode = {"edge": "replicate"}.get(padding_mode, padding_mode)
        self.fill = fill

    def forward(self, x):
        if not self.training:
            return x
        n, c, h, w = x.shape
        padded = F.pad(x, [self.padding] * 4, self.mode, self.fill if self.mode == "constant" else None)
        top, left = (torch.randint(2 * self.padding + 1, (n, 1, 1, 1), device=x.device) for _ in range(2))
        rows = torch.arange(h, device=x.device).view(1, 1, h, 1) + top
        columns = torch.arange(w, device=x.device).view(1, 1, 1, w) + left
        return padded.gather(2, rows.expand(n, c, h, padded.shape[3])).gather(3, columns.expand(n, c, h, w))`,
  },
  examples: [
    { shape: [3, 2, 6, 5] },
    { params: { padding: 2, padding_mode: "reflect" }, shape: [2, 1, 4, 4] },
    { params: { padding: 3, padding_mode: "edge" }, shape: [2, 3, 4, 4] },
  ],
});
