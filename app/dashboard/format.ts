/** How figures are written on the run pages: few digits, a unit, nothing that jumps about. */

const NBSP = "\u00a0";

/** `48 s`, `3 min 20 s`, `1 h 4 min`, `2 d 3 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 1) return `${Math.round(ms)}${NBSP}ms`;
  if (seconds < 10) return `${seconds.toFixed(1)}${NBSP}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${NBSP}s`;
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${NBSP}${bigUnit}` : `${big}${NBSP}${bigUnit} ${small}${NBSP}${smallUnit}`;
}

/** Three significant digits without trailing noise: `0.0342`, `2.41`, `1.2e-5`. */
export function formatNumber(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return formatExponent(value, Math.max(1, digits - 2));
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return trimZeros(value.toPrecision(digits));
}

/** Every digit worth having, for tooltips and copies. */
export function formatExact(value: number | null): string {
  if (value === null) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4) return formatExponent(value, 4);
  return size >= 1000 ? value.toLocaleString("en-US", { maximumFractionDigits: 1 }) : trimZeros(value.toPrecision(6));
}

function formatExponent(value: number, digits: number): string {
  const [mantissa = "", exponent = ""] = value.toExponential(digits).split("e");
  return `${trimZeros(mantissa)}e${exponent.replace("+", "")}`;
}

const trimZeros = (text: string) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

/** `98.7%`; two decimals above 99% and below 1%, where they tell runs apart. */
export function formatPercent(fraction: number | null | undefined): string {
  if (fraction === null || fraction === undefined) return "–";
  const percent = fraction * 100;
  const digits = percent === 0 || percent === 100 ? 0 : percent > 99 || percent < 1 ? 2 : 1;
  return `${percent.toFixed(digits)}%`;
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Axis ticks: `0`, `850`, `1.2k`, `3M`. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trimZeros((value / 1e9).toPrecision(3))}B`;
  if (size >= 1e6) return `${trimZeros((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e3) return `${trimZeros((value / 1e3).toPrecision(3))}k`;
  return formatNumber(value);
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes}${NBSP}B`;
  if (bytes < 1e6) return `${trimZeros((bytes / 1e3).toPrecision(3))}${NBSP}kB`;
  if (bytes < 1e9) return `${trimZeros((bytes / 1e6).toPrecision(3))}${NBSP}MB`;
  return `${trimZeros((bytes / 1e9).toPrecision(3))}${NBSP}GB`;
}

/** `14:02`, with the day in front where it is not today. */
export function formatClock(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === now.toDateString()) return time;
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: at.getFullYear() === now.getFullYear() ? undefined : "numeric" });
  return `${day}, ${time}`;
}
