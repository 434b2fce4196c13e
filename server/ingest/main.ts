import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import "../language.ts"; // First: texts are said while the other modules are read.
import { text } from "node:stream/consumers";
import { z } from "zod";
import { ArrayPlan } from "../../core/data/arrays.ts";
import { LanguagePlan } from "../../core/data/language.ts";
import { Manifest } from "../../core/data/manifest.ts";
import { PicturePlan, PictureTask } from "../../core/data/pictures.ts";
import { TableForm, TablePlan } from "../../core/data/table.ts";
import { openFileStore } from "../storage/files.ts";
import { IngestError } from "./source.ts";
import type { writeDataset } from "./write.ts";

/**
 * A process of its own that reads what people upload or paste, under the limits that `child.ts` sets, without a database connection:
 * whatever a file does to its parser, it does to this process. The answer is one JSON line on the standard output.
 *
 *     node server/ingest/main.ts dataset <files folder> <dataset id> <built-in id>
 *     node server/ingest/main.ts onnx <files folder> <key of the upload> <key for the weights>
 *     node server/ingest/main.ts weights <files folder> <key of the upload> <key for the weights>    (a WeightsOrder as JSON on standard input)
 *     node server/ingest/main.ts pretrained <files folder> <id of the network> <key for the weights>  (the graph as JSON on standard input)
 *     node server/ingest/main.ts reread <files folder> <id of the new data set> <id of the network>      (a RereadOrder as JSON on standard input)
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
  z.tuple([z.literal("reread"), z.string(), z.uuid(), z.string()]),
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
      : { code: "INTERNAL", message: say("This could not be read, for a reason of ours; the log says which.") };
  process.stdout.write(`${JSON.stringify({ ok: false, failure })}\n`);
  console.error(error);
  process.exitCode = 1;
}

/** Loads only what the order needs: the readers of everything else take longer to load than most files to read. */
async function carryOut(): Promise<object> {
  const input = () => text(process.stdin);
  const plan = async <T>(schema: z.ZodType<T>): Promise<T> => schema.parse(JSON.parse(await input()));
  switch (order[0]) {
    case "pytorch":
      return (await import("./model.ts")).readPyTorchModel(await input(), order[1]);
    case "health":
      return (await import("./health.ts")).examineDataset(openFileStore(order[1]), order[2], await plan(Manifest));
    case "picture-facts":
      return (await import("./pictureFacts.ts")).inspectPictures(openFileStore(order[1]).path(order[2]), order[3]);
    case "array-facts":
      return (await import("./arrayFacts.ts")).inspectArrays(openFileStore(order[1]).path(order[2]));
    case "text-facts": {
      const { inspectText, TextQuestion } = await import("./textFacts.ts");
      return inspectText(openFileStore(order[1]).path(order[2]), await plan(TextQuestion));
    }
  }
  const [kind, root, what, where] = order;
  const files = openFileStore(root);
  const source = () => ({ file: files.path(what), name: where });
  switch (kind) {
    case "onnx":
      return (await import("./model.ts")).readOnnxModel(files, what, where);
    case "weights":
      return (await import("./model.ts")).loadWeights(files, what, where, await input());
    case "pretrained":
      return (await import("./pretrained.ts")).loadPretrained(files, what, where, JSON.parse(await input()));
    case "reread": {
      const [{ RereadOrder, rereadTexts }, { findPretrained }] = await Promise.all([import("./reread.ts"), import("../../core/pretrained/index.ts")]);
      const network = findPretrained(where);
      if (network?.takes !== "texts") throw new IngestError("PRETRAINED_UNKNOWN", say('No network called "{where}" reads texts.', { where }));
      const { datasetId, manifest } = await plan(RereadOrder);
      return write(what, await rereadTexts(files, datasetId, manifest, network));
    }
    case "table-facts":
      return (await import("./tableFacts.ts")).inspectTable(files.path(what), where, await plan(TableForm.partial()));
    case "pictures":
      return { ok: true, ...(await (await import("./pictures.ts")).writePictures(files, order[4], source(), await plan(PicturePlan), sayProgress())) };
    case "arrays":
      return { ok: true, ...(await (await import("./ownArrays.ts")).writeOwnArrays(files, order[4], source(), await plan(ArrayPlan))) };
    case "table": {
      const { prepareOwnTable } = await import("./ownTable.ts");
      return write(order[4], await prepareOwnTable(files.path(what), where, await plan(TablePlan)));
    }
    case "text": {
      const [{ prepareLanguage }, { readWhole }] = await Promise.all([import("./language.ts"), import("./textFacts.ts")]);
      const chosen = await plan(LanguagePlan);
      const whole = await readWhole(files.path(what));
      const told = { source: `${where}, ${printCount(whole.length)} characters`, licence: "Your own" };
      return write(order[4], { ...prepareLanguage(whole, chosen), ...told });
    }
    case "dataset": {
      const builtin = (await import("./builtin.ts")).findBuiltinDataset(where);
      if (builtin === undefined) throw new IngestError("DATASET_UNKNOWN", say('There is no built-in data set "{where}".', { where }));
      return write(what, await builtin.prepare());
    }
  }
  async function write(id: string, prepared: Parameters<typeof writeDataset>[2]): Promise<object> {
    return { ok: true, ...(await (await import("./write.ts")).writeDataset(files, id, prepared)) };
  }
}

/** Says now and then how far a long work is. */
function sayProgress(): (done: number, of: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (done, of) => {
    if (performance.now() - last < 500) return;
    last = performance.now();
    process.stdout.write(`${JSON.stringify({ progress: { done, of } })}\n`);
  };
}
