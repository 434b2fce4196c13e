import { type PicturePlan, place, toPlanes } from "../../core/data/pictures.ts";
import { say } from "../../core/language/say.ts";

/** A picture of one's own, a file's or what a video shows now, as the network takes it: scaled, cut or padded as those it learned from were, channels first. */
export async function readPicture(file: Blob | HTMLVideoElement, { size, fit, colour }: Pick<PicturePlan, "size" | "fit" | "colour">): Promise<Uint8Array> {
  // A browser turns it as its Exif says, as reading a data set does.
  const bitmap = await createImageBitmap(file);
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error(say("This browser draws no pictures."));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const at = place(width, height, size, fit);
  const scaled = resample(context.getImageData(0, 0, width, height).data, { width, height }, at);
  const square = new Uint8ClampedArray(size * size * 4);
  for (let y = Math.max(0, at.y); y < Math.min(size, at.y + at.height); y++)
    for (let x = Math.max(0, at.x); x < Math.min(size, at.x + at.width); x++) {
      const from = ((y - at.y) * at.width + (x - at.x)) * 4;
      square.set(scaled.subarray(from, from + 4), (y * size + x) * 4);
    }
  return toPlanes(square, 4, size, colour);
}

type Size = { width: number; height: number };

/** RGBA pixels in another size, by the filter that reading a data set makes them smaller with; what it enlarges comes out a little otherwise. @see C. E. Duchon, Lanczos Filtering in One and Two Dimensions, 1979 */
export function resample(pixels: Uint8ClampedArray | Uint8Array, from: Size, to: Size): Uint8ClampedArray {
  const columns = filters(from.width, to.width);
  const rows = filters(from.height, to.height);
  const wide = new Float32Array(to.width * from.height * 4);
  for (let y = 0; y < from.height; y++)
    for (const [x, { first, weights }] of columns.entries())
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0;
        for (let tap = 0; tap < weights.length; tap++) sum += (weights[tap] as number) * (pixels[(y * from.width + first + tap) * 4 + channel] as number);
        wide[(y * to.width + x) * 4 + channel] = sum;
      }
  const out = new Uint8ClampedArray(to.width * to.height * 4);
  for (const [y, { first, weights }] of rows.entries())
    for (let at = 0; at < to.width * 4; at++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += (weights[tap] as number) * (wide[(first + tap) * to.width * 4 + at] as number);
      out[y * to.width * 4 + at] = sum;
    }
  return out;
}

/** For each place of a line of `to` pixels, which of `from` pixels it is made of, and with what weights. */
function filters(from: number, to: number): { first: number; weights: number[] }[] {
  const scale = Math.max(1, from / to);
  return Array.from({ length: to }, (_, at) => {
    const middle = ((at + 0.5) * from) / to;
    const first = Math.max(0, Math.floor(middle - 3 * scale));
    const last = Math.min(from - 1, Math.ceil(middle + 3 * scale) - 1);
    const weights = Array.from({ length: last - first + 1 }, (_, tap) => lanczos((first + tap + 0.5 - middle) / scale));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 3) return 0;
  const angle = Math.PI * x;
  return (3 * Math.sin(angle) * Math.sin(angle / 3)) / (angle * angle);
}
