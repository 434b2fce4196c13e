import type { Body, Json } from "../graph/document.ts";
import { sketchBody } from "./composed.ts";
import { p } from "./params.ts";
import { transformerParams } from "./transformer.ts";

/** TransformerEncoder and TransformerDecoder: layers one behind the other, and a norm at the end. */
export const coderParams = {
  num_layers: p.int({ min: 1, max: 96, default: 6, doc: "How many layers; each draws first weights of its own." }),
  ...transformerParams,
  norm: p.bool({ default: false, doc: "Normalizes once more at the end, as is usual with norm_first." }),
};

/** `layers.0`, `layers.1`, … of `type`, which read the result of the one before; `shared` inputs reach each of them. */
export function stackLayers(
  type: string,
  { num_layers, norm, layer_norm_eps, ...own }: { num_layers: number; norm: boolean; layer_norm_eps: number } & { [name: string]: Json },
  shared: readonly string[],
): Body {
  const wires = (from: string) => ({ x: from, ...Object.fromEntries(shared.map((name) => [name, name])) });
  const layer = (i: number): [string, { [name: string]: Json }, { [port: string]: string }] => [type, { ...own, layer_norm_eps }, wires(i === 0 ? "x" : String(i - 1))];
  const inside = sketchBody(["x", ...shared], Object.fromEntries(Array.from({ length: num_layers }, (_, i) => [String(i), layer(i)])), { y: String(num_layers - 1) });
  const whole = sketchBody(
    ["x", ...shared],
    { layers: ["block", {}, wires("x")], ...(norm ? { norm: ["layer_norm", { eps: layer_norm_eps }, "layers"] } : {}) },
    { y: norm ? "norm" : "layers" },
  );
  return { ...whole, nodes: whole.nodes.map((node) => (node.id === "layers" ? { ...node, bodies: { body: inside } } : node)) };
}
