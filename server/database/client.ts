import { PrismaPg } from "@prisma/adapter-pg";
import { Pool } from "pg";
import { type Prisma, PrismaClient } from "../../prisma/generated/client.ts";

/** The database as every process of ours sees it. */
export type Database = PrismaClient;
/** A database inside a transaction; a `Database` fits too. */
export type Tx = Prisma.TransactionClient;

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
  return new PrismaClient({
    adapter,
    errorFormat: "minimal",
    transactionOptions: { maxWait: timeouts.connectMs, timeout: timeouts.statementMs },
  });
}
