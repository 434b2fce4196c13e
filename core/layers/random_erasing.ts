import { say } from "../language/say.ts";
import { defineAugmentation } from "./augmenting.ts";
import { p, pythonCall } from "./params.ts";

export const randomErasing = defineAugmentation({
  type: "random_erasing",
  title: "RandomErasing",
  doc: "While training, blots out a random rectangle of each image with a probability, so that no single part decides; afterwards it does nothing.",
  formula: "y[n] = x[n] but `value` within a rectangle of a random area, proportion and place, with probability p while training",
  when: "For photographs and other images where the thing fills most of the frame. Also known as cutout.",
  source: "RandomErasing",
  keywords: ["cutout", "erase", "occlusion", "blot"],
  params: {
    p: p.float({ min: 0, max: 1, step: 0.05, default: 0.5, doc: "The probability that an image loses a rectangle." }),
    scale: p.floats({ default: [0.02, 0.33], max: 2, doc: "The least and the greatest share of the image's area.", placeholder: "0.02, 0.33" }),
    ratio: p.floats({ default: [0.3, 3.3], max: 2, doc: "The least and the greatest height over width.", placeholder: "0.3, 3.3" }),
    value: p.float({ default: 0, doc: "What the rectangle is filled with; 0 is the mean where the data set is standardized." }),
  },
  summary: ({ p }) => `${Math.round(p * 1000) / 10} %`,
  check: ({ scale, ratio }, shape) => {
    const wrong = (param: string, problem: string) => ({ problem, code: "GRAPH_PARAM" as const, param });
    const [least = 0, most = 0] = scale;
    const [flat = 0, tall = 0] = ratio;
    if (scale.length !== 2 || least < 0 || most > 1 || least > most) return wrong("scale", say("RandomErasing needs the least and the greatest share of the area, from 0 to 1."));
    if (ratio.length !== 2 || flat < 0.01 || tall > 100 || flat > tall)
      return wrong("ratio", say("RandomErasing needs the least and the greatest height over width, from 0.01 to 100."));
    const [height, width] = shape.slice(2);
    return typeof height === "number" && typeof width === "number" ? null : { problem: say("RandomErasing needs images of a known height and width."), port: "x" };
  },
  change: ({ p, scale: [least = 0, most = 0], ratio: [flat = 1, tall = 1], value }, x, { b, uniform, chance, map, mul, div, sub, plus, times, places }) => {
    const [n = "B", , height, width] = x.type.shape;
    if (typeof height !== "number" || typeof width !== "number") throw new Error("Images of which parts are erased have a known size.");
    const area = times(uniform(least, most), height * width);
    const proportion = map("exp", uniform(Math.log(flat), Math.log(tall)));
    const within = (size: number, axis: 2 | 3, length: ReturnType<typeof uniform>) => {
      const side = b.call("aten::clamp_max", [map("floor", plus(map("sqrt", length), 0.5)), size], length.type);
      const start = map("floor", mul(uniform(0, 1), plus(map("neg", side), size + 1)));
      // A place p lies within where 0 ≤ p − start < side.
      const type = { dtype: "float32" as const, shape: axis === 2 ? [n, 1, height, 1] : [n, 1, 1, width] };
      const from = sub(places(axis), start, type);
      const bool = { dtype: "bool" as const, shape: type.shape };
      return b.call("aten::logical_and", [b.call("aten::ge.Scalar", [from, 0], bool), b.call("aten::lt.Tensor", [from, side], bool)], bool);
    };
    const plane = { dtype: "bool" as const, shape: [n, 1, height, width] };
    const inside = b.call("aten::logical_and", [within(height, 2, mul(area, proportion)), within(width, 3, div(area, proportion))], plane);
    return b.call("aten::masked_fill.Scalar", [x, b.call("aten::logical_and", [inside, chance(p)], plane), value], x.type);
  },
  python: {
    make: ({ p, scale, ratio, value }) => pythonCall("RandomErasing", [], { p: [p, 0.5], scale: [scale, [0.02, 0.33]], ratio: [ratio, [0.3, 3.3]], value: [value, 0] }),
    source: `class RandomErasing(nn.Module):
    """Blots out a random rectangle of each image while training."""

    def __init__(self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0):
        super().__init__()
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value

    def forward(self, x):
        if not self.training:
            return x
        n, _, h, w = x.shape

        def draw(low=0.0, high=1.0):
            return torch.rand(n, 1, 1, 1, device=x.device) * (high - low) + low

        area = draw(*self.scale) * h * w
        ratio = torch.exp(draw(*torch.tensor(self.ratio).log().tolist()))
        inside = draw() < self.p
        for size, side, shape in ((h, area * ratio, (1, 1, h, 1)), (w, area / ratio, (1, 1, 1, w))):
            side = side.sqrt().round().clamp(max=size)
            place = torch.arange(size, device=x.device).view(shape) - (draw() * (size + 1 - side)).floor()
            inside = inside & (place >= 0) & (place < side)
        return x.masked_fill(inside, self.value)`,
  },
  examples: [{ shape: [3, 2, 6, 5] }, { params: { p: 1, scale: [0.1, 0.2], ratio: [1, 1], value: 2 }, shape: [2, 1, 4, 4] }],
});
