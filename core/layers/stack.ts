import { say } from "../language/say.ts";
import { block } from "./block.ts";
import { singleInputs } from "./composed.ts";
import { defineLayer, type InputPorts, isSameType, startBody } from "./kit.ts";
import { p } from "./params.ts";
import { describeType, needOutput } from "./zone.ts";

const MAX_COPIES = 256;

export const stack = defineLayer({
  type: "stack",
  title: "StackN",
  category: "block",
  doc: "Puts several copies of its body one behind the other, each with weights of its own: the layers of a transformer, the blocks of a stage.",
  formula: "y = bodyₙ(… body₂(body₁(x)))",
  when: "For deep networks of equal parts. To use the same weights each time, switch share_weights on, or take Repeat where the count depends on data.",
  keywords: ["repeat", "times", "copies", "layers", "module list", "depth", "sequential"],
  params: {
    n: p.int({ min: 1, max: MAX_COPIES, default: 4, doc: "How many copies." }),
    share_weights: p.bool({ default: false, doc: "All copies use the weights of the first." }),
  },
  inputs: {} as InputPorts,
  ports: block.ports,
  bodies: {
    body: {
      doc: "One copy. What it gives as y goes into x of the next; other outputs go into the input of the same name. Inputs without such an output reach each copy.",
      start: startBody(),
    },
  },
  summary: ({ n, share_weights }) => `×${n}${share_weights ? ", shared weights" : ""}`,
  compose: ({ n, share_weights }, _, { bodies }) => {
    const body = bodies && Object.hasOwn(bodies, "body") ? bodies.body : undefined;
    if (!body) return { problem: say("Its body is missing."), code: "GRAPH_BODY", hint: say("Delete the node and add it again.") };
    return Object.fromEntries(rolesOf(share_weights ? 1 : n).map((role) => [role, body]));
  },
  infer: ({ n, share_weights }, inputs, bodies) => {
    let carried = singleInputs(inputs);
    let outputs: typeof carried = {};
    for (const role of rolesOf(share_weights ? 1 : n)) {
      const given = bodies(role, carried);
      if (!given) return null;
      if (Object.keys(given).length === 0) return needOutput("StackN", "body");
      outputs = given;
      const next = handOver(carried, outputs);
      if (share_weights) {
        const changed = Object.entries(next).find(([name, type]) => carried[name] && !isSameType(type, carried[name]));
        if (changed) {
          const [name, type] = changed;
          return {
            problem: say("With shared weights each copy must give what it takes, but {name} goes from {name2} to {type}.", {
              name,
              name2: describeType(carried[name] ?? type),
              type: describeType(type),
            }),
            code: "GRAPH_BODY",
            hint: say("Switch share_weights off, or keep the size."),
            fixes: [{ kind: "set-param", label: say("Give each copy weights of its own"), name: "share_weights", value: false }],
          };
        }
      }
      carried = next;
    }
    return { outputs };
  },
  lower: ({ n, share_weights }, inputs, b) => runCopies(n, share_weights, singleInputs(inputs), (role, args) => b.body(role, args)),
  onnx: ({ n, share_weights }, inputs, b) =>
    Object.fromEntries(Object.entries(runCopies(n, share_weights, singleInputs(inputs), (role, args) => b.body(role, args))).map(([port, { name }]) => [port, name])),
  torch: ({ n, share_weights }) => (share_weights ? { chain: ["0"], times: n } : { chain: rolesOf(n) }),
  cost: ({ n, share_weights }, _, bodies) => ({ multiplyAdds: Object.values(bodies).reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0) * (share_weights ? n : 1) }),
  examples: [
    { params: { n: 3 }, inputs: { x: [2, 4] }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) } },
    {
      params: { n: 3, share_weights: true },
      inputs: { x: [2, 4] },
      bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "tanh" }) },
    },
    { params: { n: 2 }, inputs: { x: [2, 3] }, bodies: { body: startBody({ type: "linear", params: { out_features: 5 } }) } },
  ],
});

/** The copies by role: `0`, `1`, … */
function rolesOf(n: number): string[] {
  return Array.from({ length: n }, (_, i) => String(i));
}

function runCopies<T>(n: number, isShared: boolean, args: { [name: string]: T }, run: (role: string, args: { [name: string]: T }) => { [name: string]: T }): { [name: string]: T } {
  let carried = args;
  let outputs: { [name: string]: T } = {};
  for (const role of rolesOf(n)) {
    outputs = run(isShared ? "0" : role, carried);
    carried = handOver(carried, outputs);
  }
  return outputs;
}

/** What the next copy takes: y as its x, other results under their own names, and all else as it came. */
export function handOver<T>(carried: { [name: string]: T }, outputs: { [name: string]: T }): { [name: string]: T } {
  const next = { ...carried };
  for (const [name, value] of Object.entries(outputs)) {
    const into = name === "y" && !Object.hasOwn(carried, "y") ? "x" : name;
    if (Object.hasOwn(carried, into)) next[into] = value;
  }
  return next;
}
