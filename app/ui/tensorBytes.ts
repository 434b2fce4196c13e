import type { Manifest } from "../../core/data/manifest.ts";

type Dtype = Manifest["preprocess"]["dtype"];

/** Numbers from the raw little-endian bytes, in base64, that the server sends for a sample. int64 values fit a double here: they are class and token numbers. */
export function decodeTensor(base64: string, dtype: Dtype): Uint8Array | Float32Array | Float64Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  if (dtype === "uint8") return bytes;
  if (dtype === "float32") return new Float32Array(bytes.buffer);
  return Float64Array.from(new BigInt64Array(bytes.buffer), Number);
}

/** Channels, height and width of an image tensor `[C, H, W]` or `[H, W]`; null for anything that is no picture. */
export function imageSize(shape: readonly number[]): { channels: 1 | 3; height: number; width: number } | null {
  const [channels, height, width] = shape.length === 2 ? [1, ...shape] : shape;
  if (shape.length < 2 || shape.length > 3 || height === undefined || width === undefined) return null;
  return channels === 1 || channels === 3 ? { channels, height, width } : null;
}

/** RGBA pixels of an image tensor, channels first. Bytes are taken as they are; other numbers are stretched from their least to their greatest. */
export function toPixels(
  values: ArrayLike<number>,
  { channels, height, width }: { channels: 1 | 3; height: number; width: number },
  bytes: boolean,
): Uint8ClampedArray<ArrayBuffer> {
  const plane = height * width;
  let low = 0;
  let scale = 1;
  if (!bytes) {
    let high = -Infinity;
    low = Infinity;
    for (let i = 0; i < plane * channels; i++) {
      low = Math.min(low, values[i] ?? 0);
      high = Math.max(high, values[i] ?? 0);
    }
    scale = high > low ? 255 / (high - low) : 0;
  }
  const pixels = new Uint8ClampedArray(plane * 4);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) pixels[i * 4 + c] = ((values[channels === 3 ? c * plane + i : i] ?? 0) - low) * scale;
    pixels[i * 4 + 3] = 255;
  }
  return pixels;
}
