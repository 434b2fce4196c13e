import type { Tensor } from "../export/tensor.ts";
import type { HubWeights } from "./pretrained.ts";

/** What most of timm's networks for pictures have in common. */
export const TIMM = {
  takes: "pictures",
  licence: "Apache-2.0",
  size: { trained: 224, smallest: 96 },
  // Of ImageNet, channel by channel.
  normalize: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
} as const;

/** Where timm keeps a network, at a revision that nobody changes afterwards. */
export function timmFile(repository: string, revision: string): Pick<HubWeights, "kind" | "url"> {
  return { kind: "hub", url: `https://huggingface.co/timm/${repository}/resolve/${revision}/model.safetensors` };
}

/** Tensors under other names; those without one are left out. */
export function renamed(tensors: ReadonlyMap<string, Tensor>, rename: (name: string) => string | null): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    const own = rename(name);
    if (own !== null) weights.set(own, tensor);
  }
  return weights;
}

/**
 * timm's inverted residuals to torchvision's: `conv_dw`, `bn1`, `se.conv_reduce`, … become `block.0.0`, `block.0.1`, `block.1.fc1`, … in the order
 * in which they work. Which steps a block has is seen from the names in its file.
 */
export function blockNames(names: Iterable<string>): (block: string, rest: string) => string | null {
  const seen = new Set(names);
  const orders = new Map<string, Map<string, string>>();
  return (block, rest) => {
    let order = orders.get(block);
    if (!order) {
      const squeeze = seen.has(`${block}.se.conv_reduce.weight`) ? [["se.conv_reduce", "se.conv_expand"]] : [];
      const steps = seen.has(`${block}.conv_pwl.weight`)
        ? [["conv_pw", "bn1"], ["conv_dw", "bn2"], ...squeeze, ["conv_pwl", "bn3"]]
        : [["conv_dw", "bn1"], ...squeeze, ["conv_pw", "bn2"]];
      order = new Map(steps.flatMap((parts, step) => parts.map((part, at): [string, string] => [part, `block.${step}.${part.startsWith("se.") ? `fc${at + 1}` : at}`])));
      orders.set(block, order);
    }
    const [, part = "", kind = ""] = /^(.+)\.(\w+)$/.exec(rest) ?? [];
    const own = order.get(part);
    return own === undefined ? null : `${own}.${kind}`;
  };
}
