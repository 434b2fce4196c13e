import { z } from "zod";

/** The version that this code writes. `migrate.ts` lifts older documents. */
export const SCHEMA_VERSION = 1;

/** A JSON value as it stands in a saved document; a layer's own schema gives it a type. */
export const Json: z.ZodType<Json> = z.lazy(() => z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(Json), z.record(z.string(), Json)]));
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Ids are opaque, unique within their body, and never shown. */
const Id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w-]+$/);

const Edge = z.strictObject({
  id: Id,
  from: z.strictObject({ node: Id, port: z.string().min(1).max(64) }),
  to: z.strictObject({ node: Id, port: z.string().min(1).max(64) }),
});

/** A wire from an output port to an input port of the same body. */
export type Edge = z.infer<typeof Edge>;

/**
 * How training treats a node's weights, and those of all inside it. What is not said here is as for the node around it; where nobody
 * says anything, weights learn at the full rate from the first epoch.
 */
const Tuning = z.strictObject({
  /** Its weights stay as they are, and it runs as in evaluation: running averages stand still, nothing is dropped. */
  frozen: z.boolean().optional(),
  /** Its weights learn, but what it keeps of batches and what it drops is as in evaluation: batch norm uses the averages it came with. */
  evaluates: z.boolean().optional(),
  /** Times the run's learning rate. */
  lrScale: z.number().min(0).max(1000).optional(),
  /** From this epoch on its weights learn; 0 is the first. */
  fromEpoch: z.int().min(0).max(10_000).optional(),
});
export type Tuning = z.infer<typeof Tuning>;

/**
 * One thing on the canvas. `type` names its layer, or a kind of furniture; a type that this build does not know is kept as it is,
 * drawn as a placeholder, and reported as a problem.
 */
export type Node = {
  id: string;
  type: string;
  /** Parameters that differ from the layer's defaults, by PyTorch's names. */
  params: { [name: string]: Json };
  at: { x: number; y: number };
  /** What the person calls it; empty means the layer's title. */
  name?: string;
  /** The sub-graphs of a block or a zone, by role: `body`, `then`, `else`, `condition`. */
  bodies?: { [role: string]: Body };
  /** It has no weights of its own where those of the node at this path have the same name and shape: tied weights. */
  weightsOf?: string;
  /** It hands its input on as it is, as if it were not there. */
  bypass?: true;
  tuning?: Tuning;
  /** Tidying up leaves it where it is. */
  pinned?: true;
};

/** A graph, or the inside of a block or zone. Order carries no meaning. */
export type Body = { nodes: Node[]; edges: Edge[] };

const Node: z.ZodType<Node> = z.lazy(() =>
  z.strictObject({
    id: Id,
    type: z.string().min(1).max(64),
    params: z.record(z.string(), Json),
    at: z.strictObject({ x: z.number(), y: z.number() }),
    name: z.string().max(120).optional(),
    bodies: z.record(z.string(), Body).optional(),
    weightsOf: z.string().min(1).max(1200).optional(),
    bypass: z.literal(true).optional(),
    tuning: Tuning.optional(),
    pinned: z.literal(true).optional(),
  }),
);

const Body: z.ZodType<Body> = z.lazy(() => z.strictObject({ nodes: z.array(Node).max(2000), edges: z.array(Edge).max(10_000) }));

/**
 * A parameter of a node inside a definition that stands on the outside of its instances, under a name of its own. `node` is the
 * path of that node inside the definition's body.
 */
const ExposedParam = z.strictObject({ name: z.string().regex(/^[A-Za-z]\w{0,39}$/), node: z.string().min(1).max(1200), param: z.string().min(1).max(64) });
export type ExposedParam = z.infer<typeof ExposedParam>;

/**
 * A reusable part, drawn once and used by any number of `block` nodes whose parameter `definition` is its id. Each of them holds
 * a copy of the body with its own values of the exposed parameters; edits of the definition are written into all copies, and `version` grows.
 */
const Definition = z.strictObject({
  name: z.string().min(1).max(120),
  doc: z.string().max(2000).optional(),
  version: z.int().min(1),
  body: Body,
  exposed: z.array(ExposedParam).max(64),
  /** The library entry it came from, and which version of that. */
  library: z.strictObject({ id: z.string().max(64), version: z.int().min(1) }).optional(),
});
export type Definition = z.infer<typeof Definition>;
export type Definitions = { readonly [id: string]: Definition };

export const Graph = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  nodes: z.array(Node).max(2000),
  edges: z.array(Edge).max(10_000),
  definitions: z.record(Id, Definition).optional(),
});

/** A whole model as people draw it: what is saved, versioned, frozen into a run. */
export type Graph = z.infer<typeof Graph>;

export const emptyGraph: Graph = { schemaVersion: SCHEMA_VERSION, nodes: [], edges: [] };
