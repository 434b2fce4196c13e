import * as Y from "yjs";
import { fromBase64, toBase64 } from "../../core/data/base64.ts";
import type { Graph } from "../../core/graph/document.ts";
import type { SharedGraph } from "../../core/graph/shared.ts";

/** What has become of the work. `saving` and `failed` hold edits that are not on the server yet; they stay in the browser's own storage until they are. */
export type SaveState = { kind: "saved" } | { kind: "unsaved" } | { kind: "saving" } | { kind: "failed"; message: string; attempt: number };

/** Unsaved work, kept in the browser: edits of the document `epoch`, in base64; and the whole graph, for when there is no such document any more. */
export type Draft = { epoch: string; update: string; graph: Graph };

export type DraftStore = { read(modelId: string): Draft | null; write(modelId: string, draft: Draft): void; clear(modelId: string): void };

type Options = {
  modelId: string;
  shared: SharedGraph;
  /** Brings edits to the server, which merges them. The same edits twice are one. */
  push: (epoch: string, update: string) => Promise<{ revision: number }>;
  /** True when trying again cannot help. */
  isRefusal: (error: unknown) => boolean;
  drafts: DraftStore;
  onState: (state: SaveState) => void;
  onRevision: (revision: number) => void;
  delayMs?: number;
};

const DELAY_MS = 250;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

/** Whose changes of the document are not edits of this browser. */
const SERVER = "server";

/**
 * Brings the edits of a document to the server: a little after the last, one request at a time. What did not arrive is sent again,
 * until it does; the document on the canvas is never touched, and the draft goes only when the server has all of it.
 */
export class Autosave {
  readonly #o: Options;
  /** Edits that the server does not have yet. */
  #pending: Uint8Array[] = [];
  #state: SaveState = { kind: "saved" };
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running: Promise<void> | null = null;
  #attempt = 0;
  #closed = false;
  readonly #note = (update: Uint8Array, origin: unknown) => {
    if (origin !== SERVER) this.#add(update);
  };

  constructor(options: Options) {
    this.#o = options;
    options.shared.doc.on("update", this.#note);
  }

  get state(): SaveState {
    return this.#state;
  }

  get isClean(): boolean {
    return this.#pending.length === 0 && this.#running === null;
  }

  /** Takes in what the server has. */
  receive(update: string): void {
    Y.applyUpdate(this.#o.shared.doc, fromBase64(update), SERVER);
  }

  /** Goes on with edits that were kept when the page was left. */
  resume(update: string): void {
    const { doc } = this.#o.shared;
    const bytes = fromBase64(update);
    let isNews = false;
    const note = () => {
      isNews = true;
    };
    doc.on("update", note);
    Y.applyUpdate(doc, bytes, SERVER);
    doc.off("update", note);
    // What the server had already got changes nothing.
    if (isNews) this.#add(bytes);
    else this.#o.drafts.clear(this.#o.modelId);
  }

  /** Saves now what is not saved yet. False when the work could not be brought to the server. */
  async flush(): Promise<boolean> {
    this.#stopTimer();
    await this.#running;
    if (this.#pending.length > 0) await this.#start();
    return this.#pending.length === 0;
  }

  /** Stops. What is unsaved stays in the browser's storage, and one last request is sent on its way. */
  close(): void {
    if (this.#closed) return;
    void this.flush();
    this.#closed = true;
    this.#o.shared.doc.off("update", this.#note);
  }

  #add(update: Uint8Array): void {
    this.#pending.push(update);
    this.#keep();
    if (this.#state.kind === "saved") this.#set({ kind: "unsaved" });
    this.#attempt = 0;
    this.#schedule(this.#o.delayMs ?? DELAY_MS);
  }

  #keep(): void {
    const { drafts, modelId, shared } = this.#o;
    const pending = [...this.#pending];
    if (pending.length === 0) drafts.clear(modelId);
    else drafts.write(modelId, { epoch: shared.epoch, update: toBase64(Y.mergeUpdates(pending)), graph: shared.graph });
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
    const sent = this.#pending.length;
    if (sent === 0) return;
    const update = Y.mergeUpdates(this.#pending);
    this.#set({ kind: "saving" });
    try {
      const { revision } = await this.#o.push(this.#o.shared.epoch, toBase64(update));
      this.#pending = this.#pending.slice(sent);
      this.#attempt = 0;
      this.#keep();
      this.#o.onRevision(revision);
      if (this.#pending.length === 0) this.#set({ kind: "saved" });
      else {
        this.#set({ kind: "unsaved" });
        if (!this.#closed) this.#schedule(this.#o.delayMs ?? DELAY_MS);
      }
    } catch (error) {
      // One piece is kept: the next request says all of it at once.
      this.#pending = [update, ...this.#pending.slice(sent)];
      this.#attempt += 1;
      this.#set({ kind: "failed", message: error instanceof Error ? error.message : String(error), attempt: this.#attempt });
      if (!this.#closed && !this.#o.isRefusal(error)) this.#schedule(RETRY_MS[Math.min(this.#attempt, RETRY_MS.length) - 1] ?? 30_000);
    }
  }

  #set(state: SaveState): void {
    this.#state = state;
    this.#o.onState(state);
  }
}
