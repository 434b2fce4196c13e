import { say } from "../language/say.ts";
import { findLayer } from "../layers/index.ts";
import { type Layer, portsOf } from "../layers/kit.ts";
import { readParams } from "../layers/params.ts";
import type { Node } from "./document.ts";
import type { TensorType } from "./shape.ts";

/** The layer that a node acts as: that of its type, or one that hands its input on where it is bypassed. */
export function layerOf(node: Node): Layer | undefined {
  const layer = findLayer(node.type);
  return layer && node.bypass && whyNotBypass(node) === null ? passing(layer) : layer;
}

/** Why a node cannot be bypassed, or null where it can. */
export function whyNotBypass(node: Node): string | null {
  const layer = findLayer(node.type);
  if (!layer) return say("This version does not know what it is.");
  const { inputs, outputs } = portsOf(layer, node);
  if (layer.boundary) return say("{title} is an end of the graph: there is nothing to pass on.", { title: layer.title });
  if (Object.keys(inputs).length === 0) return say("Nothing comes into {title} that it could pass on.", { title: layer.title });
  if (Object.keys(outputs).length === 0) return say("Nothing goes out of {title}, so there is nothing to pass on.", { title: layer.title });
  return null;
}

const made = new WeakMap<Layer, Layer>();

/** The layer with its ports and nothing else: its first output gives what arrives first, in port order, and what a loop carries goes straight through. */
function passing(layer: Layer): Layer {
  const known = made.get(layer);
  if (known) return known;
  const passes: Layer["passes"] = (node, wired) => {
    const carried = new Map(layer.carries?.(node).map(({ input, output }) => [output, input]));
    const { inputs, outputs } = portsOf(layer, node);
    const first = Object.keys(inputs).find((port) => wired.has(port));
    return Object.fromEntries(
      Object.keys(outputs).flatMap((output, i) => {
        const input = carried.get(output) ?? (i === 0 ? first : undefined);
        return input !== undefined && wired.has(input) ? [[output, input]] : [];
      }),
    );
  };
  const bypassed: Layer = {
    type: layer.type,
    title: layer.title,
    category: layer.category,
    doc: layer.doc,
    trait: "neutral",
    params: {},
    inputs: {},
    outputs: {},
    ports: (node) => {
      const { inputs, outputs } = portsOf(layer, node);
      return { inputs: Object.fromEntries(Object.entries(inputs).map(([port, { doc, many }]) => [port, { doc, many, dtype: "any", optional: true }])), outputs };
    },
    passes,
    summary: () => "bypassed",
    infer: (_, inputs, bodies, node) => {
      const given = Object.fromEntries(Object.entries(inputs).flatMap(([port, type]) => (type && [type].flat()[0] ? [[port, [type].flat()[0] as TensorType]] : [])));
      const outputs = Object.fromEntries(Object.entries(passes(node, new Set(Object.keys(given)))).flatMap(([output, input]) => (given[input] ? [[output, given[input]]] : [])));
      // What it would give may be unknown, as when it is bypassed because it does not fit.
      const { values, problems } = readParams(layer.params, node.params);
      const own = layer.bodies || layer.compose || problems.length > 0 ? null : inferQuietly(() => layer.infer(values, inputs, bodies, node));
      for (const [output, { dtype }] of Object.entries(outputs)) {
        const meant = own && "outputs" in own ? own.outputs[output]?.dtype : undefined;
        if (meant !== undefined && meant !== dtype)
          return {
            problem: say("{title} makes {meant} of {dtype}, so it cannot be bypassed: what comes after it would receive another kind of number.", {
              title: layer.title,
              meant,
              dtype,
            }),
            code: "GRAPH_BYPASS",
            fixes: [{ kind: "restore", label: say("Bring it back") }],
          };
      }
      return { outputs };
    },
    lower: (_, inputs, __, ___, node) => pass(passes, node, inputs),
    onnx: (_, inputs, __, ___, node) => Object.fromEntries(Object.entries(pass(passes, node, inputs)).map(([output, { name }]) => [output, name])),
    torch: () => ({ forward: (_, inputs) => String(Object.values(inputs).flat()[0]) }),
    examples: [],
  };
  made.set(layer, bypassed);
  return bypassed;
}

/** Inputs by port as the outputs that a layer which `passes` them gives. */
export function pass<T>(passes: NonNullable<Layer["passes"]>, node: Node, inputs: { [port: string]: T | T[] | undefined }): { [output: string]: T } {
  const arrived = new Map(
    Object.entries(inputs).flatMap(([port, value]): [string, T][] => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[port, first]];
    }),
  );
  return Object.fromEntries(
    Object.entries(passes(node, new Set(arrived.keys()))).flatMap(([output, input]): [string, T][] => {
      const value = arrived.get(input);
      return value === undefined ? [] : [[output, value]];
    }),
  );
}

/** Layers infer from inputs that their ports allow; a bypassed node may receive others. */
function inferQuietly<T>(infer: () => T): T | null {
  try {
    return infer();
  } catch {
    return null;
  }
}
