import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Manifest } from "../../../core/data/manifest.ts";
import { guessPicturePlan, PictureFacts, type PicturePlan } from "../../../core/data/pictures.ts";
import { DatasetAnswer, runChild } from "../../../server/ingest/child.ts";
import { inspectPictures } from "../../../server/ingest/pictureFacts.ts";
import { writePictures } from "../../../server/ingest/pictures.ts";
import { IngestError } from "../../../server/ingest/source.ts";
import { openFileStore } from "../../../server/storage/files.ts";
import { writeZip, type ZipEntry, zipEnd } from "./zip.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tensorloom-pictures-"));
  mkdirSync(join(root, "uploads", "o"), { recursive: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

type Answer = { code: string; message: string; manifest?: Manifest; folder: string };

/** What becomes of an archive with the plan as guessed, but for `change`. */
async function read(archive: Buffer, change: (plan: PicturePlan) => void = () => {}): Promise<Answer> {
  const files = openFileStore(root);
  const [key, datasetId] = [`uploads/o/${randomUUID()}`, randomUUID()];
  const folder = join(root, "datasets", datasetId);
  await writeFile(join(root, key), archive);
  try {
    const plan = { ...guessPicturePlan(await inspectPictures(files.path(key))), size: 16 };
    change(plan);
    const { manifest } = await writePictures(files, datasetId, { file: files.path(key), name: "pictures.zip" }, plan, () => {});
    return { code: "ok", message: "", manifest, folder };
  } catch (error) {
    if (!(error instanceof IngestError)) throw error;
    // Nothing half written stays.
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    return { code: error.code, message: error.message, folder };
  }
}

/** A picture of one colour with a little of another, so that no two are equal. */
function paint(seed: number, { width = 24, height = 16, channels = 3 as 1 | 3 | 4 } = {}) {
  const pixels = Buffer.alloc(width * height * channels, (seed * 37) % 200);
  pixels[seed % pixels.length] = 255;
  return sharp(pixels, { raw: { width, height, channels } });
}
const png = (seed: number) => paint(seed).png().toBuffer();
const jpeg = (seed: number) => paint(seed).jpeg().toBuffer();

/** Two classes of six pictures that are right, to which each case adds its harm. */
async function good(): Promise<ZipEntry[]> {
  return Promise.all(Array.from({ length: 12 }, async (_, at) => ({ name: `set/${at % 2 ? "cat" : "dog"}/${at}.png`, data: await png(at) })));
}
const withBad = async (...bad: ZipEntry[]) => writeZip([...(await good()), ...bad]);
const alone = (name: string, data: Uint8Array) =>
  writeZip([
    { name: `a/${name}`, data },
    { name: `b/${name}`, data },
  ]);

/** A PNG of nothing but a header, as large as it says. */
function hugePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.alloc(1000))), chunk("IEND", Buffer.alloc(0))]);
}
function chunk(name: string, data: Buffer, saysBytes = data.length): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(saysBytes);
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
/** A chunk put behind the header of a PNG. */
const insert = (image: Buffer, extra: Buffer) => Buffer.concat([image.subarray(0, 33), extra, image.subarray(33)]);

/** So many entries without a byte, all of one name: they are refused by their number. */
function emptyFiles(count: number): Buffer {
  const one = writeZip([{ name: "x" }]);
  const [local, directory] = [one.subarray(0, 31), one.subarray(31, 31 + 47)];
  return Buffer.concat([
    Buffer.alloc(count * local.length, local),
    Buffer.alloc(count * directory.length, directory),
    zipEnd(count, count * directory.length, count * local.length),
  ]);
}

