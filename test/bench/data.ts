/**
 * The data path: how long the rows of a JPEG data set take in the second epoch. Here they were decoded once, when the data set was read in, and come
 * from a memory-mapped array; augmentation is part of the program. There a DataLoader decodes each file with PIL when it is asked for. Same files,
 * same size, same augmentations, same batches. The engine's epoch also trains a network of one Linear layer on the rows, the loader's only counts them.
 *
 *     npm run bench -- data [--pictures 2000] [--epochs 12]
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { z } from "zod";
import { chain } from "../../core/templates/sketch.ts";
import { buildTrainSpec } from "../../core/training/build.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import { train } from "../../native/index.ts";
import { patientThreads } from "../../server/agent/trainers.ts";
import { readPicturesInChild } from "../../server/ingest/child.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { placeFiles } from "../../server/trainer/load.ts";
import { missingOracles, oracleEnv } from "../oracle.ts";
import { writeZip } from "../server/ingest/zip.ts";

// Threads as patient as a trainer's, beside the loader's workers on the same cores; that is read when a process starts.
if (process.env.GOMP_SPINCOUNT === undefined)
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env: { ...process.env, ...patientThreads }, stdio: "inherit" }).status ?? 1);

const PROMISED = 10;
const SIZE = 64;
const PADDING = 4;
const datasetId = crypto.randomUUID();
const BATCH = 64;
const CLASSES = ["dusk", "noon"];
const { values: options } = parseArgs({ options: { pictures: { type: "string", default: "2000" }, epochs: { type: "string", default: "12" } } });
const [pictures, epochs, workers] = [Number(options.pictures), Number(options.epochs), availableParallelism()];
const Answer = z.object({ seconds: z.array(z.number()), cpuSeconds: z.number(), rows: z.int() });

const missing = missingOracles("torch", "numpy", "PIL");
if (missing.length > 0) throw new Error(`Python lacks ${missing.join(", ")}: install pillow beside PyTorch to measure this.`);

const folder = mkdtempSync(join(tmpdir(), "tensorloom-data-"));
try {
  const entries = await drawPictures(join(folder, "pictures"));
  const files = openFileStore(join(folder, "files"));
  const source = await files.put("sources/pictures", writeZip(entries));
  const readMs = performance.now();
  const answer = await readPicturesInChild(
    {
      root: join(folder, "files"),
      datasetId,
      source,
      fileName: "pictures.zip",
      plan: {
        task: "image-classification",
        size: SIZE,
        fit: "stretch",
        colour: "rgb",
        labels: CLASSES.map((name) => ({ from: name, name })),
        split: { how: "random", validationShare: 0.1, seed: 1 },
      },
    },
    AbortSignal.timeout(300_000),
    () => {},
  );
  if (!answer.ok) throw new Error(answer.failure.message);
  const readSeconds = (performance.now() - readMs) / 1_000;
  const { manifest } = answer;
  const graph = chain([
    ["input", "input", { shape: [3, SIZE, SIZE] }],
    ["crop", "random_crop", { padding: PADDING }],
    ["flip", "random_horizontal_flip"],
    ["pool", "global_avg_pool"],
    ["scores", "linear", { out_features: CLASSES.length }],
    ["output", "output"],
  ]);
  /** Seconds of a whole run of so many epochs, and of so many. The difference has no start in it. */
  const run = async (count: number) => {
    const settings = {
      ...defaultSettings("image-classification", manifest.splits.train.rows),
      batchSize: BATCH,
      epochs: count,
      datasetId: crypto.randomUUID(),
      device: "cpu" as const,
    };
    const spec = { ...placeFiles(buildTrainSpec(graph, settings, manifest), datasetId, files), checkpoint: null, sampleRows: [], threads: workers };
    const [start, busy] = [performance.now(), process.cpuUsage()];
    await train(spec, () => {}).done;
    const { user, system } = process.cpuUsage(busy);
    return { seconds: (performance.now() - start) / 1_000, cpuSeconds: (user + system) / 1e6 };
  };
  await run(1);
  const [long, short] = [await run(1 + epochs), await run(1)];
  const engine = (long.seconds - short.seconds) / epochs;
  const loader = await python({ folder: join(folder, "pictures"), size: SIZE, padding: PADDING, batchSize: BATCH, workers, epochs: 3 });
  const [, ...later] = loader.seconds;
  const best = Math.min(...later);
  const rate = { engine: manifest.splits.train.rows / engine, loader: loader.rows / best };
  console.log(
    `${pictures} JPEG pictures of 320×240, seen at ${SIZE}×${SIZE} with RandomCrop and RandomHorizontalFlip in batches of ${BATCH}; pictures a second from the second epoch on\n`,
  );
  console.log(`engine, with training               ${rate.engine.toFixed(0).padStart(8)}    (read in once: ${readSeconds.toFixed(1)} s)`);
  console.log(`DataLoader with PIL, ${workers} workers      ${rate.loader.toFixed(0).padStart(8)}`);
  console.log(`ratio                               ${(rate.engine / rate.loader).toFixed(1).padStart(8)}${rate.engine / rate.loader >= PROMISED ? "" : "  missed"}`);
  // What a busy machine does not change: the time that cores spent on a picture.
  const cpuMs = {
    engine: (1_000 * (long.cpuSeconds - short.cpuSeconds)) / epochs / manifest.splits.train.rows,
    loader: (1_000 * loader.cpuSeconds) / loader.seconds.length / loader.rows,
  };
  console.log(
    `CPU time a picture: ${cpuMs.engine.toFixed(3)} ms here, ${cpuMs.loader.toFixed(3)} ms there: ${(cpuMs.loader / cpuMs.engine).toFixed(1)} times as much; load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log(JSON.stringify({ bench: "data", ...rate, ratio: rate.engine / rate.loader, readSeconds, cpuMs }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Skies with a sun: as much to decode as a photograph of this size has. */
async function drawPictures(to: string): Promise<{ name: string; data: Uint8Array }[]> {
  for (const name of CLASSES) mkdirSync(join(to, name), { recursive: true });
  const entries: { name: string; data: Uint8Array }[] = [];
  for (let i = 0; i < pictures; i++) {
    const name = CLASSES[i % CLASSES.length] ?? "";
    const noise = Buffer.alloc(320 * 240 * 3);
    for (let at = 0; at < noise.length; at++) noise[at] = ((at * 7919 + i * 104_729) % 61) + (name === "noon" ? 150 : 40) + (Math.floor(at / 960) * 40) / 240;
    const data = await sharp(noise, { raw: { width: 320, height: 240, channels: 3 } })
      .blur(1)
      .jpeg({ quality: 85 })
      .toBuffer();
    const file = `${name}/${String(i).padStart(5, "0")}.jpg`;
    writeFileSync(join(to, file), data);
    entries.push({ name: file, data });
  }
  return entries;
}

async function python(order: object): Promise<z.infer<typeof Answer>> {
  const child = spawn("python3", [join(import.meta.dirname, "loader.py")], { env: oracleEnv, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(order));
  return Answer.parse(JSON.parse((await text(child.stdout)).trim().split("\n").at(-1) ?? ""));
}
