import { singleInputs } from "./composed.ts";
import { bodyInputs } from "./input.ts";
import { defineLayer, type InputPorts, startBody } from "./kit.ts";
import { bodyOutputs } from "./output.ts";
import { p } from "./params.ts";

export const block = defineLayer({
  type: "block",
  title: "Block",
  category: "block",
  doc: "Holds a part of the network under one name; its inputs and outputs are those of its body.",
  keywords: ["group", "subgraph", "module", "function", "residual block"],
  formula: "y = body(x)",
  when: "To give a part of the network a name, to use it in several places, or to tidy a large drawing.",
  params: { definition: p.text({ default: "", pattern: /^[\w-]{0,64}$/, hidden: true, doc: "The shared definition whose copy this is; empty for a block of its own." }) },
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
    const outputs = bodies("body", singleInputs(inputs));
    return outputs && { outputs };
  },
  lower: (_, inputs, b) => b.body("body", singleInputs(inputs)),
  onnx: (_, inputs, b) => Object.fromEntries(Object.entries(b.body("body", singleInputs(inputs))).map(([port, { name }]) => [port, name])),
  torch: () => ({ is: "body" }),
  examples: [{ inputs: { x: [2, 3] }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "relu" }) } }],
});
