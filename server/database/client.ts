import { PrismaPg } from "@prisma/adapter-pg";
import { Pool } from "pg";
import { type Prisma, PrismaClient } from "../../prisma/generated/client.ts";

/** The database as every process of ours sees it. */
export type Database = PrismaClient;
/** A database inside a transaction; a `Database` fits too. */
export type Tx = Prisma.TransactionClient;
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
  const adapter = new PrismaPg(pool, {
    disposeExternalPool: true,
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
/** Names of statements that connections keep prepared. There are as many as there are texts in our code. */
const names = new Map<string, string>();

/**
 * Reads several times out of one moment of the database, by the driver itself: on its way through Prisma's client a megabyte of bytes
 * is turned over so often that it costs more than reading it.
 */
export async function readSnapshot<T>(db: Database, read: (ask: Ask) => Promise<T>): Promise<T> {
  const pool = pools.get(db);
  if (pool === undefined) throw new Error("This database was not opened by openDatabase.");
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const result = await read(async (sql) => {
      const name = names.get(sql.text) ?? `read ${names.size}`;
      names.set(sql.text, name);
      return (await client.query({ name, text: sql.text, values: sql.values })).rows;
    });
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // Whatever went wrong, a connection in the middle of a transaction is nobody else's: the pool makes a new one.
    broken = error instanceof Error ? error : new Error("The snapshot could not be read.", { cause: error });
    throw error;
  } finally {
    client.release(broken);
  }
}
