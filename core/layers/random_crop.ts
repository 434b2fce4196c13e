import { defineAugmentation } from "./augmenting.ts";
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
    const small = shape.slice(2).find((size) => typeof size !== "number" || size <= padding);
    return padding_mode === "reflect" && small !== undefined
      ? { problem: `RandomCrop cannot mirror ${padding} pixels of a side of ${small}: it needs sides that are known and longer.`, code: "GRAPH_PARAM", param: "padding" }
      : null;
  },
  change: ({ padding, padding_mode, fill }, x, { b, uniform, map, places }) => {
    const [n = "B", channels = 1, height = 1, width = 1] = x.type.shape;
    const grown = (size: typeof height) => (typeof size === "number" ? size + 2 * padding : "");
    const type = { dtype: x.type.dtype, shape: [n, channels, grown(height), grown(width)] };
    const padded = b.call("aten::pad", [x, { ints: [padding, padding, padding, padding] }, MODES[padding_mode], padding_mode === "constant" ? fill : null], type);
    // The first row and column of each image's cut.
    const start = () => {
      const drawn = map("floor", uniform(0, 2 * padding + 1));
      return b.call("aten::to.dtype", [drawn, "int64"], { dtype: "int64", shape: drawn.type.shape });
    };
    const index = (axis: 2 | 3, of: typeof padded, sizes: (typeof height)[]) => {
      const at = b.call("aten::add.Tensor", [places(axis, "int64"), start(), 1], { dtype: "int64", shape: axis === 2 ? [n, 1, height, 1] : [n, 1, 1, width] });
      const size = (of_: typeof x, a: number) => ({ size: [of_, a] as [typeof x, number] });
      return b.call("aten::expand", [at, { ints: [size(x, 0), size(x, 1), size(x, 2), size(axis === 2 ? of : x, 3)] }], { dtype: "int64", shape: sizes });
    };
    const rowsType = [n, channels, height, grown(width)];
    const rows = b.call("aten::gather", [padded, 2, index(2, padded, rowsType)], { dtype: x.type.dtype, shape: rowsType });
    return b.call("aten::gather", [rows, 3, index(3, rows, x.type.shape)], x.type);
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
