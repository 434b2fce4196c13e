import { defineAugmentation } from "./augmenting.ts";
import type { Value } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

/** How light each of red, green and blue is (Rec. 601), as torchvision has it. */
const LIGHT = [0.2989, 0.587, 0.114];

export const colorJitter = defineAugmentation({
  type: "color_jitter",
  title: "ColorJitter",
  doc: "While training, changes each image's brightness, contrast and saturation at random; afterwards it does nothing.",
  formula: "brightness f: lo + f·(x − lo); contrast f: m + f·(x − m); saturation f: g + f·(x − g), each f from 1 − v … 1 + v for each image; then kept between lo and hi",
  when: "On photographs, taken in any light. Images come here scaled already, so an image's darkest and brightest numbers (lo, hi) stand for black and white.",
  source: "ColorJitter",
  keywords: ["brightness", "contrast", "saturation", "colour", "color", "light"],
  params: {
    brightness: p.float({ min: 0, max: 1, step: 0.1, default: 0.2, doc: "How far brightness may go from 1, to either side." }),
    contrast: p.float({ min: 0, max: 1, step: 0.1, default: 0.2, doc: "The same of contrast, about the image's mean grey m." }),
    saturation: p.float({ min: 0, max: 1, step: 0.1, default: 0.2, doc: "The same of saturation, about each pixel's grey g; images of three channels only." }),
  },
  summary: ({ brightness, contrast, saturation }) => `${brightness}, ${contrast}, ${saturation}`,
  change: ({ brightness, contrast, saturation }, x, { b, one, uniform, mul, add, sub, times }) => {
    const [n = "B", channels, height = 1, width = 1] = x.type.shape;
    const isColour = channels === 3;
    const plane = { dtype: x.type.dtype, shape: [n, 1, height, width] };
    const grey = (of: Value): Value => {
      if (!isColour) return b.call("aten::mean.dim", [of, { ints: [1] }, true], plane);
      const parts = LIGHT.map((share, channel) => times(b.call("aten::slice.Tensor", [of, 1, channel, channel + 1, 1], plane), share));
      return parts.reduce((sum, part) => add(sum, part));
    };
    const mix = (of: Value, about: Value, share: number) => add(mul(sub(of, about), uniform(1 - share, 1 + share)), about);
    const all = { ints: [1, 2, 3] };
    const [low, high] = [b.call("aten::amin", [x, all, true], one), b.call("aten::amax", [x, all, true], one)];
    const keep = (of: Value) => b.call("aten::minimum", [b.call("aten::maximum", [of, low], x.type), high], x.type);
    let y = x;
    if (brightness > 0) y = keep(mix(y, low, brightness));
    if (contrast > 0) y = keep(mix(y, b.call("aten::mean.dim", [grey(y), all, true], one), contrast));
    if (saturation > 0 && isColour) y = keep(mix(y, grey(y), saturation));
    return y;
  },
  python: {
    make: ({ brightness, contrast, saturation }) => pythonCall("ColorJitter", [], { brightness: [brightness, 0.2], contrast: [contrast, 0.2], saturation: [saturation, 0.2] }),
    source: `class ColorJitter(nn.Module):
    """Changes each image's brightness, contrast and saturation at random while training."""

    def __init__(self, brightness=0.2, contrast=0.2, saturation=0.2):
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation

    def grey(self, x):
        if x.shape[1] != 3:
            return x.mean(1, keepdim=True)
        return 0.2989 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]

    def forward(self, x):
        if not self.training:
            return x
        low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)

        def mix(y, about, share):
            factor = 1 + share * (2 * torch.rand(x.shape[0], 1, 1, 1, device=x.device) - 1)
            return torch.minimum(torch.maximum(about + factor * (y - about), low), high)

        y = mix(x, low, self.brightness)
        y = mix(y, self.grey(y).mean((1, 2, 3), keepdim=True), self.contrast)
        return mix(y, self.grey(y), self.saturation) if x.shape[1] == 3 else y`,
  },
  examples: [{ shape: [3, 3, 4, 5] }, { params: { brightness: 0.5, contrast: 0, saturation: 0 }, shape: [2, 1, 4, 4] }],
});
