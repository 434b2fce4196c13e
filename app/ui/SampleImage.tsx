"use client";

import { memo, useEffect, useRef } from "react";
import type { Manifest } from "../../core/data/manifest.ts";
import { cx } from "./cx.ts";
import { decodeTensor, imageSize, toPixels } from "./tensorBytes.ts";

/** One sample drawn from its stored bytes, pixel for pixel; CSS makes it larger. */
export const SampleImage = memo(function SampleImage({
  bytes,
  dtype,
  shape,
  label,
  className,
}: {
  /** Base64, as the server sends it. */
  bytes: string;
  dtype: Manifest["preprocess"]["dtype"];
  shape: readonly number[];
  /** What it shows, for everybody who cannot see it. */
  label: string;
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
    context.putImageData(new ImageData(toPixels(decodeTensor(bytes, dtype), { channels, height, width }, dtype === "uint8"), width, height), 0, 0);
  }, [bytes, dtype, channels, height, width]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} className={cx("block aspect-square w-full [image-rendering:pixelated]", className)} />;
});
