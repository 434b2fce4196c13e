import { say } from "../../core/language/say.ts";
import { IngestError } from "./source.ts";

/**
 * Reads an IDX file of unsigned bytes: two zero bytes, the type (8), the number of axes, each size as a big-endian uint32, the numbers.
 * @throws IngestError IDX_HEADER | IDX_SIZE
 */
export function readIdx(bytes: Uint8Array, name: string): { shape: number[]; data: Uint8Array } {
  const rank = bytes[3] ?? 0;
  const offset = 4 + 4 * rank;
  if (bytes.length < offset || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 8 || rank < 1 || rank > 4) {
    throw new IngestError("IDX_HEADER", say("{name} is not an IDX file of unsigned bytes.", { name }));
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis, false));
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== bytes.length - offset)
    throw new IngestError(
      "IDX_SIZE",
      say("{name} promises [{shape}], {count} bytes, and holds {count2}.", { name, shape: shape.join(", "), count, count2: bytes.length - offset }),
    );
  return { shape, data: bytes.subarray(offset) };
}
