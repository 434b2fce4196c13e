import type { Layer } from "../layers/kit.ts";
import type { Problem } from "./check.ts";
import type { Node } from "./document.ts";

type Placed = { node: Node; layer: Layer };

/** A node with what stands before its first port, the nearest first: as far as layers change no value, and the first that does. */
type Place = Placed & { before: readonly Placed[] };

/** Fixes name other nodes of the same body by their ids. */
type Hint = Pick<Problem, "message" | "hint" | "fixes">;

/** What would run, but is probably not meant, each said once. A rule gives a hint, or null where all is well. */
const rules: readonly ((place: Place) => Hint | null)[] = [
  function affineAfterAffine({ layer, before }) {
    if (layer.trait !== "affine" || before.at(-1)?.layer.trait !== "affine") return null;
    return {
      message: `Two ${layer.title} layers in a row can do no more than one.`,
      hint: "Put an activation between them.",
      fixes: [
        { kind: "insert", label: "Insert ReLU", nodes: [{ type: "relu", params: {} }], port: firstPort(layer) },
        { kind: "insert", label: "Insert GELU", nodes: [{ type: "gelu", params: {} }], port: firstPort(layer) },
      ],
    };
  },

  function activationTwice({ node, layer, before }) {
    const [last] = before;
    if (layer.category !== "activation" || last?.node.type !== node.type || JSON.stringify(last.node.params) !== JSON.stringify(node.params)) return null;
    return {
      message: `Two ${layer.title} in a row: the second adds nothing that a layer between them would not do better.`,
      hint: "Remove one, or put a layer with weights between them.",
      fixes: [{ kind: "remove-node", label: `Remove this ${layer.title}` }],
    };
  },

  /** @see https://arxiv.org/abs/1801.05134 */
  function statisticsAfterDropout({ layer, before }) {
    const dropout = before.find((one) => one.layer.category === "regularization");
    if (layer.trait !== "statistics" || !dropout) return null;
    return {
      message: `${layer.title} after ${dropout.layer.title} learns how far values spread while some are dropped, which is not how they spread when the model is used.`,
      hint: `Put ${dropout.layer.title} behind ${layer.title} and its activation.`,
      fixes: [{ kind: "remove-node", label: `Remove ${dropout.layer.title}`, node: dropout.node.id }],
    };
  },
];

/** Whether a rule could have something to say about it, wherever it stands. */
export function canLint({ layer }: Placed): boolean {
  return layer.category === "activation" || layer.trait === "affine" || layer.trait === "statistics";
}

/** The hints about a node in its place. */
export function lint(place: Place): Hint[] {
  return rules.flatMap((rule) => rule(place) ?? []);
}

const firstPort = ({ inputs }: Layer) => Object.keys(inputs)[0] ?? "x";
