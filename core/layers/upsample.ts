import { multiply } from "../graph/dims.ts";
import { defineLayer, float32 } from "./kit.ts";
import { p, pythonCall } from "./params.ts";
import { needImage } from "./window.ts";

export const upsample = defineLayer({
  type: "upsample",
  title: "Upsample",
  category: "shape",
  doc: "Enlarges an image by a whole factor, by repeating pixels or by blending them.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Upsample.html",
  keywords: ["interpolate", "resize", "enlarge", "decoder", "u-net"],
  params: {
    scale_factor: p.int({ min: 1, max: 64, default: 2, doc: "How many times as high and wide." }),
    mode: p.choice({ options: ["nearest", "bilinear"], default: "nearest", doc: "`nearest` repeats pixels; `bilinear` blends neighbours." }),
  },
  inputs: { x: { doc: "Images: [N, channels, height, width]." } },
  summary: ({ scale_factor, mode }) => `×${scale_factor}, ${mode}`,
  infer: ({ scale_factor }, { x: { shape } }) =>
    needImage("Upsample", 2, shape) ?? { outputs: { y: float32([...shape.slice(0, 2), ...shape.slice(2).map((size) => multiply(size, scale_factor))]) } },
  lower: ({ scale_factor, mode }, { x }, b, { outputs: { y } }) => {
    const factors = { floats: [scale_factor, scale_factor] };
    return {
      y:
        mode === "nearest"
          ? b.call("aten::upsample_nearest2d.vec", [x, null, factors], y ?? x.type)
          : b.call("aten::upsample_bilinear2d.vec", [x, null, false, factors], y ?? x.type),
    };
  },
  onnx: ({ scale_factor, mode }, { x }, b) => {
    const [y = ""] = b.node("Resize", [x.name, null, b.constant([1, 1, scale_factor, scale_factor], [4], "float32")], {
      mode: mode === "nearest" ? "nearest" : "linear",
      coordinate_transformation_mode: mode === "nearest" ? "asymmetric" : "half_pixel",
      nearest_mode: "floor",
    });
    return { y };
  },
  torch: ({ scale_factor, mode }) => ({
    module: pythonCall("nn.Upsample", [], { scale_factor: [scale_factor, null], mode: [mode, "nearest"] }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  examples: [{ inputs: { x: [2, 3, 4, 5] } }, { params: { scale_factor: 3, mode: "bilinear" }, inputs: { x: [2, 3, 4, 4] } }],
});
