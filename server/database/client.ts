import { PrismaPg } from "@prisma/adapter-pg";
import { Pool, type PoolClient, type QueryResult } from "pg";
import { Prisma, PrismaClient } from "../../prisma/generated/client.ts";
import { TENANT_ROLE } from "./walls.ts";

/** The database as every process of ours sees it. */
export type Database = PrismaClient;
/** A database inside a transaction; a `Database` fits too. */
export type Tx = Prisma.TransactionClient;
/** What statements are sent through: a `Database`, a `Tx`, or a `transact`. */
export type Sender = {
  $queryRaw<Rows>(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]): Promise<Rows>;
  $executeRaw(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]): Promise<number>;
};
/** Asks the database for rows. */
export type Ask = <Row extends object>(sql: Prisma.Sql) => Promise<Row[]>;

/** How long to wait before saying that the database is away. A hung server answers nothing, so the limits are also kept on our side. */
const timeouts = {
  /** Reaching the server, or waiting for one of our connections to come free. */
  connectMs: 3_000,
  /** One statement, counted by the server. */
  statementMs: 5_000,
  /** One statement, counted by us: a stopped server does not count. */
  answerMs: 4_500,
};

/** Opens the database. Connections are made when they are needed and end with `$disconnect()`. */
export function openDatabase(url: string, { connections = 10, name = "tensorloom" }: { connections?: number; name?: string } = {}): Database {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    application_name: name,
    connectionTimeoutMillis: timeouts.connectMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: timeouts.statementMs,
    query_timeout: timeouts.answerMs,
    // A client that dies inside a transaction must not keep a run locked.
    idle_in_transaction_session_timeout: 10_000,
  });
  // A connection that breaks while it is lent out says so twice: to the query that waits on it, and as an event that ends a process which does not listen.
  pool.on("connect", (client) => client.on("error", () => {}));
  const db = connect(scoped(pool, null), true);
  walls.set(db, { pool, tenants: new Map() });
  return db;
}

function connect(pool: Pool, isOwner: boolean): Database {
  const adapter = new PrismaPg(pool, {
    disposeExternalPool: isOwner,
    // A connection that breaks while idle is replaced at the next query; there is nobody to tell.
    onPoolError: () => {},
    onConnectionError: () => {},
  });
  const db = new PrismaClient({
    adapter,
    errorFormat: "minimal",
    transactionOptions: { maxWait: timeouts.connectMs, timeout: timeouts.statementMs },
  });
  pools.set(db, pool);
  return db;
}

const pools = new WeakMap<Database, Pool>();
/** Names of statements that connections keep prepared. Texts that grow with their values are many; the rest of them go without a name. */
const names = new Map<string, string>();
const MOST_NAMES = 200;

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMES) return known;
  names.set(text, `ours ${names.size}`);
  return names.get(text);
}

/**
 * Reads several times out of one moment of the database, by the driver itself: on its way through Prisma's client a megabyte of bytes
 * is turned over so often that it costs more than reading it.
 */
export function readSnapshot<T>(db: Database, read: (ask: Ask) => Promise<T>): Promise<T> {
  return within(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", (send) => read(async <Row extends object>(sql: Prisma.Sql) => (await send(sql)).rows as Row[]));
}

/** One transaction by the driver itself, all or nothing: what a trainer does ten times a second takes half of the time that it takes through Prisma's client. */
export function transact<T>(db: Database, work: (tx: Sender) => Promise<T>): Promise<T> {
  return within(db, "BEGIN", (send) => {
    const ask = (query: TemplateStringsArray | Prisma.Sql, values: unknown[]) => send("text" in query ? query : Prisma.sql(query, ...values));
    return work({
      $queryRaw: async <Rows>(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]) => (await ask(query, values)).rows as Rows,
      $executeRaw: async (query, ...values) => (await ask(query, values)).rowCount ?? 0,
    });
  });
}

async function within<T>(db: Database, begin: string, work: (send: (sql: Prisma.Sql) => Promise<QueryResult>) => Promise<T>): Promise<T> {
  const pool = pools.get(db);
  if (pool === undefined) throw new Error("This database was not opened by openDatabase.");
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work((sql) => {
      const name = nameOf(sql.text);
      return client.query({ ...(name === undefined ? {} : { name }), text: sql.text, values: sql.values });
    });
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // Whatever went wrong, a connection in the middle of a transaction is nobody else's: the pool makes a new one.
    broken = error instanceof Error ? error : new Error("The transaction could not be ended.", { cause: error });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Organizations whose clients are kept ready; the one that was not asked for the longest goes first. */
const MOST_TENANTS = 200;
const walls = new WeakMap<Database, { pool: Pool; tenants: Map<string, Database> }>();

/**
 * The same database behind the wall of one organization: every query, transaction and trigger runs as the tenant role, for which row-level
 * security shows that organization's rows and no others, whatever the query says. Shares the connections of `db`.
 */
export function walled(db: Database, orgId: string): Database {
  const behind = walls.get(db);
  if (!behind) throw new Error("Only a database that openDatabase opened has walls.");
  const tenant = behind.tenants.get(orgId) ?? connect(scoped(behind.pool, orgId), false);
  behind.tenants.delete(orgId);
  behind.tenants.set(orgId, tenant);
  const [oldest] = behind.tenants.keys();
  if (behind.tenants.size > MOST_TENANTS && oldest !== undefined) behind.tenants.delete(oldest);
  return tenant;
}

/** For whom a connection was last set up: an organization, null for the system. */
const scopes = new WeakMap<PoolClient, string | null>();

/** The pool as one organization may use it, or with null, the system: each connection is told for whom it works before it is handed out. */
function scoped(pool: Pool, orgId: string | null): Pool {
  async function enter(): Promise<PoolClient> {
    const client = await pool.connect();
    const before = scopes.get(client);
    if (before === orgId || (before === undefined && orgId === null)) return client;
    try {
      await client.query("SELECT set_config('role', $1, false), set_config('tensorloom.org', $2, false)", [orgId === null ? "none" : TENANT_ROLE, orgId ?? ""]);
      scopes.set(client, orgId);
      return client;
    } catch (error) {
      // Nobody may get a connection that is set up for we do not know whom.
      client.release(true);
      throw error;
    }
  }
  const view: Pool = Object.create(pool);
  const query = async (...args: [string]) => {
    const client = await enter();
    let broken: Error | undefined;
    try {
      return await client.query(...args);
    } catch (error) {
      broken = error as Error;
      throw error;
    } finally {
      client.release(broken);
    }
  };
  return Object.assign(view, { connect: enter, query, ...(orgId === null ? {} : { on: () => view, removeListener: () => view }) });
}
