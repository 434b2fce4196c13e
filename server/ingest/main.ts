import { text } from "node:stream/consumers";
import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { TableForm, TablePlan } from "../../core/data/table.ts";
import { openFileStore } from "../storage/files.ts";
import { findBuiltinDataset } from "./builtin.ts";
import { examineDataset } from "./health.ts";
import { loadWeights, readOnnxModel, readPyTorchModel } from "./model.ts";
import { prepareOwnTable } from "./ownTable.ts";
import { IngestError } from "./source.ts";
import { inspectTable } from "./tableFacts.ts";
import { writeDataset } from "./write.ts";

/**
 * A process of its own that reads what people upload or paste, under the limits that `child.ts` sets, without a database connection:
 * whatever a file does to its parser, it does to this process. The answer is one JSON line on the standard output.
 *
 *     node server/ingest/main.ts dataset <files folder> <dataset id> <built-in id>
 *     node server/ingest/main.ts onnx <files folder> <key of the upload> <key for the weights>
 *     node server/ingest/main.ts weights <files folder> <key of the upload> <key for the weights>    (the graph as JSON on standard input)
 *     node server/ingest/main.ts table-facts <files folder> <key of the upload> <its name>               (what is known of its form on standard input)
 *     node server/ingest/main.ts table <files folder> <key of the upload> <its name> <dataset id>        (the plan on standard input)
 *     node server/ingest/main.ts health <files folder> <dataset id>                                      (the manifest on standard input)
 *     node server/ingest/main.ts pytorch                                                             (the code on standard input)
 */
const Order = z.union([
  z.tuple([z.literal("dataset"), z.string(), z.uuid(), z.string()]),
  z.tuple([z.enum(["onnx", "weights"]), z.string(), z.string(), z.string()]),
  z.tuple([z.literal("table-facts"), z.string(), z.string(), z.string()]),
  z.tuple([z.literal("table"), z.string(), z.string(), z.string(), z.uuid()]),
  z.tuple([z.literal("health"), z.string(), z.uuid()]),
  z.tuple([z.literal("pytorch"), z.string()]),
]);
const order = Order.parse(process.argv.slice(2));

try {
  process.stdout.write(`${JSON.stringify(await carryOut())}\n`);
} catch (error) {
  const failure =
    error instanceof IngestError
      ? { code: error.code, message: error.message }
      : { code: "INTERNAL", message: "This could not be read, for a reason of ours; the log says which." };
  process.stdout.write(`${JSON.stringify({ ok: false, failure })}\n`);
  console.error(error);
  process.exitCode = 1;
}

async function carryOut(): Promise<object> {
  if (order[0] === "pytorch") return readPyTorchModel(await text(process.stdin), order[1]);
  if (order[0] === "health") return examineDataset(openFileStore(order[1]), order[2], Manifest.parse(JSON.parse(await text(process.stdin))));
  const [kind, root, what, where] = order;
  const files = openFileStore(root);
  if (kind === "table-facts") return inspectTable(files.path(what), where, TableForm.partial().parse(JSON.parse(await text(process.stdin))));
  if (kind === "table") {
    const plan = TablePlan.parse(JSON.parse(await text(process.stdin)));
    return { ok: true, ...(await writeDataset(files, order[4], await prepareOwnTable(files.path(what), where, plan))) };
  }
  if (kind === "onnx") return readOnnxModel(files, what, where);
  if (kind === "weights") return loadWeights(files, what, where, JSON.parse(await text(process.stdin)));
  const source = findBuiltinDataset(where);
  if (source === undefined) throw new IngestError("DATASET_UNKNOWN", `There is no built-in data set "${where}".`);
  return { ok: true, ...(await writeDataset(files, what, await source.prepare())) };
}
