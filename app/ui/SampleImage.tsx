"use client";

import { memo, useEffect, useRef } from "react";
import type { Manifest } from "../../core/data/manifest.ts";
import { overlayMask } from "./classColours.ts";
import { cx } from "./cx.ts";
import { decodeTensor, imageSize, toPixels } from "./tensorBytes.ts";

/** One sample drawn from its stored bytes, pixel for pixel; CSS makes it larger. */
export const SampleImage = memo(function SampleImage({
  bytes,
  dtype,
  shape,
  label,
  mask,
  strength,
  muted = false,
  className,
}: {
  /** Base64, as the server sends it. */
  bytes: string;
  dtype: Manifest["preprocess"]["dtype"];
  shape: readonly number[];
  /** What it shows, for everybody who cannot see it. */
  label: string;
  /** Class numbers of the pixels, in base64, to be laid over it. */
  mask?: string | null;
  /** How much of the picture the mask hides, from 0 to 1. */
  strength?: number;
  /** Whether it is drawn in grey, so that the colours of the mask stand out. */
  muted?: boolean;
  className?: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = imageSize(shape);
  const height = size?.height ?? 1;
  const width = size?.width ?? 1;
  const channels = size?.channels ?? 1;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const pixels = toPixels(decodeTensor(bytes, dtype), { channels, height, width }, dtype === "uint8");
    if (muted) mute(pixels);
    if (mask) overlayMask(pixels, decodeTensor(mask, "uint8"), width, strength);
    context.putImageData(new ImageData(pixels, width, height), 0, 0);
  }, [bytes, mask, strength, muted, dtype, channels, height, width]);
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}
      className={cx("block aspect-square w-full [image-rendering:pixelated]", className)}
    />
  );
});

/** Takes the colours out of RGBA pixels: what is left is how light they are (Rec. 709). */
function mute(pixels: Uint8ClampedArray): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const light = 0.2126 * (pixels[at] ?? 0) + 0.7152 * (pixels[at + 1] ?? 0) + 0.0722 * (pixels[at + 2] ?? 0);
    pixels[at] = pixels[at + 1] = pixels[at + 2] = light;
  }
}
