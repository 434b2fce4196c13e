import { bodyInputs } from "./input.ts";
import { defineLayer, type InputPorts, type Inputs, startBody } from "./kit.ts";
import { bodyOutputs } from "./output.ts";

export const block = defineLayer({
  type: "block",
  title: "Block",
  category: "control",
  doc: "Holds a part of the network under one name; its inputs and outputs are those of its body.",
  keywords: ["group", "subgraph", "module", "function", "residual block"],
  params: {},
  inputs: {} as InputPorts,
  bodies: { body: { doc: "The part. Name its inputs and outputs to name the ports.", start: startBody() } },
  ports: ({ bodies }) => {
    const body = bodies && Object.hasOwn(bodies, "body") ? bodies.body : undefined;
    // In order of their names, as are the arguments and results of a body everywhere.
    const names = (boundary: { name: string }[]) => boundary.map(({ name }) => name).sort();
    return {
      inputs: Object.fromEntries(names(body ? bodyInputs(body) : []).map((name) => [name, { doc: `Its input ${name}.`, dtype: "any" as const }])),
      outputs: Object.fromEntries(names(body ? bodyOutputs(body) : []).map((name) => [name, { doc: `Its output ${name}.` }])),
    };
  },
  summary: () => "",
  infer: (_, inputs, bodies) => {
    const outputs = bodies("body", single(inputs));
    return outputs && { outputs };
  },
  lower: (_, inputs, b) => b.body("body", single(inputs)),
  onnx: (_, inputs, b) => Object.fromEntries(Object.entries(b.body("body", single(inputs))).map(([port, { name }]) => [port, name])),
  torch: () => ({ lines: (inputs, call) => [`return ${call("body", single(inputs))}`] }),
  examples: [{ inputs: { x: [2, 3] }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "relu" }) } }],
});

/** A block's ports take one wire each. */
function single<T>(inputs: Inputs<T>): { [port: string]: T } {
  return Object.fromEntries(Object.entries(inputs).flatMap(([port, value]): [string, T][] => (value === undefined || Array.isArray(value) ? [] : [[port, value]])));
}
