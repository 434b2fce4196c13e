import { defineAugmentation, needSize, PYTHON_WARP, warp } from "./augmenting.ts";
import { p, pythonCall } from "./params.ts";

export const randomRotation = defineAugmentation({
  type: "random_rotation",
  title: "RandomRotation",
  doc: "While training, turns each image about its middle by a random angle; afterwards it does nothing.",
  formula: "y[n] = x[n] turned by an angle from −degrees … degrees while training; what comes from outside is 0",
  when: "Where things stand at a slant now and then, as in handwriting: 10 to 15 degrees. More where there is no up and down.",
  source: "RandomRotation",
  keywords: ["rotate", "turn", "angle"],
  params: {
    degrees: p.float({ min: 0, max: 180, step: 5, default: 15, doc: "The largest angle, to either side." }),
    interpolation: p.choice({ options: ["nearest", "bilinear"], default: "nearest", doc: "`bilinear` is smoother, `nearest` keeps the very numbers." }),
  },
  summary: ({ degrees }) => `± ${degrees}°`,
  check: (_, shape) => needSize("RandomRotation", shape),
  change: ({ degrees, interpolation }, x, draw) => {
    const { map, uniform, times } = draw;
    const angle = uniform((-degrees * Math.PI) / 180, (degrees * Math.PI) / 180);
    const [cos, sin] = [map("cos", angle), map("sin", angle)];
    const still = times(angle, 0);
    return warp(x, [cos, map("neg", sin), sin, cos], [still, still], interpolation, draw);
  },
  python: {
    make: ({ degrees, interpolation }) => pythonCall("RandomRotation", [], { degrees: [degrees, 15], interpolation: [interpolation, "nearest"] }),
    source: `class RandomRotation(nn.Module):
    """Turns each image by a random angle while training."""

    def __init__(self, degrees=15, interpolation="nearest"):
        super().__init__()
        self.degrees = degrees
        self.interpolation = interpolation

${PYTHON_WARP}

    def forward(self, x):
        if not self.training:
            return x
        angle = self.draw(x, -self.degrees, self.degrees).deg2rad()
        still = torch.zeros_like(angle)
        return self.warp(x, [angle.cos(), -angle.sin(), angle.sin(), angle.cos()], [still, still])`,
  },
  examples: [{ shape: [3, 2, 6, 5] }, { params: { degrees: 90, interpolation: "bilinear" }, shape: [2, 1, 4, 4] }],
});
