import { say } from "../language/say.ts";
import { defineAugmentation, needSize, PYTHON_WARP, warp } from "./augmenting.ts";
import { p, pythonCall } from "./params.ts";

export const randomAffine = defineAugmentation({
  type: "random_affine",
  title: "RandomAffine",
  doc: "While training, turns, moves, scales and shears each image at random; afterwards it does nothing.",
  formula: "y[n] = x[n] under a random affine map of its plane while training; what comes from outside is 0",
  when: "For handwriting and drawings, which vary in all of these: 10 degrees, a tenth of the size, 0.9 to 1.1. For a shift by whole pixels take RandomCrop.",
  source: "RandomAffine",
  keywords: ["rotate", "translate", "translation", "scale", "zoom", "shear", "shift"],
  params: {
    degrees: p.float({ min: 0, max: 180, step: 5, default: 10, doc: "The largest angle, to either side." }),
    translate: p.floats({ default: [0.1, 0.1], max: 2, doc: "The largest move across and down, as shares of width and height.", placeholder: "0.1, 0.1" }),
    scale: p.floats({ default: [0.9, 1.1], max: 2, doc: "The least and the greatest size.", placeholder: "0.9, 1.1" }),
    shear: p.float({ min: 0, max: 80, step: 5, default: 0, doc: "The largest shear along the width, in degrees to either side." }),
    interpolation: p.choice({ options: ["nearest", "bilinear"], default: "nearest", doc: "`bilinear` is smoother, `nearest` keeps the very numbers." }),
  },
  summary: ({ degrees, scale: [low = 1, high = 1] }) => `± ${degrees}°, ×${low}–${high}`,
  check: ({ translate, scale }, shape) => {
    const wrong = (param: string, problem: string) => ({ problem, code: "GRAPH_PARAM" as const, param });
    const [low = 0, high = 0] = scale;
    if (translate.length !== 2 || translate.some((share) => share < 0 || share > 1))
      return wrong("translate", say("RandomAffine needs two shares from 0 to 1 to move by: across, and down."));
    if (scale.length !== 2 || low < 0.05 || high > 20 || low > high) return wrong("scale", say("RandomAffine needs the least and the greatest scale, from 0.05 to 20."));
    return needSize("RandomAffine", shape);
  },
  change: ({ degrees, translate: [across = 0, down = 0], scale: [low = 1, high = 1], shear, interpolation }, x, draw) => {
    const { map, uniform, mul, add, sub, div } = draw;
    const angle = uniform((-degrees * Math.PI) / 180, (degrees * Math.PI) / 180);
    const [size, slant] = [uniform(low, high), map("tan", uniform((-shear * Math.PI) / 180, (shear * Math.PI) / 180))];
    const [cos, sin] = [div(map("cos", angle), size), div(map("sin", angle), size)];
    return warp(x, [cos, sub(mul(cos, slant), sin), sin, add(mul(sin, slant), cos)], [uniform(-across, across), uniform(-down, down)], interpolation, draw);
  },
  python: {
    make: ({ degrees, translate, scale, shear, interpolation }) =>
      pythonCall("RandomAffine", [], {
        degrees: [degrees, 10],
        translate: [translate, [0.1, 0.1]],
        scale: [scale, [0.9, 1.1]],
        shear: [shear, 0],
        interpolation: [interpolation, "nearest"],
      }),
    source: `class RandomAffine(nn.Module):
    """Turns, moves, scales and shears each image at random while training."""

    def __init__(self, degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=0, interpolation="nearest"):
        super().__init__()
        self.degrees = degrees
        self.translate = translate
        self.scale = scale
        self.shear = shear
        self.interpolation = interpolation

${PYTHON_WARP}

    def forward(self, x):
        if not self.training:
            return x
        angle = self.draw(x, -self.degrees, self.degrees).deg2rad()
        size = self.draw(x, *self.scale)
        slant = self.draw(x, -self.shear, self.shear).deg2rad().tan()
        cos, sin = angle.cos() / size, angle.sin() / size
        shift = [self.draw(x, -share, share) for share in self.translate]
        return self.warp(x, [cos, cos * slant - sin, sin, sin * slant + cos], shift)`,
  },
  examples: [{ shape: [3, 2, 6, 5] }, { params: { degrees: 30, translate: [0, 0.5], scale: [0.5, 2], shear: 20, interpolation: "bilinear" }, shape: [2, 1, 4, 4] }],
});
