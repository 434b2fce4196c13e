/** The class number of a pixel of which nothing is known. */
export const UNKNOWN_CLASS = 255;

/** A colour for a class in a mask, as red, green and blue: far from those of its neighbours, and alike in light and dark pages. */
export function classColour(index: number): [number, number, number] {
  // Steps of the golden angle never come close to a hue that was used shortly before.
  const hue = (index * 137.508 + 210) % 360;
  const light = index % 2 === 0 ? 0.5 : 0.6;
  const channel = (offset: number) => {
    const at = (offset + hue / 30) % 12;
    return Math.round(255 * (light - 0.85 * Math.min(light, 1 - light) * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** The same for a style sheet. */
export const classColourText = (index: number): string => `rgb(${classColour(index).join(" ")})`;

/** Lays the classes of a mask over RGBA pixels. The first class is what lies behind everything, and stays as it is; what is not known is hatched. */
export function overlayMask(pixels: Uint8ClampedArray, mask: ArrayLike<number>, width: number, strength = 0.5): void {
  for (let at = 0; at < mask.length; at++) {
    const index = mask[at] as number;
    if (index === 0) continue;
    const isUnknown = index === UNKNOWN_CLASS;
    // Lines at 45 degrees, two of six pixels wide.
    if (isUnknown && ((at % width) + Math.floor(at / width)) % 6 > 1) continue;
    const colour = isUnknown ? [128, 128, 128] : classColour(index);
    for (let channel = 0; channel < 3; channel++) {
      const place = at * 4 + channel;
      pixels[place] = (pixels[place] ?? 0) * (1 - strength) + (colour[channel] ?? 0) * strength;
    }
  }
}
