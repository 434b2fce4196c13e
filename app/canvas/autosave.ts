import type { Graph } from "../../core/graph/document.ts";

/**
 * What has become of the work. `saving` and `failed` hold edits that are not on the server yet; they stay in the browser's
 * own storage until they are. `conflict`: somebody else saved first, and a person must choose.
 */
export type SaveState = { kind: "saved" } | { kind: "unsaved" } | { kind: "saving" } | { kind: "failed"; message: string; attempt: number } | { kind: "conflict"; theirs: Saved };

/** A document as the server holds it. */
export type Saved = { revision: number; graph: Graph };

/** Unsaved work, kept in the browser. `revision` is the one it was based on. */
export type Draft = Saved;

export type DraftStore = { read(modelId: string): Draft | null; write(modelId: string, draft: Draft): void; clear(modelId: string): void };

type Options = {
  modelId: string;
  revision: number;
  /** What the server has. */
  graph: Graph;
  /** Saves on top of `revision` and gives the new one. */
  save: (revision: number, graph: Graph) => Promise<{ revision: number }>;
  /** What the server holds now; asked for when it says that the revision is not the latest. */
  load: () => Promise<Saved>;
  isConflict: (error: unknown) => boolean;
  /** True when trying again cannot help. */
  isRefusal: (error: unknown) => boolean;
  drafts: DraftStore;
  onState: (state: SaveState) => void;
  onRevision: (revision: number) => void;
  delayMs?: number;
};

const DELAY_MS = 600;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

/**
 * Saves a model while it is edited: a little after the last change, one request at a time, each on top of the revision before.
 * A save that fails is tried again and again; the document on the canvas is never touched.
 */
export class Autosave {
  readonly #o: Options;
  #revision: number;
  #savedGraph: Graph;
  #graph: Graph;
  #state: SaveState = { kind: "saved" };
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running: Promise<void> | null = null;
  /** What was last sent: if the answer got lost on its way, the "conflict" that follows is our own work. */
  #sent: Graph | null = null;
  #attempt = 0;
  #closed = false;

  constructor(options: Options) {
    this.#o = options;
    this.#revision = options.revision;
    this.#savedGraph = options.graph;
    this.#graph = options.graph;
  }

  get state(): SaveState {
    return this.#state;
  }

  /** Takes note of a changed document. */
  change(graph: Graph): void {
    if (this.#closed || graph === this.#graph) return;
    this.#graph = graph;
    if (graph === this.#savedGraph && !this.#running) {
      this.#stopTimer();
      this.#o.drafts.clear(this.#o.modelId);
      this.#set({ kind: "saved" });
      return;
    }
    this.#o.drafts.write(this.#o.modelId, { revision: this.#revision, graph });
    if (this.#state.kind === "conflict") return;
    if (this.#state.kind === "saved") this.#set({ kind: "unsaved" });
    this.#attempt = 0;
    this.#schedule(this.#o.delayMs ?? DELAY_MS);
  }

  /** Saves now what is not saved yet. False when the work could not be brought to the server. */
  async flush(): Promise<boolean> {
    this.#stopTimer();
    await this.#running;
    if (this.#state.kind === "conflict") return false;
    if (this.#graph !== this.#savedGraph) await this.#start();
    return this.#graph === this.#savedGraph;
  }

  /** After a conflict: go on from what the server has now. With `keep`, this canvas replaces it. */
  resolve(server: { revision: number; graph: Graph }, keep: boolean): void {
    this.#revision = server.revision;
    this.#savedGraph = server.graph;
    if (!keep) {
      this.#graph = server.graph;
      this.#o.drafts.clear(this.#o.modelId);
      this.#set({ kind: "saved" });
    } else {
      this.#set({ kind: "unsaved" });
      this.#schedule(0);
    }
  }

  /** Stops. What is unsaved stays in the browser's storage, and one last request is sent on its way. */
  close(): void {
    if (this.#closed) return;
    void this.flush();
    this.#closed = true;
  }

  #schedule(afterMs: number): void {
    this.#stopTimer();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#start();
    }, afterMs);
  }

  #start(): Promise<void> {
    if (this.#running) return this.#running;
    const run = this.#run().finally(() => {
      this.#running = null;
    });
    this.#running = run;
    return run;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #run(): Promise<void> {
    await null; // so that `#running` is set before anything below can end
    const graph = this.#graph;
    this.#set({ kind: "saving" });
    try {
      const { revision } = await this.#send(graph);
      this.#revision = revision;
      this.#savedGraph = graph;
      this.#attempt = 0;
      this.#o.onRevision(revision);
      if (this.#graph === graph) {
        this.#o.drafts.clear(this.#o.modelId);
        this.#set({ kind: "saved" });
      } else {
        this.#o.drafts.write(this.#o.modelId, { revision, graph: this.#graph });
        this.#set({ kind: "unsaved" });
        if (!this.#closed) this.#schedule(this.#o.delayMs ?? DELAY_MS);
      }
    } catch (error) {
      if (error instanceof Conflict) {
        this.#set({ kind: "conflict", theirs: error.theirs });
        return;
      }
      this.#attempt += 1;
      this.#set({ kind: "failed", message: error instanceof Error ? error.message : String(error), attempt: this.#attempt });
      if (!this.#closed && !this.#o.isRefusal(error)) this.#schedule(RETRY_MS[Math.min(this.#attempt, RETRY_MS.length) - 1] ?? 30_000);
    }
  }

  async #send(graph: Graph): Promise<{ revision: number }> {
    const before = this.#sent;
    this.#sent = graph;
    try {
      return await this.#o.save(this.#revision, graph);
    } catch (error) {
      if (!this.#o.isConflict(error)) throw error;
      const theirs = await this.#o.load();
      if (sameJson(theirs.graph, graph)) return theirs;
      if (before && sameJson(theirs.graph, before)) return await this.#o.save(theirs.revision, graph);
      throw new Conflict(theirs);
    }
  }

  #set(state: SaveState): void {
    this.#state = state;
    this.#o.onState(state);
  }
}

class Conflict extends Error {
  readonly theirs: Saved;
  constructor(theirs: Saved) {
    super("The model was changed elsewhere.");
    this.theirs = theirs;
  }
}

/** Whether two JSON values say the same; the order of keys says nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = new Map(Object.entries(b).filter(([, value]) => value !== undefined));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)));
}
