import { say } from "../language/say.ts";
import { readParams } from "../layers/params.ts";
import { layerOf } from "./bypass.ts";
import type { Problem } from "./check.ts";
import type { Body } from "./document.ts";
import { type BodyStep, pathOf } from "./path.ts";

/**
 * Hints at every node, however deep, whose result at a step knows of the steps after it, for a model that learns to say at each step what the next one
 * is: it would find the answer in its input, and its training loss would mean nothing.
 */
export function findLookahead(body: Body, steps: readonly BodyStep[] = []): Problem[] {
  return body.nodes.flatMap((node) => {
    const layer = layerOf(node);
    const inside = Object.entries(node.bodies ?? {}).flatMap(([role, inner]) => findLookahead(inner, [...steps, { node: node.id, role }]));
    if (!layer?.lookahead) return inside;
    const wired = new Set(body.edges.filter(({ to }) => to.node === node.id).map(({ to }) => to.port));
    const cure = layer.lookahead(readParams(layer.params, node.params).values, wired);
    if (!cure) return inside;
    const path = pathOf(steps, node.id);
    return [
      {
        severity: "hint" as const,
        code: "GRAPH_LOOKAHEAD",
        message: say(
          "{title} lets each step see those after it, and what the model is to say at a step is the token of the next one: it would read the answer instead of learning to foretell it.",
          { title: layer.title },
        ),
        node: path,
        param: cure.name,
        hint: say("Set {name} to {value}.", { name: cure.name, value: String(cure.value) }),
        fixes: [
          { kind: "set-param" as const, label: say("Set {name} to {value}", { name: cure.name, value: String(cure.value) }), node: path, name: cure.name, value: cure.value },
        ],
      },
      ...inside,
    ];
  });
}
