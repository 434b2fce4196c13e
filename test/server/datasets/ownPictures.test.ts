import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { pino } from "pino";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packFolder } from "../../../app/data/packFolder.ts";
import { guessPicturePlan, type PicturePlan } from "../../../core/data/pictures.ts";
import { ingestNext } from "../../../server/agent/datasets.ts";
import { sourceKey } from "../../../server/datasets/ownPictures.ts";
import { uploadKey } from "../../../server/http/uploads.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, makeContext, makeTenant, type Tenant, temporaryFiles } from "../world.ts";

const { db } = await openTestDatabase();
const files = temporaryFiles();
const context = makeContext(db, { files });
let own: Tenant;
beforeAll(async () => {
  own = await makeTenant(db, { name: "Own" });
});
afterAll(() => db.$disconnect());

const caller = () => callerOf(context(own.session)).datasets;
const ingest = () => ingestNext({ db, files, leaseMs: 60_000, log: pino({ level: "silent" }), signal: new AbortController().signal });

/** A picture of a soft field of colour, as PNG; `seed` makes it its own. */
async function png(seed: number, size = 20): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = Buffer.alloc(size * size * 3);
  for (let at = 0; at < pixels.length; at++) pixels[at] = (seed * 53 + Math.floor(at / (5 + (seed % 11)))) % 256;
  return new Uint8Array(
    await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
      .png()
      .toBuffer(),
  );
}
/** A mask with a square of class 1 whose place depends on the seed. */
async function mask(seed: number, size = 20): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = Buffer.alloc(size * size);
  for (let y = 0; y < 6; y++) for (let x = 0; x < 6; x++) pixels[(y + (seed % 10)) * size + x + 4] = 255;
  return new Uint8Array(
    await sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
      .png()
      .toBuffer(),
  );
}

/** Sends a folder as a browser does: packed into one zip. */
async function send(contents: { [path: string]: Uint8Array<ArrayBuffer> }): Promise<string> {
  const folder = { name: "set", files: Object.entries(contents).map(([path, bytes]) => ({ path, file: new File([bytes], path) })) };
  const packed = await packFolder(folder, () => {}, new AbortController().signal);
  const uploadId = randomUUID();
  await files.put(uploadKey(own.orgId, uploadId), new Uint8Array(await packed.arrayBuffer()));
  return uploadId;
}

async function add(contents: { [path: string]: Uint8Array<ArrayBuffer> }, change: Partial<PicturePlan> = {}): Promise<string> {
  const uploadId = await send(contents);
  const facts = await caller().inspectPictures({ uploadId });
  if (!facts.ok) throw new Error(facts.failure.message);
  const { datasetId } = await caller().createPictures({ uploadId, fileName: "set.zip", name: "Mine", plan: { ...guessPicturePlan(facts), ...change } });
  return datasetId;
}

async function folders(count = 20): Promise<{ [path: string]: Uint8Array<ArrayBuffer> }> {
  return Object.fromEntries(await Promise.all(Array.from({ length: count }, async (_, at) => [`set/${at % 2 ? "cat" : "dog"}/${at}.png`, await png(at)] as const)));
}

describe("a folder of one's own pictures", () => {
  it("waits, is read in the background and is ready, with its file names, duplicates and leaks", async () => {
    const contents = await folders();
    // Once more under another class, and once a little other.
    contents["set/dog/twin.png"] = await png(1);
    const datasetId = await add(contents, { size: 32 });
    expect(await caller().get({ datasetId })).toMatchObject({ status: "queued", manifest: null });
    expect(await ingest()).toBe(true);
    const { manifest, ...row } = await caller().get({ datasetId });
    expect(row).toMatchObject({ status: "ready", task: "image-classification", classes: ["cat", "dog"], inputShape: [3, 32, 32], progress: null });
    expect(row.description).toBe("21 pictures, 32 × 32 in colour, of 2 classes: cat, dog.");
    expect(row.rows.train + row.rows.validation).toBe(21);
    expect(manifest?.preprocess.mean).toHaveLength(3);
    expect(existsSync(files.path(sourceKey(datasetId)))).toBe(false);
    const page = await caller().samples({ datasetId, split: "train", limit: 4, side: 16 });
    expect(page.shape).toEqual([3, 16, 16]);
    expect(page.samples[0]?.name).toMatch(/^set\/(cat|dog)\/\w+\.png$/);
    const { duplicates } = await caller().health({ datasetId });
    expect(duplicates.map(({ count, contradictions }) => [count, contradictions])).toEqual([[1, 1]]);
    expect([duplicates[0]?.first[0]?.row.name, duplicates[0]?.first[0]?.equals.name].sort()).toEqual(["set/cat/1.png", "set/dog/twin.png"]);
  });

  it("keeps the split that its folders give", async () => {
    const contents = Object.fromEntries(Object.entries(await folders()).map(([path, bytes], at) => [path.replace("set/", at < 12 ? "set/train/" : "set/val/"), bytes]));
    const datasetId = await add(contents, { size: 16 });
    await ingest();
    const { manifest } = await caller().get({ datasetId });
    expect(manifest?.pictures?.split.how).toBe("given");
    expect([manifest?.splits.train.rows, manifest?.splits.validation.rows]).toEqual([12, 8]);
  });

  it("with masks becomes a data set of class numbers for each pixel", async () => {
    const contents: { [path: string]: Uint8Array<ArrayBuffer> } = {};
    for (let at = 0; at < 10; at++) {
      contents[`images/${at}.png`] = await png(at);
      contents[`masks/${at}.png`] = await mask(at);
    }
    const datasetId = await add(contents, { size: 20, fit: "stretch" });
    await ingest();
    const { manifest, task } = await caller().get({ datasetId });
    expect(task).toBe("semantic-segmentation");
    expect(manifest?.classes).toEqual(["background", "object"]);
    expect(manifest?.splits.train.target).toMatchObject({ dtype: "uint8", shape: [20, 20] });
    // 36 pixels of each of the 8 training masks are the square.
    expect(manifest?.splits.train.classCounts).toEqual([8 * (400 - 36), 8 * 36]);
    const page = await caller().samples({ datasetId, split: "train", limit: 1, side: 32, classIndex: 1 });
    expect(page.total).toBe(8);
    expect(Buffer.from(page.samples[0]?.mask ?? "", "base64").filter((value) => value === 1)).toHaveLength(36);
  });

  it("that is deleted while it waits is gone with its files", async () => {
    const datasetId = await add(await folders(), { size: 16 });
    await caller().delete({ datasetId });
    expect(await ingest()).toBe(false);
    expect(existsSync(files.path(sourceKey(datasetId)))).toBe(false);
  });
});
