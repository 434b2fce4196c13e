import { inflateSync } from "node:zlib";
import { PICTURE_LIMITS as limits } from "../../core/data/pictures.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { nestedArchive, quote } from "./archive.ts";
import { IngestError } from "./source.ts";

/** What the first bytes of a picture say. `width` and `height` are as stored: `isTurned` says that they are shown the other way round. */
export type ImageHeader = {
  format: "PNG" | "JPEG";
  width: number;
  height: number;
  /** 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha or CMYK. */
  channels: number;
  bits: number;
  isTurned: boolean;
  /** Whether it is stored turned or mirrored. */
  isRotated: boolean;
  isCmyk: boolean;
  hasPalette: boolean;
};

/** Of text and colour profiles in a PNG, unpacked; an image needs none of them. */
const EXTRA_BYTES = 4 * 2 ** 20;

/**
 * Reads the header of a PNG or JPEG without decoding it. Null where the bytes end before it is complete.
 * @throws IngestError IMAGE_TYPE for anything else, IMAGE_TOO_LARGE, IMAGE_CORRUPT
 */
export function readImageHeader(bytes: Buffer, path: string): ImageHeader | null {
  const type = typeOf(bytes);
  if (type === "ZIP") throw nestedArchive(path);
  if (type !== "PNG" && type !== "JPEG") throw new IngestError("IMAGE_TYPE", say("{path} is {type}; PNG and JPEG are accepted.", { path: quote(path), type }));
  const header = type === "PNG" ? readPngHeader(bytes, path) : readJpegHeader(bytes, path);
  if (header && header.width * header.height > limits.megapixels * 1e6)
    throw new IngestError(
      "IMAGE_TOO_LARGE",
      say("{path} has {width} MP ({width2} × {height}), limit {megapixels}. Make it smaller.", {
        path: quote(path),
        width: Math.round((header.width * header.height) / 1e6),
        width2: header.width,
        height: header.height,
        megapixels: limits.megapixels,
      }),
    );
  return header;
}

/** What a file is by its first bytes, whatever its name says. */
function typeOf(bytes: Buffer): string {
  const starts = (text: string, at = 0) => bytes.subarray(at, at + text.length).toString("latin1") === text;
  if (bytes.length === 0) return "empty";
  if (starts("\x89PNG\r\n\x1a\n")) return "PNG";
  if (starts("\xff\xd8\xff")) return "JPEG";
  if (starts("PK\x03\x04")) return "ZIP";
  if (starts("GIF8")) return "GIF";
  if (starts("II*\0") || starts("MM\0*")) return "TIFF";
  if (starts("RIFF") && starts("WEBP", 8)) return "WebP";
  if (starts("BM")) return "BMP";
  if (starts("ftyp", 4)) return starts("avif", 8) || starts("avis", 8) ? "AVIF" : "HEIF or a film";
  const text = bytes.subarray(0, 1024).toString("utf8").trimStart().toLowerCase();
  if (text.includes("<svg")) return "SVG";
  if (text.includes("<!doctype html") || text.includes("<html")) return "HTML";
  return "no picture";
}

function readPngHeader(bytes: Buffer, path: string): ImageHeader | null {
  if (bytes.length < 33) return null;
  if (bytes.readUInt32BE(8) !== 13 || bytes.subarray(12, 16).toString("latin1") !== "IHDR") throw damaged(path, say("it does not begin with its header"));
  const [width, height, bits, kind = 0] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24] ?? 8, bytes[25]];
  const channels = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 }[kind];
  if (channels === undefined || width === 0 || height === 0) throw damaged(path, say("its header says nothing that a PNG can be"));
  return { format: "PNG", width, height, channels, bits, isTurned: false, isRotated: false, isCmyk: false, hasPalette: kind === 3 };
}

