import sharp, { type Sharp } from "sharp";
import { type Conversion, PICTURE_LIMITS as limits, type PicturePlan, place, toPlanes } from "../../core/data/pictures.ts";
import { say } from "../../core/language/say.ts";
import { quote } from "./archive.ts";
import { damaged, type ImageHeader, plainPng, readImageHeader } from "./imageHeader.ts";
import { IngestError } from "./source.ts";

// Whatever a file says it is, nothing but these two decoders ever sees it.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({ operation: ["VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer"] });
sharp.cache(false);
// Several pictures at once use the cores better than one picture's strips.
sharp.concurrency(1);

/** No side may be more than this many times the other: what is scaled to a square would grow without a bound. */
const MOST_OBLONG = 50;

type Form = Pick<PicturePlan, "size" | "fit" | "colour">;

/** A picture as it is stored, uint8 [C, size, size], and what had to be done to it. @throws IngestError IMAGE_… */
export async function decodePicture(
  bytes: Buffer,
  path: string,
  { size, fit, colour }: Form,
): Promise<{ planes: Uint8Array; conversions: Conversion[]; width: number; height: number }> {
  const header = readWhole(bytes, path);
  const { width, height } = shown(header);
  if (Math.max(width, height) > MOST_OBLONG * Math.min(width, height))
    throw new IngestError(
      "IMAGE_SHAPE",
      say("{path} is {width} × {height}; one side may be up to {MOST_OBLONG} times the other. Cut it.", { path: quote(path), width, height, MOST_OBLONG }),
    );
  const at = place(width, height, size, fit);
  let image = open(bytes, path, header, false).autoOrient().toColourspace("srgb").flatten({ background: "#ffffff" }).resize(at.width, at.height, { fit: "fill" });
  if (fit === "crop") image = image.extract({ left: -at.x, top: -at.y, width: size, height: size });
  if (fit === "pad") image = image.extend({ left: at.x, top: at.y, right: size - at.x - at.width, bottom: size - at.y - at.height, background: "#000000" });
  const pixels = await decode(image, path);
  const isGrey = header.channels <= 2;
  const conversions: [Conversion, boolean][] = [
    ["rotated", header.isRotated],
    ["sixteen-bit", header.bits > 8],
    ["cmyk", header.isCmyk],
    ["to-grey", colour === "grey" && !isGrey],
    ["to-colour", colour === "rgb" && isGrey],
    ["transparent", header.format === "PNG" && (header.channels === 2 || header.channels === 4)],
    ["enlarged", at.width > width || at.height > height],
  ];
  return { planes: toPlanes(pixels, 3, size, colour), conversions: conversions.filter(([, is]) => is).map(([what]) => what), width, height };
}

/** The colours of a mask, `0xrrggbb` a pixel, taken at the places that the pixels of the picture have; -1 where the picture has none. */
export async function decodeMask(bytes: Buffer, path: string, picture: { width: number; height: number }, { size, fit }: Pick<Form, "size" | "fit">): Promise<Int32Array> {
  const header = readWhole(bytes, path);
  if (header.bits > 8) throw new IngestError("MASK_DEPTH", say("{path} has 16 bits a pixel; masks are read with 8. Save it with 8 bits or a palette.", { path: quote(path) }));
  const { width, height } = shown(header);
  if (Math.abs(width / height / (picture.width / picture.height) - 1) > 0.02)
    throw new IngestError(
      "MASK_SIZE",
      say("{path} is {width} × {height}, its picture {width2} × {height2}: they do not lie over each other.", {
        path: quote(path),
        width,
        height,
        width2: picture.width,
        height2: picture.height,
      }),
    );
  const pixels = await decode(open(bytes, path, header, true).autoOrient().toColourspace("srgb").removeAlpha(), path);
  const at = place(picture.width, picture.height, size, fit);
  const colours = new Int32Array(size * size).fill(-1);
  for (let y = Math.max(0, at.y); y < Math.min(size, at.y + at.height); y++)
    for (let x = Math.max(0, at.x); x < Math.min(size, at.x + at.width); x++) {
      const row = Math.min(height - 1, Math.floor(((y - at.y + 0.5) / at.height) * height));
      const column = Math.min(width - 1, Math.floor(((x - at.x + 0.5) / at.width) * width));
      const from = (row * width + column) * 3;
      colours[y * size + x] = ((pixels[from] ?? 0) << 16) | ((pixels[from + 1] ?? 0) << 8) | (pixels[from + 2] ?? 0);
    }
  return colours;
}

/** Pixels, channels first, as a small PNG. */
export async function encodeThumbnail(planes: Uint8Array, size: number): Promise<Buffer> {
  const plane = size * size;
  const pixels = Buffer.alloc(plane * 3);
  for (let at = 0; at < plane; at++) for (let channel = 0; channel < 3; channel++) pixels[at * 3 + channel] = planes[channel * plane + at] ?? 0;
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
}

function readWhole(bytes: Buffer, path: string): ImageHeader {
  const header = readImageHeader(bytes, path);
  if (header === null) throw damaged(path, say("it ends before its picture begins"));
  return header;
}

/** Width and height as a picture is looked at. */
export function shown({ width, height, isTurned }: ImageHeader): { width: number; height: number } {
  return isTurned ? { width: height, height: width } : { width, height };
}

function open(bytes: Buffer, path: string, { format }: ImageHeader, isMask: boolean): Sharp {
  return sharp(format === "PNG" ? plainPng(bytes, path, isMask) : bytes, { failOn: "error", limitInputPixels: limits.megapixels * 1e6 });
}

async function decode(image: Sharp, path: string): Promise<Buffer> {
  try {
    return await image.raw({ depth: "uchar" }).toBuffer();
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "").replace(/^[\w]+: /, "") : "it cannot be decoded";
    throw new IngestError("IMAGE_CORRUPT", damaged(path, why).message, { cause });
  }
}
