import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as Y from "yjs";
import { z } from "zod";
import { SharedGraph } from "../../core/graph/shared.ts";
import { say } from "../../core/language/say.ts";
import { STREAM_CHECK_MS } from "../auth/session.ts";
import type { Database, Tx } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { GraphInput, Id } from "../input.ts";
import { keptGraph } from "./graph.ts";

/** One edit in base64: some hundred bytes as a rule; a whole pasted graph at most. */
const UPDATE_BYTES = 3 * 1024 * 1024;
/** A document that edits have made larger than this begins anew from its graph, once nobody has it open. */
const DOCUMENT_BYTES = 4 * 1024 * 1024;
/** How often the database is asked whether another process has written one of the open documents. */
const POLL_MS = 700;
/** Who has not been heard of for so long has gone, though the connection has not noticed. */
const GONE_MS = 45_000;
/** Documents that nobody has open any more, but may open again at once: reading a large one takes a moment. */
const IDLE_ROOMS = 4;
/** Readers of one document at a time; cursors of more would hide the drawing. */
const PEOPLE_LIMIT = 64;

const ClientId = z.string().regex(/^[\w-]{1,40}$/);
const Base64 = z
  .string()
  .max(Math.ceil(UPDATE_BYTES / 3) * 4, say("One edit takes at most 3 MiB."))
  .regex(/^[A-Za-z0-9+/]+={0,2}$/);

export const WatchModel = z.strictObject({ modelId: Id, clientId: ClientId, lastEventId: z.string().max(100).nullish() });
export const PushEdits = z.strictObject({ modelId: Id, epoch: z.string().max(64), update: Base64 });
export const PointAt = z.strictObject({
  modelId: Id,
  clientId: ClientId,
  /** The body that is open, as ids and roles. */
  scope: z.array(z.strictObject({ node: z.string().max(64), role: z.string().max(64) })).max(16),
  cursor: z.strictObject({ x: z.number().finite(), y: z.number().finite() }).nullable(),
  nodes: z.array(z.string().max(64)).max(100),
});

/** Somebody who has the document open. */
export type Person = { clientId: string; name: string } & Pick<z.infer<typeof PointAt>, "scope" | "cursor" | "nodes">;

/** What readers are told: first the whole document, then each edit; and who is there, whenever that changes. */
export type LiveNews = { epoch: string; revision: number; update?: string; people?: Person[] };

type Row = { revision: number; documentRevision: number | null };
type Room = {
  modelId: string;
  orgId: string;
  shared: SharedGraph;
  /** The document as the database has it. */
  document: Uint8Array;
  revision: number;
  people: Map<string, Person & { seenMs: number }>;
  readers: Map<string, (news: LiveNews) => void>;
};

