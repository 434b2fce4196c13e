/** How much one graph may hold. Beyond it, checks answer GRAPH_LIMIT and stop, so that their time stays bounded. */
export const LIMITS = {
  nodeCount: 2000,
  edgeCount: 10_000,
  /** With the copies in stacks and the insides of composed layers. */
  composedNodeCount: 20_000,
  /** Bodies within bodies. */
  nesting: 16,
  jsonBytes: 2 * 1024 * 1024,
  /** Brackets within brackets in the saved text. */
  jsonDepth: 64,
  /** Numbers in one tensor, for one sample where the batch is symbolic. */
  tensorElements: 2 ** 31 - 1,
  /** All weights together. */
  weightBytes: 2 * 1024 ** 3,
} as const;
