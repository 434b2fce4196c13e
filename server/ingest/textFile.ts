import { createReadStream } from "node:fs";
import { say } from "../../core/language/say.ts";
import { IngestError } from "./source.ts";

/**
 * The text of a file, piece by piece: UTF-8, or UTF-16 where a byte order mark says so.
 * @throws IngestError TEXT_ENCODING with the offset of the first byte that is no text, TABLE_TYPE
 */
export async function* readTextFile(file: string): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  let encoding = "utf-8";
  // Bytes of a character that goes on in the next piece.
  let carry: Uint8Array = new Uint8Array(0);
  let base = 0;
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const bytes: Uint8Array = carry.length > 0 ? Buffer.concat([carry, part]) : part;
    if (decoder === null) {
      encoding = encodingOf(bytes);
      decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    }
    const whole = bytes.length - unfinished(bytes, encoding);
    const text = decode(decoder, bytes.subarray(0, whole), base, encoding);
    yield base === 0 && text.startsWith("\uFEFF") ? text.slice(1) : text;
    carry = bytes.slice(whole);
    base += whole;
  }
  if (carry.length > 0) throw badText(base, encoding);
}

function encodingOf(bytes: Uint8Array): string {
  const [first, second, third, fourth] = bytes;
  if (first === 0x50 && second === 0x4b && third === 3 && fourth === 4)
    throw new IngestError("TABLE_TYPE", say("This is an Excel file or a zip archive. Save the sheet as CSV in UTF-8 and add that."));
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return "utf-8";
}

function decode(decoder: TextDecoder, bytes: Uint8Array, base: number, encoding: string): string {
  const text = attempt(decoder, bytes);
  if (text !== null) {
    const nul = text.indexOf("\0");
    if (nul >= 0) throw badText(base + Buffer.byteLength(text.slice(0, nul), encoding === "utf-8" ? "utf8" : "utf16le"), encoding);
    return text;
  }
  // The shortest beginning that cannot be read ends within the character at fault.
  let [readable, broken] = [0, bytes.length];
  while (broken - readable > 1) {
    const middle = (readable + broken) >> 1;
    const piece = bytes.subarray(0, middle);
    if (attempt(decoder, piece.subarray(0, middle - unfinished(piece, encoding))) === null) broken = middle;
    else readable = middle;
  }
  throw badText(base + readable - unfinished(bytes.subarray(0, readable), encoding), encoding);
}

function attempt(decoder: TextDecoder, bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** How many bytes at the end begin a character without ending it. */
function unfinished(bytes: Uint8Array, encoding: string): number {
  if (encoding !== "utf-8") {
    const odd = bytes.length % 2;
    const high = bytes[bytes.length - odd - (encoding === "utf-16le" ? 1 : 2)] ?? 0;
    return odd + (high >= 0xd8 && high <= 0xdb ? 2 : 0);
  }
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte > 0xf4) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

function badText(offset: number, encoding: string): IngestError {
  return new IngestError(
    "TEXT_ENCODING",
    encoding === "utf-8"
      ? say("Byte {offset} is not UTF-8 text. Save the file as UTF-8 and add it again.", { offset })
      : say("Byte {offset} is not UTF-16 text. Save the file as UTF-8 and add it again.", { offset }),
  );
}