/** The documents that people have open, in this process. PostgreSQL holds the truth: each edit is merged and stored before anybody else hears of it. */
export class LiveModels {
  readonly #db: Database;
  readonly #rooms = new Map<string, Room>();
  readonly #turns = new Map<string, Promise<unknown>>();
  #polling = false;
  #closed = false;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Merges an edit into the document and stores both forms of it.
   * @throws AppError NOT_FOUND; GRAPH_CONFLICT where the edit is of another document, as after it began anew; INPUT_SHAPE and GRAPH_TOO_LARGE
   * where what comes of it is not a graph: nothing is kept of the edit then.
   */
  async push(orgId: string, { modelId, epoch, update }: z.infer<typeof PushEdits>): Promise<{ revision: number }> {
    const bytes = Buffer.from(update, "base64");
    return this.#inTurn(modelId, async () => {
      let told: LiveNews | undefined;
      try {
        const revision = await this.#db.$transaction(async (tx) => {
          const room = await this.#open(tx, orgId, modelId);
          if (room.shared.epoch !== epoch)
            throw new AppError("GRAPH_CONFLICT", say("This model's document began anew since you opened it: it is being opened again, with your edits."));
          const merged = mergeInto(room, bytes);
          if (merged === null) return room.revision;
          await this.#store(tx, room);
          told = { epoch, revision: room.revision, update: encode(merged) };
          return room.revision;
        });
        if (told) this.#tell(modelId, told);
        return { revision };
      } catch (error) {
        // What is in memory may be ahead of the database now.
        this.#forget(modelId);
        throw error;
      }
    });
  }

  /** The document and everything that becomes of it, until the signal aborts, the session ends or the model is deleted. */
  async watch(
    orgId: string,
    { modelId, clientId, name }: { modelId: string; clientId: string; name: string },
    signal: AbortSignal,
    isAllowed: () => Promise<boolean>,
  ): Promise<AsyncGenerator<LiveNews>> {
    const room = await this.#inTurn(modelId, () => this.#db.$transaction((tx) => this.#open(tx, orgId, modelId)));
    if (room.people.size >= PEOPLE_LIMIT && !room.people.has(clientId))
      throw new AppError("QUEUE_FULL", say("{PEOPLE_LIMIT} people have this model open, the most that it takes.", { PEOPLE_LIMIT }));
    return this.#read(modelId, clientId, name, signal, isAllowed);
  }

  /** Says where somebody is. Nothing where they do not read the document in this process. */
  point(orgId: string, { modelId, clientId, scope, cursor, nodes }: z.infer<typeof PointAt>): void {
    const room = this.#rooms.get(modelId);
    const person = room?.orgId === orgId ? room.people.get(clientId) : undefined;
    if (!room || !person) return;
    room.people.set(clientId, { ...person, scope, cursor, nodes, seenMs: Date.now() });
    this.#tellPeople(room);
  }

  close(): void {
    this.#closed = true;
    for (const room of this.#rooms.values()) for (const wake of room.readers.values()) wake({ epoch: "", revision: -1 });
  }

  async *#read(modelId: string, clientId: string, name: string, signal: AbortSignal, isAllowed: () => Promise<boolean>): AsyncGenerator<LiveNews> {
    const news: LiveNews[] = [];
    let wake = () => {};
    const reader = `${clientId} ${randomUUID()}`;
    const room = this.#rooms.get(modelId);
    if (!room) return;
    room.readers.set(reader, (one) => {
      news.push(one);
      wake();
    });
    room.people.set(clientId, { clientId, name, scope: [], cursor: null, nodes: [], seenMs: Date.now() });
    const stop = () => wake();
    signal.addEventListener("abort", stop);
    void this.#poll();
    try {
      yield { epoch: room.shared.epoch, revision: room.revision, update: encode(room.document), people: peopleOf(room) };
      this.#tellPeople(room);
      let allowedUntil = Date.now() + STREAM_CHECK_MS;
      while (!signal.aborted && !this.#closed) {
        if (Date.now() >= allowedUntil) {
          allowedUntil = Date.now() + STREAM_CHECK_MS;
          if (!(await isAllowed())) return;
        }
        const next = news.shift();
        if (next) {
          if (next.revision < 0) return;
          // Of several lists of people only the last says anything.
          if (next.people && !next.update && news.some((later) => later.people && !later.update)) continue;
          yield next;
          continue;
        }
        await new Promise<void>((done) => {
          const timer = setTimeout(done, Math.max(0, allowedUntil - Date.now()));
          wake = () => {
            clearTimeout(timer);
            done();
          };
        });
      }
    } finally {
      signal.removeEventListener("abort", stop);
      const now = this.#rooms.get(modelId) ?? room;
      now.readers.delete(reader);
      if (![...now.readers.keys()].some((other) => other.startsWith(`${clientId} `))) now.people.delete(clientId);
      this.#tellPeople(now);
      if (now.readers.size === 0) this.#leaveIdle(now);
    }
  }

  /** The room of a model as the database has it now; the row is locked until the transaction ends. */
  async #open(tx: Tx, orgId: string, modelId: string): Promise<Room> {
    const [row] = await tx.$queryRaw<Row[]>`
      SELECT "revision", "documentRevision" FROM "Model" WHERE "id" = ${modelId}::uuid AND "orgId" = ${orgId}::uuid AND "deletedAt" IS NULL FOR UPDATE`;
    if (!row) throw notFound("model");
    const known = this.#rooms.get(modelId);
    const isIdle = !known?.readers.size;
    if (known && known.revision === row.revision && known.orgId === orgId && !(isIdle && known.document.length > DOCUMENT_BYTES)) return known;
    const stored = await tx.model.findUniqueOrThrow({ where: { id: modelId, orgId }, select: { graph: true, document: true } });
    let { document } = stored;
    const isLarge = document !== null && document.length > DOCUMENT_BYTES && isIdle;
    let shared: SharedGraph;
    if (document === null || isLarge) shared = SharedGraph.of(keptGraph(stored.graph), randomUUID());
    else {
      const doc = new Y.Doc();
      Y.applyUpdate(doc, document);
      shared = new SharedGraph(doc);
    }
    // Written past the document: by a release that knew none, or in one piece. It goes in as an edit.
    if (document === null || row.documentRevision !== row.revision || isLarge) {
      shared.change(keptGraph(stored.graph));
      // Not an edit: the model stays as old as it was.
      document = Buffer.from(Y.encodeStateAsUpdate(shared.doc));
      await tx.$executeRaw`UPDATE "Model" SET "document" = ${document}, "documentRevision" = ${row.revision} WHERE "id" = ${modelId}::uuid AND "orgId" = ${orgId}::uuid`;
    }
    const room: Room = { modelId, orgId, people: new Map(), readers: new Map(), ...known, shared, document, revision: row.revision };
    this.#rooms.set(modelId, room);
    if (known) this.#tellAll(room, known);
    return room;
  }

  async #store(tx: Tx, room: Room): Promise<void> {
    room.revision += 1;
    const document = Buffer.from(Y.encodeStateAsUpdate(room.shared.doc));
    await tx.model.update({
      where: { id: room.modelId, orgId: room.orgId },
      data: { graph: room.shared.graph, document, revision: room.revision, documentRevision: room.revision },
      select: { id: true },
    });
    room.document = document;
  }

  /** Keeps a document that nobody reads any more for a while, and lets go of the one that was left longest ago. */
  #leaveIdle(room: Room): void {
    this.#rooms.delete(room.modelId);
    if (room.revision < 0) return;
    this.#rooms.set(room.modelId, room);
    const idle = [...this.#rooms.values()].filter(({ readers }) => readers.size === 0);
    for (const { modelId } of idle.slice(0, -IDLE_ROOMS)) this.#rooms.delete(modelId);
  }

  get #isRead(): boolean {
    return [...this.#rooms.values()].some(({ readers }) => readers.size > 0);
  }

  /** Readers of a room that was read anew get what they lack; all of it where it is another document. */
  #tellAll(room: Room, before: Room): void {
    const { epoch, doc } = room.shared;
    const update = epoch === before.shared.epoch ? Y.encodeStateAsUpdate(doc, Y.encodeStateVector(before.shared.doc)) : Y.encodeStateAsUpdate(doc);
    for (const tell of room.readers.values()) tell({ epoch, revision: room.revision, update: encode(update) });
  }

  #tell(modelId: string, news: LiveNews): void {
    for (const tell of this.#rooms.get(modelId)?.readers.values() ?? []) tell(news);
  }

  #tellPeople(room: Room): void {
    for (const tell of room.readers.values()) tell({ epoch: room.shared.epoch, revision: room.revision, people: peopleOf(room) });
  }

  /** Lets go of a document in memory; its readers stay, and the next access reads it from the database. */
  #forget(modelId: string): void {
    const room = this.#rooms.get(modelId);
    if (!room) return;
    if (room.readers.size === 0) this.#rooms.delete(modelId);
    else room.revision = -1;
  }

  /** Edits of one model go one after the other. */
  #inTurn<T>(modelId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(modelId) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.catch(() => {});
    this.#turns.set(modelId, settled);
    void settled.then(() => {
      if (this.#turns.get(modelId) === settled) this.#turns.delete(modelId);
    });
    return turn;
  }

  /** Finds what other processes, and writers of whole graphs, have done to the open documents; and who has gone. */
  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    while (this.#isRead && !this.#closed) {
      await sleep(POLL_MS);
      try {
        const open = [...this.#rooms.values()].filter(({ readers }) => readers.size > 0);
        const ids = open.map(({ modelId }) => modelId);
        const rows = await this.#db.$queryRaw<{ id: string; revision: number }[]>`SELECT "id", "revision" FROM "Model" WHERE "id" = ANY(${ids}::uuid[]) AND "deletedAt" IS NULL`;
        const revisions = new Map(rows.map(({ id, revision }) => [id, revision]));
        for (const { modelId, orgId, revision, people } of open) {
          const now = revisions.get(modelId);
          const room = this.#rooms.get(modelId);
          if (!room) continue;
          if (now === undefined) for (const tell of room.readers.values()) tell({ epoch: "", revision: -1 });
          else if (now > revision || revision < 0) await this.#inTurn(modelId, () => this.#db.$transaction((tx) => this.#open(tx, orgId, modelId)));
          const goneBefore = Date.now() - GONE_MS;
          const gone = [...people.values()].filter(({ seenMs, cursor }) => cursor && seenMs < goneBefore);
          for (const person of gone) people.set(person.clientId, { ...person, cursor: null });
          if (gone.length > 0) this.#tellPeople(room);
        }
      } catch {
        // The database is away: edits say so themselves.
        await sleep(500);
      }
    }
    this.#polling = false;
  }
}

