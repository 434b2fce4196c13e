import { defineAugmentation } from "./augmenting.ts";
import { p, pythonCall } from "./params.ts";

/** RandomHorizontalFlip and RandomVerticalFlip. */
export function defineFlip({ type, title, how, axis, when }: { type: string; title: string; how: string; axis: -1 | -2; when: string }) {
  return defineAugmentation({
    type,
    title,
    doc: `While training, mirrors each image ${how} with a probability; afterwards it does nothing.`,
    formula: "y[n] = mirrored x[n] with probability p while training, else x[n]",
    when,
    source: title,
    keywords: ["flip", "mirror"],
    params: { p: p.float({ min: 0, max: 1, step: 0.05, default: 0.5, doc: "The probability that an image is mirrored." }) },
    summary: ({ p }) => `${Math.round(p * 1000) / 10} %`,
    change: ({ p }, x, { b, chance, where }) => where(chance(p), b.call("aten::flip", [x, { ints: [axis] }], x.type), x),
    python: {
      make: ({ p }) => pythonCall(title, [], { p: [p, 0.5] }),
      source: `class ${title}(nn.Module):
    """Mirrors each image at random while training."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        return torch.where(torch.rand(x.shape[0], 1, 1, 1, device=x.device) < self.p, x.flip(${axis}), x)`,
    },
    examples: [{ shape: [3, 2, 4, 5] }, { params: { p: 0.2 }, shape: [2, 1, 4, 4] }],
  });
}
