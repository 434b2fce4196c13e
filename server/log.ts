import { type Logger, pino } from "pino";
import { config } from "./config.ts";

export type Log = Logger;

/** A process's log: one JSON line an event on the standard output, which the supervisor puts into DATA_DIR/logs. Secrets are never given to it. */
export function openLog(name: string): Log {
  const output = pino.destination({ fd: 1, sync: true, maxLength: 1 << 20 });
  // Without a listener, a line that cannot be written, as on a full disk, keeps the process from ending. It is tried again with the next one.
  output.on("error", () => {});
  return pino(
    {
      name,
      level: config().LOG_LEVEL,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: pino.stdSerializers.errWithCause },
      redact: { paths: ["url", "password", "DATABASE_URL", "*.connectionString"], censor: "[kept back]" },
    },
    output,
  );
}
