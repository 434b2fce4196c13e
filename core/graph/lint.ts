import { say } from "../language/say.ts";
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
  function affineAfterAffine({ node, layer, before }) {
    const last = before.at(-1);
    if (layer.trait !== "affine" || last?.layer.trait !== "affine") return null;
    // A code far narrower than what reads it is meant: as an autoencoder's, or a matrix of low rank.
    if (widthOf(last) * 4 <= widthOf({ node, layer })) return null;
    return {
      message: say("Two {title} layers in a row can do no more than one.", { title: layer.title }),
      hint: say("Put an activation between them."),
      fixes: [
        { kind: "insert", label: say("Insert ReLU"), nodes: [{ type: "relu", params: {} }], port: firstPort(layer) },
        { kind: "insert", label: say("Insert GELU"), nodes: [{ type: "gelu", params: {} }], port: firstPort(layer) },
      ],
    };
  },

  function activationTwice({ node, layer, before }) {
    const [last] = before;
    if (layer.category !== "activation" || last?.node.type !== node.type || JSON.stringify(last.node.params) !== JSON.stringify(node.params)) return null;
    return {
      message: say("Two {title} in a row: the second adds nothing that a layer between them would not do better.", { title: layer.title }),
      hint: say("Remove one, or put a layer with weights between them."),
      fixes: [{ kind: "remove-node", label: say("Remove this {title}", { title: layer.title }) }],
    };
  },

  /** @see https://arxiv.org/abs/1801.05134 */
  function statisticsAfterDropout({ layer, before }) {
    const dropout = before.find((one) => one.layer.category === "regularization");
    if (layer.trait !== "statistics" || !dropout) return null;
    return {
      message: say("{title} after {title2} learns how far values spread while some are dropped, which is not how they spread when the model is used.", {
        title: layer.title,
        title2: dropout.layer.title,
      }),
      hint: say("Put {title} behind {title2} and its activation.", { title: dropout.layer.title, title2: layer.title }),
      fixes: [{ kind: "remove-node", label: say("Remove {title}", { title: dropout.layer.title }), node: dropout.node.id }],
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

/** How many features a layer gives; NaN where no parameter says. */
const widthOf = ({ node, layer }: Placed): number => Number(layer.widthParam ? node.params[layer.widthParam] : Number.NaN);

const firstPort = ({ inputs }: Layer) => Object.keys(inputs)[0] ?? "x";
