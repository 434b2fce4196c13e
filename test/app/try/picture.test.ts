import sharp from "sharp";
import { expect, it } from "vitest";
import { resample } from "../../../app/try/picture.ts";

it.each([
  [200, 150, 64, 48],
  [500, 375, 96, 72],
])("a picture of %i × %i is made %i × %i as reading a data set does", async (width, height, w, h) => {
  const pixels = new Uint8Array(width * height * 4);
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [(at % width) / width, Math.floor(at / width) / height];
    pixels.set([128 + 120 * Math.sin(20 * x + 9 * y), 255 * x * y, x + y > 1 ? 220 : 30, 255], at * 4);
  }
  const theirs = await sharp(pixels, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .resize(w, h, { fit: "fill" })
    .raw()
    .toBuffer();
  const ours = resample(pixels, { width, height }, { width: w, height: h });
  let sum = 0;
  for (let at = 0; at < w * h; at++) for (let channel = 0; channel < 3; channel++) sum += Math.abs((ours[at * 4 + channel] ?? 0) - (theirs[at * 3 + channel] ?? 0));
  // libvips first shrinks by a whole factor and calculates with whole numbers: about one of 255.
  expect(sum / (w * h * 3)).toBeLessThan(1.5);
});
