/** A full chunk of buckets. `steps` is null where whoever read it could tell them from the places. */
export type Chunk = { steps: Int32Array | null; values: Float64Array };

/**
 * Chunks of buckets by name, the ones last used, up to a number of bytes. Only what never changes may be put here: a chunk that is full, under
 * a name that says how often its run was rewound.
 */
export class ChunkCache {
  readonly #limitBytes: number;
  readonly #chunks = new Map<string, Chunk>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get(name: string): Chunk | undefined {
    const chunk = this.#chunks.get(name);
    if (chunk === undefined) return undefined;
    // A map keeps the order of its entries: the last one used goes to its end.
    this.#chunks.delete(name);
    this.#chunks.set(name, chunk);
    return chunk;
  }

  put(name: string, chunk: Chunk): void {
    const before = this.#chunks.get(name);
    this.#chunks.delete(name);
    this.#chunks.set(name, chunk);
    this.#bytes += sizeOf(chunk) - (before ? sizeOf(before) : 0);
    for (const [oldest, { steps, values }] of this.#chunks) {
      if (this.#bytes <= this.#limitBytes) break;
      this.#chunks.delete(oldest);
      this.#bytes -= sizeOf({ steps, values });
    }
  }

  get bytes(): number {
    return this.#bytes;
  }
}

function sizeOf({ steps, values }: Chunk): number {
  return (steps?.byteLength ?? 0) + values.byteLength;
}