/** Merges an edit; gives what is new to the readers, with what settling wrote, or null where it was known. */
function mergeInto(room: Room, bytes: Uint8Array): Uint8Array | null {
  const news: Uint8Array[] = [];
  const note = (update: Uint8Array) => news.push(update);
  room.shared.doc.on("update", note);
  const { epoch } = room.shared;
  try {
    Y.applyUpdate(room.shared.doc, bytes);
    room.shared.settle();
  } catch (cause) {
    throw new AppError("INPUT_SHAPE", say("This is not an edit of a model."), { cause });
  } finally {
    room.shared.doc.off("update", note);
  }
  if (room.shared.epoch !== epoch) throw new AppError("INPUT_SHAPE", say("This is not an edit of a model."));
  if (news.length === 0) return null;
  // Form, sizes and depth, as of any graph that comes from outside.
  const read = GraphInput.safeParse(room.shared.graph);
  if (!read.success)
    throw new AppError("INPUT_SHAPE", say("This edit does not lead to a graph: {message}.", { message: read.error.issues[0]?.message ?? say("it has another form") }));
  return Y.mergeUpdates(news);
}

function peopleOf(room: Room): Person[] {
  return [...room.people.values()].map(({ seenMs: _, ...person }) => person);
}

function encode(update: Uint8Array): string {
  return Buffer.from(update).toString("base64");
}
