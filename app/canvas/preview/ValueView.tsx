"use client";

import { useEffect, useRef } from "react";
import { decodeText, type Text } from "../../../core/data/text.ts";
import { say } from "../../../core/language/say.ts";
import type { Picture, View } from "../../../core/preview/picture.ts";
import { cx } from "../../ui/cx.ts";
import { formatMetric } from "../../ui/format.ts";
import { useTheme } from "../../ui/theme.ts";
import { type Inks, layoutOf, paint } from "./paint.ts";

/** What the numbers of a value are called, where they have names: an Output's classes; and how tokens are read. */
export type Names = { classes: readonly string[]; text: Text | null };

/** A value as a picture: planes of an image, a map of steps and features, bars, words. `size`: beside a node, or in the panel. */
export function ValueView({ picture, names, size, label }: { picture: Picture; names: Names; size: "small" | "large"; label: string }) {
  const { view } = picture;
  switch (view.kind) {
    case "image":
    case "map":
      return <Painted view={view} size={size} label={label} />;
    case "numbers":
      return <Numbers values={view.values} classes={names.classes.length === picture.count ? names.classes : []} size={size} />;
    case "tokens": {
      const words = names.text ? decodeText(view.values, names.text) : view.values.join(" ");
      return <p className={cx("font-mono break-words text-ink", size === "small" ? "line-clamp-3 w-28 text-[10px] leading-[13px]" : "text-sm")}>{words || "–"}</p>;
    }
    default:
      return <p className="text-sm text-ink2">{say("Empty")}</p>;
  }
}

function Painted({ view, size, label }: { view: Extract<View, { kind: "image" | "map" }>; size: "small" | "large"; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const columns = size === "small" ? 4 : Math.ceil(Math.sqrt(view.kind === "image" ? view.shown : 1));
  const { width, height } = layoutOf(view, columns);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (canvas.current && context) paint(context, view, columns, inksOf(canvas.current));
  }, [view, columns, theme]);
  const box = size === "small" ? { width: 112, height: 56 } : { width: 276, height: 276 };
  const isStrip = view.kind === "map";
  // Pictures keep their proportions; a map fills its box, since its axes have nothing to do with each other.
  const scale = Math.min(box.width / width, box.height / height);
  const shown = isStrip ? { width: box.width, height: Math.min(box.height, Math.max(12, height * (box.width / width))) } : { width: width * scale, height: height * scale };
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      role="img"
      aria-label={label}
      style={{ ...shown, color: "var(--series-1)", backgroundColor: "var(--raise)", outlineColor: "var(--series-2)" }}
      className="block rounded-[3px] [image-rendering:pixelated]"
    />
  );
}

/** The colours of the theme as numbers, by way of an element's own style. */
function inksOf(element: Element): Inks {
  const { color, backgroundColor, outlineColor } = getComputedStyle(element);
  const read = (text: string): [number, number, number] => {
    const [red = 0, green = 0, blue = 0] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return text.startsWith("color(") ? [red * 255, green * 255, blue * 255] : [red, green, blue];
  };
  return { paper: read(backgroundColor), ink: read(color), counter: read(outlineColor) };
}

/** Bars from the middle, or a few lines with their names, the largest first. */
function Numbers({ values, classes, size }: { values: readonly (number | null)[]; classes: readonly string[]; size: "small" | "large" }) {
  const most = Math.max(...values.map((value) => Math.abs(value ?? 0)), Number.MIN_VALUE);
  const lines = values.map((value, index) => ({ value, index, name: classes[index] ?? String(index) }));
  if (classes.length > 0) lines.sort((a, b) => (b.value ?? Number.NEGATIVE_INFINITY) - (a.value ?? Number.NEGATIVE_INFINITY));
  if (size === "small" && values.length === 1) return <p className="figures w-16 text-center">{formatMetric(values[0] ?? Number.NaN)}</p>;
  if (size === "small" && classes.length === 0)
    return (
      <div className="flex h-9 w-28 items-center gap-px" aria-hidden>
        {lines.map(({ value, index }) => (
          <span key={index} className="relative h-full flex-1">
            <Bar share={(value ?? 0) / most} upright />
          </span>
        ))}
      </div>
    );
  return (
    <dl className={cx("grid grid-cols-[auto_1fr_auto] items-center gap-x-1.5", size === "small" ? "w-32 text-[10px] leading-[13px]" : "gap-y-0.5")}>
      {lines.slice(0, size === "small" ? 4 : 32).map(({ value, index, name }, place) => (
        <div key={index} className={cx("contents", place === 0 && classes.length > 0 && "font-semibold")}>
          <dt className={cx("truncate", size === "small" ? "max-w-14" : "max-w-32")}>{name}</dt>
          <dd className="relative h-2 min-w-6" aria-hidden>
            <Bar share={(value ?? 0) / most} />
          </dd>
          <dd className="figures text-right text-ink2">{value === null ? say("not a number") : formatMetric(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** From the middle: to the right or upward what is positive, to the other side what is negative. */
function Bar({ share, upright = false }: { share: number; upright?: boolean }) {
  const length = `${Math.max(1, Math.abs(share) * 50)}%`;
  const colour = share < 0 ? "var(--series-2)" : "var(--series-1)";
  const place = upright
    ? { [share < 0 ? "top" : "bottom"]: "50%", height: length, left: 0, right: 0 }
    : { [share < 0 ? "right" : "left"]: "50%", width: length, top: 0, bottom: 0 };
  return <span className="absolute rounded-[1px]" style={{ ...place, background: colour }} />;
}

/** How often which numbers occur. */
export function Histogram({ picture, className }: { picture: Picture; className?: string }) {
  const { histogram, min, max } = picture;
  if (histogram.length === 0 || min === null || max === null) return null;
  const most = Math.max(...histogram);
  return (
    <figure className={className}>
      <svg
        viewBox={`0 0 ${histogram.length} 10`}
        preserveAspectRatio="none"
        className="block h-9 w-full"
        role="img"
        aria-label={say("Histogram from {min} to {max}", { min: formatMetric(min), max: formatMetric(max) })}
      >
        {histogram.map((count, i) => {
          const tall = count === 0 ? 0 : Math.max(0.35, (10 * count) / most);
          const middle = min + ((i + 0.5) / histogram.length) * (max - min);
          return <rect key={i} x={i + 0.06} y={10 - tall} width={0.88} height={tall} fill={middle < 0 ? "var(--series-2)" : "var(--series-1)"} />;
        })}
      </svg>
      <figcaption className="figures flex justify-between border-t border-line2 pt-0.5 text-[10px] text-ink2">
        <span>{formatMetric(min)}</span>
        <span>{formatMetric(max)}</span>
      </figcaption>
    </figure>
  );
}
