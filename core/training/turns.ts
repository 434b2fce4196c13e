import { say } from "../language/say.ts";
import type { RunSettings } from "./settings.ts";

/** What one of several optimizers of a run does: it alone trains what stands at these nodes, by the further losses of these outputs. */
export type Turn = Readonly<Pick<RunSettings["furtherOptimizers"][number], "nodes" | "outputs">>;

type Weight = { name: string; node: string; trainable: boolean };

/** Whether a weight stands at one of the nodes, or within one of them. */
const standsAt = ({ node }: Weight, paths: readonly string[]): boolean => paths.some((path) => node === path || node.startsWith(`${path}/`));

/** The weights that each further optimizer trains, by name; or what is wrong, with the node it is about. The main optimizer has the rest. */
export function shareWeights(further: readonly Turn[], weights: readonly Weight[]): { shares: string[][] } | { problems: { node: string; problem: string; hint: string }[] } {
  const problems: { node: string; problem: string; hint: string }[] = [];
  const trainable = weights.filter((weight) => weight.trainable);
  const takenBy = new Map<string, number>();
  const shares = further.map(({ nodes }, index) => {
    for (const node of nodes)
      if (!trainable.some((weight) => standsAt(weight, [node])))
        problems.push({
          node,
          problem: say("Optimizer {index} is to train “{node}”, which has no weights of its own that learn.", { index: index + 2, node }),
          hint: say("Choose a node with weights; where a node uses those of another, choose that one."),
        });
    return trainable
      .filter((weight) => standsAt(weight, nodes))
      .map((weight) => {
        const other = takenBy.get(weight.name);
        if (other !== undefined && other !== index)
          problems.push({
            node: weight.node,
            problem: say("Optimizers {other} and {index} are both to train “{node}”.", { other: other + 2, index: index + 2, node: weight.node }),
            hint: say("Take it out of one of them."),
          });
        takenBy.set(weight.name, index);
        return weight.name;
      });
  });
  const [first] = trainable;
  if (first && further.length > 0 && takenBy.size === trainable.length)
    problems.push({
      node: first.node,
      problem: say("The further optimizers train all weights, and none is left for the first."),
      hint: say("Leave it the nodes that the main loss is to train."),
    });
  return problems.length > 0 ? { problems } : { shares };
}
