import type { Manifest } from "../data/manifest.ts";
import { checkGraph } from "../graph/check.ts";
import type { Graph, Node, Tuning } from "../graph/document.ts";
import { splitPath } from "../graph/path.ts";
import { untuned } from "../graph/tuning.ts";
import { say } from "../language/say.ts";
import { dataFor, taskNamed } from "../tasks/index.ts";
import { objectiveOf } from "../training/objective.ts";
import type { RunSettings } from "../training/settings.ts";

/** A run whose weights are to learn something else: its graph, its settings, and the data that it learned from. */
export type OwnRun = { graph: Graph; settings: RunSettings; data: Manifest };

export const OWN_DEPTHS = ["head", "all"] as const;
type OwnDepth = (typeof OWN_DEPTHS)[number];

/** `isNewHead`: the last layer is drawn anew, for classes that the run did not know. */
type OwnPlan = { graph: Graph; settings: Omit<RunSettings, "datasetId">; isNewHead: boolean; why: null } | { why: string };

/** What was learned before moves more slowly than a new last layer, and after it. */
const BEFORE: Tuning = { lrScale: 0.1, fromEpoch: 1 };
/** A network that goes on as it is, on other rows, goes on more slowly. */
const SLOWER = 0.3;

/**
 * A run's network for another data set: its last layer drawn anew where the classes are others, the rest as it learned it. With `head` the last layer
 * learns alone; with `all` the rest follows more slowly. The sentence says why a run cannot be the start.
 */
export function planOwnRun({ graph, settings, data }: OwnRun, wanted: Manifest, depth: OwnDepth): OwnPlan {
  const manifest = dataFor(wanted, settings.task);
  if (!manifest || manifest.task !== data.task) return { why: say("It learned {task}, for which these data are not.", { task: taskNamed(data.task).title.toLowerCase() }) };
  if (manifest.text?.tokens.join("\n") !== data.text?.tokens.join("\n")) return { why: say("It reads texts with another vocabulary.") };
  if (manifest.columns.join("\n") !== data.columns.join("\n")) return { why: say("It knows a table of other columns.") };
  const head = findHead(graph);
  const isNewHead = manifest.classes.join("\n") !== data.classes.join("\n");
  if (isNewHead && !head) return { why: say("Its last layer stands inside a block: open the run's network on the canvas and give it one for these classes.") };
  const whole = untuned(graph);
  const drawn = isNewHead && head ? withNewHead(whole, head, manifest.classes.length) : { graph: whole, headId: head?.node.id ?? null };
  const withWeights = new Set([...checkGraph(drawn.graph).weights.keys()].map((path) => topOf(path)));
  const tuningOf = ({ id }: Node): Tuning | null => {
    if (!withWeights.has(id) || id === drawn.headId) return null;
    if (depth === "head") return { frozen: true };
    return isNewHead ? BEFORE : null;
  };
  const tuned: Graph = {
    ...drawn.graph,
    nodes: drawn.graph.nodes.map((node) => {
      const tuning = tuningOf(node);
      return tuning ? { ...node, tuning } : node;
    }),
  };
  const { datasetId: _, ...kept } = settings;
  const next = { ...kept, batchSize: Math.min(kept.batchSize, manifest.splits.train.rows), lr: isNewHead ? kept.lr : kept.lr * SLOWER };
  const [problem] = checkGraph(tuned, { ...objectiveOf(next), data: manifest }).problems.filter(({ severity }) => severity === "error");
  return problem ? { why: problem.message } : { graph: tuned, settings: next, isNewHead, why: null };
}

type Head = { node: Node; size: "out_features" | "out_channels" };

/** The last layer with a number of outputs of its own, where nothing but layers without weights stands behind it. */
function findHead({ nodes, edges }: Graph): Head | null {
  let at = nodes.find(({ type, name }) => type === "output" && (name === undefined || name === "y"))?.id;
  for (let hops = 0; at !== undefined && hops < nodes.length; hops++) {
    const into = edges.filter(({ to }) => to.node === at);
    const node = into.length === 1 ? nodes.find(({ id }) => id === into[0]?.from.node) : undefined;
    if (!node || node.bodies || node.weightsOf !== undefined || nodes.some(({ weightsOf }) => weightsOf === node.id)) return null;
    for (const size of ["out_features", "out_channels"] as const) if (size in node.params) return { node, size };
    at = node.id;
  }
  return null;
}

/** Under a name of its own, so that no weights that were learned for other classes are put into it. */
function withNewHead(graph: Graph, { node: head, size }: Head, classes: number): { graph: Graph; headId: string } {
  let headId = "new_head";
  for (let n = 2; graph.nodes.some(({ id }) => id === headId); n++) headId = `new_head_${n}`;
  const moved = <T extends { node: string }>(end: T): T => (end.node === head.id ? { ...end, node: headId } : end);
  return {
    headId,
    graph: {
      ...graph,
      nodes: graph.nodes.map((node) => (node.id === head.id ? { ...node, id: headId, name: "New head", params: { ...node.params, [size]: classes } } : node)),
      edges: graph.edges.map((edge) => ({ ...edge, from: moved(edge.from), to: moved(edge.to) })),
    },
  };
}

function topOf(path: string): string {
  const { steps, id } = splitPath(path);
  return steps[0]?.node ?? id;
}
