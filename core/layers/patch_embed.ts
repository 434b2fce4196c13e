import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineComposed, sketchBody } from "./composed.ts";
import { p } from "./params.ts";

export const patchEmbed = defineComposed({
  type: "patch_embed",
  title: "PatchEmbed",
  category: "attention",
  doc: "Cuts images into square patches and turns each into a vector: what a vision transformer reads instead of words.",
  formula: "y[n, i] = W · patchᵢ + b",
  when: "At the start of a vision transformer. Small patches see more and cost more: halving the size makes four times the steps.",
  keywords: ["vit", "vision transformer", "patch", "tokens", "image"],
  params: {
    embed_dim: p.int({ min: 1, default: 192, doc: "Length of each patch's vector." }),
    patch_size: p.int({ min: 1, default: 16, doc: "Side of a patch, in pixels; what is left over at the edges is not seen." }),
  },
  inputs: { x: { doc: "Images [N, channels, height, width]." } },
  outputs: { y: { doc: "[N, patches, embed_dim], row by row." } },
  summary: ({ embed_dim, patch_size }) => `${patch_size}×${patch_size} → ${embed_dim}`,
  compose: ({ embed_dim, patch_size }, { x: { shape } }) => {
    if (shape.length !== 4) return { problem: say("PatchEmbed needs images [N, channels, height, width] but receives {shape}.", { shape: printShape(shape) }), port: "x" };
    const small = shape.slice(2).find((size) => typeof size === "number" && size < patch_size);
    if (small !== undefined)
      return {
        problem: say("A patch of {patch_size}×{patch_size} does not fit into {shape}.", { patch_size, shape: printShape(shape) }),
        code: "GRAPH_PARAM",
        param: "patch_size",
        fixes: [{ kind: "set-param", label: say("Set patch_size to {small}", { small }), name: "patch_size", value: small }],
      };
    return sketchBody(
      ["x"],
      {
        proj: ["conv2d", { out_channels: embed_dim, kernel_size: patch_size, stride: patch_size }],
        flatten: ["flatten", { start_dim: 2 }],
        steps: ["permute", { dims: [0, 2, 1] }],
      },
      { y: "steps" },
    );
  },
  examples: [{ params: { embed_dim: 6, patch_size: 4 }, inputs: { x: [2, 3, 8, 12] } }],
});