/** The number is the one of the list of bad inputs. */
const refused: [number, string, () => Promise<Buffer>, string, RegExp][] = [
  [1, "a path that leads out", async () => writeZip([{ name: "../../evil.png", data: await png(1) }]), "ARCHIVE_BAD_PATH", /^Entry 1 '\.\.\/\.\.\/evil\.png' leaves the archive\./],
  [2, "/etc/x", async () => withBad({ name: "/etc/x.png", data: await png(1) }), "ARCHIVE_BAD_PATH", /^Entry 13 '\/etc\/x\.png' leaves the archive\./],
  [2, "C:\\x", async () => withBad({ name: "C:\\x.png", data: await png(1) }), "ARCHIVE_BAD_PATH", /^Entry 13 'C:\\x\.png' leaves/],
  [2, "\\\\srv\\x", async () => withBad({ name: "\\\\srv\\x.png", data: await png(1) }), "ARCHIVE_BAD_PATH", /^Entry 13 '\\\\srv\\x\.png' leaves/],
  [
    3,
    "a symbolic link",
    async () => withBad({ name: "set/cat/l.png", data: Buffer.from("/etc/passwd"), mode: 0o120777 }),
    "ARCHIVE_LINK",
    /'set\/cat\/l\.png' .*links are not accepted/,
  ],
  [4, "200 MiB of zeros", async () => withBad({ name: "set/cat/z.png", data: Buffer.alloc(200 * 2 ** 20), deflate: true }), "ARCHIVE_RATIO", /[\d,]+:1 larger, limit 100:1/],
  [
    5,
    "a size that lies, deflated",
    async () => withBad({ name: "set/cat/l.png", data: Buffer.alloc(5_000, "x"), deflate: true, saysBytes: 10 }),
    "ARCHIVE_CORRUPT",
    /declares 10 bytes, holds more/,
  ],
  [5, "a size that lies, stored", async () => withBad({ name: "set/cat/l.png", data: await png(3), saysBytes: 10 }), "ARCHIVE_CORRUPT", /declares 10 bytes, holds more/],
  [
    6,
    "entries over each other",
    async () => withBad({ name: "set/cat/twin.png", data: await png(0), sameAs: 0 }),
    "ARCHIVE_OVERLAP",
    /'set\/dog\/0\.png' and 'set\/cat\/twin\.png' lie over each other/,
  ],
  [7, "1,000,000 empty files", async () => emptyFiles(1_000_000), "ARCHIVE_TOO_MANY", /has 1,000,000 entries; the limit is 100,000/],
  [8, "a zip in a zip", async () => withBad({ name: "set/more.zip", data: writeZip(await good()) }), "ARCHIVE_NESTED", /'set\/more\.zip' is an archive in the archive\. Unpack it/],
  [8, "a zip named .png", async () => withBad({ name: "set/cat/more.png", data: writeZip(await good()) }), "ARCHIVE_NESTED", /'set\/cat\/more\.png'/],
  [
    9,
    "an encrypted entry",
    async () => withBad({ name: "set/cat/s.png", data: await png(1), flags: 0x801 }),
    "ARCHIVE_ENCRYPTED",
    /'set\/cat\/s\.png' is encrypted\. Pack the folder without a password/,
  ],
  [9, "strong encryption", async () => withBad({ name: "set/cat/s.png", data: await png(1), flags: 0x841 }), "ARCHIVE_ENCRYPTED", /encrypted/],
  [10, "names equal after case folding", async () => withBad({ name: "set/CAT/1.png", data: await png(1) }), "ARCHIVE_DUPLICATE", /'set\/cat\/1\.png' and 'set\/CAT\/1\.png'/],
  [
    10,
    "names equal after NFC",
    async () => withBad({ name: "caf\u00e9.png", data: await png(1) }, { name: "cafe\u0301.png", data: await png(2) }),
    "ARCHIVE_DUPLICATE",
    /'caf\u00e9\.png' and 'cafe\u0301\.png'/,
  ],
  [11, "a name with NUL", async () => withBad({ name: "set/cat/a\0.png", data: await png(1) }), "ARCHIVE_BAD_NAME", /'set\/cat\/a\\u0000\.png'/],
  [11, "a name with a newline", async () => withBad({ name: "set/cat/a\n.png", data: await png(1) }), "ARCHIVE_BAD_NAME", /'set\/cat\/a\\u000a\.png'/],
  [11, "a name that runs backwards", async () => withBad({ name: "set/cat/a\u202egnp.exe", data: await png(1) }), "ARCHIVE_BAD_NAME", /'set\/cat\/a\\u202egnp\.exe'/],
  [11, "a name of 5,000 bytes", async () => withBad({ name: `${"n".repeat(5_000)}.png`, data: await png(1) }), "ARCHIVE_BAD_NAME", /has 5,004 bytes; the limit is 255/],
  [12, "a zip that is cut off", async () => (await withBad()).subarray(0, 900), "ARCHIVE_TRUNCATED", /cut off.*Send it again/],
  [12, "no zip at all", async () => Buffer.from("Rar!\x1a\x07"), "ARCHIVE_TYPE", /no zip archive/],
  [13, "a zip without any picture", async () => writeZip([{ name: "a/readme.txt", data: Buffer.from("x") }]), "DATASET_EMPTY", /no picture among the 1 files/],
  [13, "an empty zip", async () => writeZip([]), "DATASET_EMPTY", /no picture among the 0 files/],
  [
    13,
    "one class only",
    async () => writeZip((await good()).filter((_, at) => at % 2)),
    "DATASET_ONE_CLASS",
    /nothing to tell apart\. Put the pictures of each class into a folder/,
  ],
  [14, "a PNG of 14,000 × 14,000", async () => alone("big.png", hugePng(14_000, 14_000)), "IMAGE_TOO_LARGE", /'a\/big\.png' has 196 MP \(14000 × 14000\), limit 25/],
  [
    15,
    "SVG named .png",
    async () => alone("v.png", Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')),
    "IMAGE_TYPE",
    /'a\/v\.png' is SVG; PNG and JPEG are accepted\./,
  ],
  [15, "HTML named .jpg", async () => alone("v.jpg", Buffer.from("<!DOCTYPE html><script>alert(1)</script>")), "IMAGE_TYPE", /is HTML; PNG and JPEG are accepted/],
  [15, "GIF", async () => alone("v.gif", Buffer.from("GIF89a\x01\0\x01\0")), "IMAGE_TYPE", /is GIF; PNG/],
  [15, "AVIF", async () => alone("v.avif", Buffer.from("\0\0\0\x20ftypavif\0\0\0\0")), "IMAGE_TYPE", /is AVIF; PNG/],
  [15, "TIFF", async () => alone("v.tif", Buffer.from("II*\0\x08\0\0\0")), "IMAGE_TYPE", /is TIFF; PNG/],
  [17, "half a JPEG, alone", async () => alone("h.jpg", (await jpeg(1)).subarray(0, 300)), "IMAGE_CORRUPT", /'a\/h\.jpg' is damaged/],
  [
    18,
    "a PNG chunk that claims 2 GB",
    async () => alone("c.png", insert(await png(1), chunk("zTXt", Buffer.from("x"), 2_000_000_000))),
    "IMAGE_CORRUPT",
    /its chunk zTXt claims 2,000,000,000 bytes and is cut off/,
  ],
  ...(["zTXt", "iCCP"] as const).map((name): [number, string, () => Promise<Buffer>, string, RegExp] => [
    18,
    `a PNG chunk ${name} that unpacks to 64 MiB`,
    async () => alone("c.png", insert(await png(1), chunk(name, Buffer.concat([Buffer.from("k\0\0", "latin1"), deflateSync(Buffer.alloc(64 * 2 ** 20))])))),
    "IMAGE_CORRUPT",
    new RegExp(`its chunk ${name} unpacks to more than 4,194,304 bytes`),
  ]),
  [
    19,
    "a picture of 1 × 20,000",
    async () => alone("thin.png", await paint(1, { width: 1, height: 20_000 }).png().toBuffer()),
    "IMAGE_SHAPE",
    /1 × 20000; one side may be up to 50 times the other/,
  ],
];

describe("an archive that cannot be read is refused with what, where, the limit and what to do", () => {
  it.each(refused)("%i: %s", async (_, __, make, code, message) => {
    const answer = await read(await make());
    expect(answer.code).toBe(code);
    expect(answer.message).toMatch(message);
  });
});

describe("what only looks bad is read, and what was done to it is said", () => {
  it("16: a PNG that is HTML too is a PNG, and nothing else of it is kept", async () => {
    const both = Buffer.concat([
      insert(await png(40), chunk("tEXt", Buffer.from("c\0<script>alert(1)</script>", "latin1"))),
      Buffer.from("<html><script>alert(2)</script></html>"),
    ]);
    const answer = await read(await withBad({ name: "set/cat/both.png", data: both }));
    expect(answer.manifest?.splits.train.rows).toBe(11);
    for (const name of readdirSync(answer.folder)) expect((await readFile(join(answer.folder, name))).includes("script")).toBe(false);
  });

  it("17: half a JPEG among good pictures is named, and the others are there", async () => {
    const answer = await read(await withBad({ name: "set/cat/half.jpg", data: (await jpeg(1)).subarray(0, 300) }));
    expect(answer.manifest?.pictures?.refused).toEqual({
      count: 1,
      first: [{ file: "set/cat/half.jpg", code: "IMAGE_CORRUPT", message: expect.stringContaining("'set/cat/half.jpg' is damaged") }],
    });
    expect((answer.manifest?.splits.train.rows ?? 0) + (answer.manifest?.splits.validation.rows ?? 0)).toBe(12);
  });

  it("17: a file whose bytes are not those that were packed is named", async () => {
    const archive = await withBad({ name: "set/cat/x.png", data: await png(77) });
    const at = archive.indexOf(Buffer.from("set/cat/x.png")) + 13 + 60;
    archive[at] = (archive[at] ?? 0) ^ 0xff;
    const answer = await read(archive);
    expect(answer.manifest?.pictures?.refused.first).toEqual([{ file: "set/cat/x.png", code: "IMAGE_CORRUPT", message: expect.stringContaining("checksum") }]);
  });

  it("19: 16 bits, CMYK, grey, transparent, 1 × 1 and turned pictures are converted as is said", async () => {
    const grey16 = paint(50, { channels: 1 }).toColourspace("grey16").png().toBuffer();
    const cmyk = paint(51).toColourspace("cmyk").jpeg().toBuffer();
    const clear = paint(52, { channels: 4 }).png().toBuffer();
    const dot = paint(53, { width: 1, height: 1 }).png().toBuffer();
    const turned = paint(54, { width: 48, height: 16 }).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const names = { grey16: "set/cat/grey16.png", cmyk: "set/cat/cmyk.jpg", clear: "set/cat/clear.png", dot: "set/cat/dot.png", turned: "set/cat/turned.jpg" };
    const answer = await read(
      await withBad(
        { name: names.grey16, data: await grey16 },
        { name: names.cmyk, data: await cmyk },
        { name: names.clear, data: await clear },
        { name: names.dot, data: await dot },
        { name: names.turned, data: await turned },
      ),
      (plan) => Object.assign(plan, { fit: "pad" }),
    );
    const { pictures } = answer.manifest ?? {};
    expect(pictures?.refused.count).toBe(0);
    const files = Object.fromEntries((pictures?.conversions ?? []).map(({ what, first }) => [what, first]));
    expect(files).toEqual({
      "sixteen-bit": [names.grey16],
      "to-colour": [names.grey16],
      cmyk: [names.cmyk],
      transparent: [names.clear],
      enlarged: [names.dot],
      rotated: [names.turned],
    });
  });
});

describe("in the limited process", () => {
  const Refused = z.strictObject({ ok: z.literal(false), failure: z.strictObject({ code: z.string(), message: z.string() }) });
  const Facts = z.discriminatedUnion("ok", [PictureFacts, Refused]);

  it("an archive is looked at and read, and says how far it is", async () => {
    const [key, datasetId] = [`uploads/o/${randomUUID()}`, randomUUID()];
    await writeFile(join(root, key), await withBad());
    const facts = PictureFacts.parse(await runChild(["picture-facts", root, key], Facts));
    const steps: { done: number; of: number }[] = [];
    const input = JSON.stringify({ ...guessPicturePlan(facts), size: 16 });
    const answer = await runChild(["pictures", root, key, "set.zip", datasetId], DatasetAnswer, { input, onProgress: (step) => steps.push(step) });
    expect(answer).toMatchObject({ ok: true, manifest: { classes: ["cat", "dog"], splits: { train: { rows: 10 }, validation: { rows: 2 } } } });
    expect(steps[0]).toMatchObject({ of: 12 });
  });

  it("one that leaves its folder is refused", async () => {
    const key = `uploads/o/${randomUUID()}`;
    await writeFile(join(root, key), writeZip([{ name: "../../evil.png", data: await png(1) }]));
    expect(await runChild(["picture-facts", root, key], Facts)).toMatchObject({ ok: false, failure: { code: "ARCHIVE_BAD_PATH" } });
  });
});