/** @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.2.2, frame header) */
function readJpegHeader(bytes: Buffer, path: string): ImageHeader | null {
  let orientation = 1;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw damaged(path, say("no segment begins at byte {at}", { at }));
    const marker = bytes[at + 1] ?? 0;
    // Fill bytes before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xd9 || marker === 0xda) throw damaged(path, say("it has no frame"));
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2) throw damaged(path, say("the segment at byte {at} has no length", { at }));
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      if (at + 10 > bytes.length) return null;
      const [bits, height, width, channels] = [bytes[at + 4] ?? 8, bytes.readUInt16BE(at + 5), bytes.readUInt16BE(at + 7), bytes[at + 9] ?? 0];
      if (width === 0 || height === 0 || ![1, 3, 4].includes(channels)) throw damaged(path, say("its frame says nothing that a picture can be"));
      return { format: "JPEG", width, height, channels, bits, isTurned: orientation >= 5, isRotated: orientation > 1, isCmyk: channels === 4, hasPalette: false };
    }
    if (marker === 0xe1) orientation = readOrientation(bytes.subarray(at + 4, at + 2 + length)) ?? orientation;
    at += 2 + length;
  }
  return null;
}

/** The orientation, 1 to 8, of an Exif segment. @see Exif 3.0, 4.6.5 (tag 0x0112) */
function readOrientation(segment: Buffer): number | null {
  if (segment.subarray(0, 6).toString("latin1") !== "Exif\0\0" || segment.length < 14) return null;
  const tiff = segment.subarray(6);
  const isLittle = tiff.subarray(0, 2).toString("latin1") === "II";
  const read16 = (at: number) => (at + 2 > tiff.length ? 0 : isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const first = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  for (let entry = 0; entry < read16(first); entry++) {
    const at = first + 2 + entry * 12;
    if (at + 12 > tiff.length) return null;
    if (read16(at) !== 0x0112) continue;
    const value = read16(at + 8);
    return value >= 1 && value <= 8 ? value : null;
  }
  return null;
}

/** Chunks that change how a PNG looks; a mask's colours are taken as they are written. */
const needed = new Set(["IHDR", "PLTE", "IDAT", "IEND", "tRNS"]);
const looks = new Set([...needed, "sRGB", "gAMA", "cHRM", "iCCP"]);

/**
 * A PNG with nothing in it but its picture: texts, times and whatever lies behind its end are left out.
 * @throws IngestError IMAGE_CORRUPT where a chunk is longer than the file, or unpacks to more than any text or profile needs
 */
export function plainPng(bytes: Buffer, path: string, isMask: boolean): Buffer {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw damaged(path, say("it is cut off"));
    const length = bytes.readUInt32BE(at);
    const name = bytes.subarray(at + 4, at + 8).toString("latin1");
    const end = at + 12 + length;
    if (end > bytes.length)
      throw damaged(
        path,
        /^[A-Za-z]{4}$/.test(name)
          ? say("its chunk {name} claims {length} bytes and is cut off", { name, length: printCount(length) })
          : say("its chunk at an odd place claims {length} bytes and is cut off", { length: printCount(length) }),
      );
    if (name === "zTXt" || name === "iTXt" || name === "iCCP") checkPacked(bytes.subarray(at + 8, end - 4), name, path);
    if ((isMask ? needed : looks).has(name)) kept.push(bytes.subarray(at, end));
    if (name === "IEND") return Buffer.concat(kept);
    at = end;
  }
}

function checkPacked(chunk: Buffer, name: string, path: string): void {
  if (chunk.length > EXTRA_BYTES)
    throw damaged(path, say("its chunk {name} has {length} bytes; the limit is {EXTRA_BYTES}", { name, length: printCount(chunk.length), EXTRA_BYTES: printCount(EXTRA_BYTES) }));
  // A keyword, a zero, then the packed bytes; those of iTXt come behind a flag and two more words.
  let start = chunk.indexOf(0) + 2;
  if (name === "iTXt") {
    if (chunk[start - 1] !== 1) return;
    start = chunk.indexOf(0, chunk.indexOf(0, start + 1) + 1) + 1;
  }
  try {
    inflateSync(chunk.subarray(start), { maxOutputLength: EXTRA_BYTES });
  } catch (cause) {
    if (cause instanceof RangeError) throw damaged(path, say("its chunk {name} unpacks to more than {EXTRA_BYTES} bytes", { name, EXTRA_BYTES: printCount(EXTRA_BYTES) }));
    // What cannot be unpacked is left out by the decoder, which says nothing of the picture.
    if (name === "iCCP") throw damaged(path, say("its colour profile cannot be unpacked"));
  }
}

export function damaged(path: string, why: string): IngestError {
  return new IngestError("IMAGE_CORRUPT", say("{path} is damaged: {why}. Replace it, or leave it out.", { path: quote(path), why }));
}
