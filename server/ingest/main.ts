import { text } from "node:stream/consumers";
import { z } from "zod";
import { ArrayPlan } from "../../core/data/arrays.ts";
import { LanguagePlan } from "../../core/data/language.ts";
import { Manifest } from "../../core/data/manifest.ts";
import { PicturePlan, PictureTask } from "../../core/data/pictures.ts";
import { TableForm, TablePlan } from "../../core/data/table.ts";
import { openFileStore } from "../storage/files.ts";
import { inspectArrays } from "./arrayFacts.ts";
import { findBuiltinDataset } from "./builtin.ts";
import { examineDataset } from "./health.ts";
import { prepareLanguage } from "./language.ts";
import { loadWeights, readOnnxModel, readPyTorchModel } from "./model.ts";
import { writeOwnArrays } from "./ownArrays.ts";
import { prepareOwnTable } from "./ownTable.ts";
import { inspectPictures } from "./pictureFacts.ts";
import { writePictures } from "./pictures.ts";
import { loadPretrained } from "./pretrained.ts";
import { IngestError } from "./source.ts";
import { inspectTable } from "./tableFacts.ts";
import { inspectText, readWhole, TextQuestion } from "./textFacts.ts";
import { writeDataset } from "./write.ts";

/**
 * A process of its own that reads what people upload or paste, under the limits that `child.ts` sets, without a database connection:
 * whatever a file does to its parser, it does to this process. The answer is one JSON line on the standard output.
 *
 *     node server/ingest/main.ts dataset <files folder> <dataset id> <built-in id>
 *     node server/ingest/main.ts onnx <files folder> <key of the upload> <key for the weights>
 *     node server/ingest/main.ts weights <files folder> <key of the upload> <key for the weights>    (a WeightsOrder as JSON on standard input)
 *     node server/ingest/main.ts pretrained <files folder> <id of the network> <key for the weights>  (the graph as JSON on standard input)
 *     node server/ingest/main.ts table-facts <files folder> <key of the upload> <its name>               (what is known of its form on standard input)
 *     node server/ingest/main.ts table <files folder> <key of the upload> <its name> <dataset id>        (the plan on standard input)
 *     node server/ingest/main.ts picture-facts <files folder> <key of the upload> [task]
 *     node server/ingest/main.ts pictures <files folder> <key of the upload> <its name> <dataset id>     (the plan on standard input; says how far it is)
 *     node server/ingest/main.ts array-facts <files folder> <key of the upload>
 *     node server/ingest/main.ts arrays <files folder> <key of the upload> <its name> <dataset id>       (the plan on standard input)
 *     node server/ingest/main.ts text-facts <files folder> <key of the upload>                           (what is asked on standard input)
 *     node server/ingest/main.ts text <files folder> <key of the upload> <its name> <dataset id>         (the plan on standard input)
 *     node server/ingest/main.ts health <files folder> <dataset id>                                      (the manifest on standard input)
 *     node server/ingest/main.ts pytorch                                                             (the code on standard input)
 */
const Order = z.union([
  z.tuple([z.literal("dataset"), z.string(), z.uuid(), z.string()]),
  z.tuple([z.enum(["onnx", "weights", "pretrained"]), z.string(), z.string(), z.string()]),
  z.tuple([z.literal("table-facts"), z.string(), z.string(), z.string()]),
  z.tuple([z.literal("table"), z.string(), z.string(), z.string(), z.uuid()]),
  z.tuple([z.literal("picture-facts"), z.string(), z.string()]),
  z.tuple([z.literal("picture-facts"), z.string(), z.string(), PictureTask]),
  z.tuple([z.literal("pictures"), z.string(), z.string(), z.string(), z.uuid()]),
  z.tuple([z.literal("array-facts"), z.string(), z.string()]),
  z.tuple([z.literal("arrays"), z.string(), z.string(), z.string(), z.uuid()]),
  z.tuple([z.literal("text-facts"), z.string(), z.string()]),
  z.tuple([z.literal("text"), z.string(), z.string(), z.string(), z.uuid()]),
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
  if (order[0] === "picture-facts") return inspectPictures(openFileStore(order[1]).path(order[2]), order[3]);
  if (order[0] === "array-facts") return inspectArrays(openFileStore(order[1]).path(order[2]));
  if (order[0] === "text-facts") return inspectText(openFileStore(order[1]).path(order[2]), TextQuestion.parse(JSON.parse(await text(process.stdin))));
  const [kind, root, what, where] = order;
  const files = openFileStore(root);
  if (kind === "pictures") {
    const plan = PicturePlan.parse(JSON.parse(await text(process.stdin)));
    return { ok: true, ...(await writePictures(files, order[4], { file: files.path(what), name: where }, plan, sayProgress())) };
  }
  if (kind === "arrays") {
    const plan = ArrayPlan.parse(JSON.parse(await text(process.stdin)));
    return { ok: true, ...(await writeOwnArrays(files, order[4], { file: files.path(what), name: where }, plan)) };
  }
  if (kind === "table-facts") return inspectTable(files.path(what), where, TableForm.partial().parse(JSON.parse(await text(process.stdin))));
  if (kind === "table") {
    const plan = TablePlan.parse(JSON.parse(await text(process.stdin)));
    return { ok: true, ...(await writeDataset(files, order[4], await prepareOwnTable(files.path(what), where, plan))) };
  }
  if (kind === "text") {
    const plan = LanguagePlan.parse(JSON.parse(await text(process.stdin)));
    const whole = await readWhole(files.path(what));
    const told = { source: `${where}, ${whole.length.toLocaleString("en-US")} characters`, licence: "Your own" };
    return { ok: true, ...(await writeDataset(files, order[4], { ...prepareLanguage(whole, plan), ...told })) };
  }
  if (kind === "onnx") return readOnnxModel(files, what, where);
  if (kind === "weights") return loadWeights(files, what, where, await text(process.stdin));
  if (kind === "pretrained") return loadPretrained(files, what, where, JSON.parse(await text(process.stdin)));
  const source = findBuiltinDataset(where);
  if (source === undefined) throw new IngestError("DATASET_UNKNOWN", `There is no built-in data set "${where}".`);
  return { ok: true, ...(await writeDataset(files, what, await source.prepare())) };
}

/** Says now and then how far a long work is. */
function sayProgress(): (done: number, of: number) => void {
  let last = 0;
  return (done, of) => {
    if (performance.now() - last < 500) return;
    last = performance.now();
    process.stdout.write(`${JSON.stringify({ progress: { done, of } })}\n`);
  };
}
