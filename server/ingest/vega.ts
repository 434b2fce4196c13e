import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { say } from "../../core/language/say.ts";
import { IngestError } from "./source.ts";
import { Rows } from "./table.ts";

/** One JSON table of the npm package vega-datasets. */
export async function readVegaTable(name: string): Promise<Rows> {
  // The package exports its built module only; the data lies beside that module's folder.
  const file = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "..", "data", `${name}.json`);
  const rows = Rows.safeParse(JSON.parse(await readFile(file, "utf8")));
  if (!rows.success) throw new IngestError("TABLE_SHAPE", say("{name}.json is not a list of flat rows.", { name }), { cause: rows.error });
  return rows.data;
}
