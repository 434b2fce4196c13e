import { say } from "../language/say.ts";
import { accepts, type Fix, type Inputs } from "../layers/kit.ts";
import { readParams } from "../layers/params.ts";
import type { Node } from "./document.ts";
import { wiresInto } from "./order.ts";
import type { TensorType } from "./shape.ts";
import { type ReadNode, type Structure, titleOf } from "./structure.ts";

/** So many wires are offered for one input. */
const OFFERED = 2;
/** So many outputs are tried: inferring a layer's shapes is not free. */
const TRIED = 8;

type Outputs = ReadonlyMap<string, { [port: string]: TensorType }>;
type Offer = { source: ReadNode; port: string; type: TensorType; isFree: boolean; away: number };

/**
 * Wires that would feed an input that has none, best first: from outputs whose shape it takes as it is, of these from those that nothing reads yet, of
 * these from the nearest above. None closes a loop.
 */
export function offerWires(structure: Structure, outputs: Outputs, to: ReadNode, port: string): Fix[] {
  const taken = to.inputs[port];
  if (!taken) return [];
  const { feeds, isRead } = readWires(structure);
  const below = reached(feeds, to.node.id);
  const offers = [...structure.known.values()]
    .filter(({ node }) => !below.has(node.id))
    .flatMap((source) =>
      Object.entries(outputs.get(source.node.id) ?? {})
        .filter(([, type]) => accepts(taken, type.dtype))
        .map(([out, type]): Offer => ({ source, port: out, type, isFree: !isRead.has(`${source.node.id} ${out}`), away: awayFrom(source.node, to.node) })),
    )
    .sort((a, b) => Number(b.isFree) - Number(a.isFree) || a.away - b.away)
    .slice(0, TRIED);
  const fits = new Map(offers.map((offer) => [offer, isTaken(to, port, offer.type, outputs)]));
  return offers
    .sort((a, b) => Number(fits.get(b)) - Number(fits.get(a)))
    .slice(0, OFFERED)
    .map(({ source, port: out }) => ({
      kind: "connect",
      label:
        Object.keys(source.outputs).length > 1 ? say("Wire it from {source}, {out}", { source: titleOf(source), out }) : say("Wire it from {source}", { source: titleOf(source) }),
      from: { node: source.node.id, port: out },
      port,
    }));
}

function readWires({ known }: Structure): { feeds: ReadonlyMap<string, readonly string[]>; isRead: ReadonlySet<string> } {
  const feeds = new Map<string, string[]>();
  const isRead = new Set<string>();
  for (const read of known.values()) {
    for (const port of Object.keys(read.inputs)) {
      for (const { from } of wiresInto(read, port)) {
        feeds.set(from.node, [...(feeds.get(from.node) ?? []), read.node.id]);
        isRead.add(`${from.node} ${from.port}`);
      }
    }
  }
  return { feeds, isRead };
}

/** A node and all that its results go into. */
function reached(feeds: ReadonlyMap<string, readonly string[]>, id: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    open.push(...(feeds.get(at) ?? []));
  }
  return seen;
}

/** Data flows downward: what stands above is nearer than anything below. */
function awayFrom(source: Node, to: Node): number {
  const [x, y] = [to.at.x - source.at.x, to.at.y - source.at.y];
  return Math.hypot(x, y) + (y > 0 ? 0 : 1e6);
}

/** Whether a layer, as it is set, can read such a value. */
function isTaken(to: ReadNode, port: string, type: TensorType, outputs: Outputs): boolean {
  const { node, layer, inputs } = to;
  if (layer.boundary) return true;
  const given: Inputs<TensorType> = Object.create(null);
  for (const [name, { many }] of Object.entries(inputs)) {
    const types = name === port ? [type] : wiresInto(to, name).flatMap(({ from }) => outputs.get(from.node)?.[from.port] ?? []);
    if (many) given[name] = types;
    else if (types[0]) given[name] = types[0];
  }
  try {
    const answer = layer.infer(readParams(layer.params, node.params).values, given, () => null, node);
    return answer !== null && !("problem" in answer);
  } catch {
    // It needs more than what is wired to it yet.
    return false;
  }
}
