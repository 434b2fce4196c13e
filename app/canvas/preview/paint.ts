import type { View } from "../../../core/preview/picture.ts";

type Colour = [red: number, green: number, blue: number];
/** Paper is what 0 looks like; ink what is positive, the counter colour what is negative. */
export type Inks = { paper: Colour; ink: Colour; counter: Colour };

/** What an image or map is painted on: how many pixels, and how its planes stand beside each other, a pixel apart. */
export function layoutOf(view: Extract<View, { kind: "image" | "map" }>, columns: number): { width: number; height: number; across: number } {
  if (view.kind === "map" || view.natural)
    return view.kind === "map" ? { width: view.columns, height: view.rows, across: 1 } : { width: view.width, height: view.height, across: 1 };
  const across = Math.min(columns, view.shown);
  const down = Math.ceil(view.shown / across);
  return { width: across * (view.width + 1) - 1, height: down * (view.height + 1) - 1, across };
}

/** Paints a value. Pictures of the data set as they are; all else from paper to ink, with what is negative in the counter colour. */
export function paint(context: CanvasRenderingContext2D, view: Extract<View, { kind: "image" | "map" }>, columns: number, inks: Inks): void {
  const { width, height, across } = layoutOf(view, columns);
  const pixels = context.createImageData(width, height);
  const bytes = Uint8Array.from(atob(view.bytes), (letter) => letter.charCodeAt(0));
  const [rows, wide, planes] = view.kind === "map" ? [view.rows, view.columns, 1] : [view.height, view.width, view.natural ? 1 : view.shown];
  const area = rows * wide;
  const put = (at: number, [red, green, blue]: Colour) => pixels.data.set([red, green, blue, 255], at * 4);
  for (let plane = 0; plane < planes; plane++) {
    const [left, top] = [(plane % across) * (wide + 1), Math.floor(plane / across) * (rows + 1)];
    for (let i = 0; i < area; i++) {
      const at = (top + Math.floor(i / wide)) * width + left + (i % wide);
      const byte = bytes[plane * area + i] ?? 0;
      if (view.kind === "image" && view.natural) put(at, view.shown === 3 ? [byte, bytes[area + i] ?? 0, bytes[2 * area + i] ?? 0] : [byte, byte, byte]);
      else put(at, shade(byte / 255, view, inks));
    }
  }
  context.putImageData(pixels, 0, 0);
}

function shade(share: number, { low, high }: { low: number; high: number }, { paper, ink, counter }: Inks): Colour {
  const value = low + share * (high - low);
  const most = Math.max(Math.abs(low), Math.abs(high));
  const strength = most === 0 ? 0 : Math.min(1, Math.abs(value) / most) ** 0.8;
  const [red, green, blue] = value < 0 ? counter : ink;
  return [paper[0] + (red - paper[0]) * strength, paper[1] + (green - paper[1]) * strength, paper[2] + (blue - paper[2]) * strength];
}
