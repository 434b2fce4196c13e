import { inLanguage, printCount, printDate, printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { formatBytes, formatCount, formatMetric, formatPercent } from "../ui/format.ts";

/** How a metric's values are written, by its key (`validation/accuracy`). Shares of one read as percent. */
export type Unit = "share" | "value" | "count" | "bytes";

/** Every digit worth having: for tooltips. */
export function formatExact(value: number | null, unit: Unit): string {
  if (value === null) return say("not finite");
  if (unit === "share") return `${inLanguage(trimZeros((value * 100).toFixed(3)))}%`;
  if (unit === "bytes") return formatBytes(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3) return exponent(value, 3);
  return size >= 1000 ? printCount(value, 1) : inLanguage(trimZeros(value.toPrecision(6)));
}

/** A figure in a line of text or a legend. */
export function formatFigure(value: number | null | undefined, unit: Unit): string {
  if (unit === "share") return value !== null && value !== undefined && value >= 0.99 && value < 1 ? `${printFixed(value * 100, 2)}%` : formatPercent(value);
  if (unit === "bytes") return value === null || value === undefined ? "–" : formatBytes(value);
  if (unit === "count") return value === null || value === undefined ? "–" : formatCount(Math.round(value));
  return formatMetric(value);
}

/** Axis ticks: `0`, `0.5`, `850`, `1.2k`, `1e-4`, `77%`. `top` is the largest of the axis: one axis is written in one way. */
export function formatTick(value: number, unit: Unit, top = Math.abs(value)): string {
  if (unit === "share") return `${inLanguage(trimZeros((value * 100).toFixed(1)))}%`;
  if (value === 0) return "0";
  if (unit === "bytes")
    return formatBytes(value)
      .replace(/(\.0)? /, "")
      .replace("iB", "");
  if (top <= 1e-3) return exponent(value, 1);
  if (top >= 1e6) return `${inLanguage(trimZeros((value / 1e6).toFixed(2)))}M`;
  if (Math.abs(value) >= 1e3) return `${inLanguage(trimZeros((value / 1e3).toFixed(2)))}k`;
  return inLanguage(trimZeros(value.toPrecision(3)));
}

function exponent(value: number, digits: number): string {
  const [mantissa = "", power = ""] = value.toExponential(digits).split("e");
  return `${inLanguage(trimZeros(mantissa))}e${power.replace("+", "")}`;
}

const trimZeros = (text: string) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

/** `14:02`, with the day in front where it is not today. */
export function formatClock(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const time = printDate(at, { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === now.toDateString()) return time;
  const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return `${printDate(at, { day: "numeric", month: "short", year })}, ${time}`;
}
