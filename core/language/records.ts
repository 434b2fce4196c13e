import { say } from "./say.ts";

/** Fields of a record in a registry (a layer, a loss, a template) that people read. */
const READ = ["title", "doc", "when"] as const;
/** Fields that hold further records by name. */
const HELD = ["params", "inputs", "outputs", "bodies"] as const;

type Fields = { [field: string]: unknown };

/**
 * A record of a registry in the language of this installation: its words, and those of its parameters, ports and bodies. A record is
 * written in English and said once, where it is defined, so that nobody who shows it has to think of that.
 */
export function sayRecord<T extends object>(record: T): T {
  if (!globalThis.tensorloomLanguage) return record;
  const said: Fields = { ...(record as Fields) };
  for (const field of READ) if (typeof said[field] === "string") said[field] = say(said[field]);
  for (const field of HELD) {
    const held = said[field];
    if (isRecord(held)) said[field] = Object.fromEntries(Object.entries(held).map(([name, one]) => [name, isRecord(one) ? sayRecord(one) : one]));
  }
  return said as T;
}

/** The English texts of a record that `sayRecord` says, for the catalogue. */
export function textsOf(record: object): string[] {
  const fields = record as Fields;
  const own = READ.flatMap((field) => (typeof fields[field] === "string" && fields[field] !== "" ? [fields[field]] : []));
  const held = HELD.flatMap((field) => (isRecord(fields[field]) ? Object.values(fields[field]).filter(isRecord) : []));
  return [...own, ...held.flatMap(textsOf)];
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
