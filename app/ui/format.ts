import { inLanguage, printCount, printDate, printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";

export { formatDuration } from "../../core/runs/duration.ts";

/** Figures as people read them, in the language of this installation, so that a page is the same on the server and in the browser. */

/** `81,610` */
export function formatCount(count: number): string {
  return printCount(count);
}

/** `61.7k`, `1.2M`: for places where a full count does not fit. */
export function formatShort(count: number): string {
  const units = ["", "k", "M", "G", "T"];
  let unit = 0;
  let value = count;
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? String(Math.round(value)) : `${value < 9.95 ? printFixed(value, 1) : Math.round(value)}${units[unit]}`;
}

/** `98 KB`, `1.4 GB`; 1 KB is 1024 bytes. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : printFixed(value, 1)} ${units[unit]}`;
}

/** `just now`, `4 min ago`, `yesterday`, `12 Mar`. */
export function formatAgo(iso: string, nowMs = Date.now()): string {
  const then = new Date(iso);
  const seconds = (nowMs - then.getTime()) / 1000;
  if (seconds < 45) return say("just now");
  if (seconds < 3600) return say("{minutes} min ago", { minutes: Math.max(1, Math.round(seconds / 60)) });
  if (seconds < 86_400) return say("{hours} h ago", { hours: Math.round(seconds / 3600) });
  if (seconds < 172_800) return say("yesterday");
  const sameYear = then.getFullYear() === new Date(nowMs).getFullYear();
  return printDate(then, { day: "numeric", month: "short", year: sameYear ? undefined : "numeric" });
}

/** A metric: `0.034`, `12.3`, `1.2e-5`; a dash where there is none. */
export function formatMetric(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.0005 || size >= 1e6)) return inLanguage(value.toExponential(1).replace("e+", "e"));
  return printFixed(value, size < 1 ? 3 : size < 100 ? 2 : 0);
}

/** A share of one as `99.1%`. */
export function formatPercent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${printFixed(share * 100, 1)}%`;
}
