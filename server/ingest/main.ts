import { z } from "zod";
import { openFileStore } from "../storage/files.ts";
import { findBuiltinDataset } from "./builtin.ts";
import { IngestError } from "./source.ts";
import { writeDataset } from "./write.ts";

/**
 * A process of its own that decodes one data set, under the limits that `child.ts` sets, without a database connection:
 * whatever a file does to its parser, it does to this process. The answer is one JSON line on the standard output.
 *
 *     node server/ingest/main.ts <files folder> <dataset id> <built-in id>
 */
const [root, datasetId, builtin] = z.tuple([z.string(), z.uuid(), z.string()]).parse(process.argv.slice(2));

try {
  const source = findBuiltinDataset(builtin);
  if (source === undefined) throw new IngestError("DATASET_UNKNOWN", `There is no built-in data set "${builtin}".`);
  const written = await writeDataset(openFileStore(root), datasetId, await source.prepare());
  process.stdout.write(`${JSON.stringify({ ok: true, ...written })}\n`);
} catch (error) {
  const failure = error instanceof IngestError ? { code: error.code, message: error.message } : { code: "INTERNAL", message: "The data set could not be read." };
  process.stdout.write(`${JSON.stringify({ ok: false, failure })}\n`);
  console.error(error);
  process.exitCode = 1;
}
