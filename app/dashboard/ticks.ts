/** Round numbers that lie evenly over a range, about `count` of them, all inside it. */
export function niceTicks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / Math.max(1, count));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** Powers of ten inside a range; where there are fewer than two, round numbers. */
export function logTicks(low: number, high: number, count: number): number[] {
  const decades: number[] = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.floor(Math.log10(high) + 1e-9); power++) decades.push(Number(`1e${power}`));
  if (decades.length < 2) return niceTicks(low, high, count).filter((tick) => tick > 0);
  const every = Math.ceil(decades.length / (count + 1));
  return decades.filter((_, index) => index % every === 0);
}

/** The range widened to whole steps, so that the curve keeps clear of the frame and ticks stand at its ends. */
export function niceRange(low: number, high: number, count: number): [number, number] {
  if (low === high) return low === 0 ? [0, 1] : [Math.min(low * 0.5, low * 1.5), Math.max(low * 0.5, low * 1.5)];
  const step = niceStep((high - low) / Math.max(1, count));
  return [Number((Math.floor(low / step + 1e-9) * step).toPrecision(12)), Number((Math.ceil(high / step - 1e-9) * step).toPrecision(12))];
}

/** The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `rough`. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const mantissa = rough / power;
  const round = [1, 2, 2.5, 5, 10].find((candidate) => mantissa <= candidate * (1 + 1e-9)) ?? 10;
  return round * power;
}
