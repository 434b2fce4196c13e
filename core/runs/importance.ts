/** What a run was set to, and what it came to. */
export type Trial = { settings: { readonly [key: string]: number | string }; result: number | null };

/**
 * How much of a result goes with one setting. `share`, from 0 to 1, is the part of the variance of the results' ranks that the setting alone
 * explains: for numbers the square of Spearman's rank correlation, for words the correlation ratio η² of the ranks, less what chance alone would
 * give that many words. `direction` says whether a larger number went with a larger result. Settings that were changed together cannot be told
 * apart: each gets the share of both.
 */
export type Importance = { key: string; share: number; direction: 1 | -1 | 0; values: number; runs: number };

/** Fewer runs than these say nothing. */
export const LEAST_TRIALS = 4;

/** The settings that differ among runs with a result, the one that goes with it most first. */
export function importanceOf(trials: readonly Trial[]): Importance[] {
  const known = trials.filter((trial): trial is Trial & { result: number } => trial.result !== null);
  const keys = new Set(known.flatMap(({ settings }) => Object.keys(settings)));
  const found: Importance[] = [];
  for (const key of keys) {
    const pairs = known.flatMap(({ settings, result }) => (settings[key] === undefined ? [] : [{ value: settings[key], result }]));
    const values = new Set(pairs.map(({ value }) => value)).size;
    if (values < 2 || pairs.length < LEAST_TRIALS) continue;
    const results = ranksOf(pairs.map(({ result }) => result));
    const numbers = pairs.every(({ value }) => typeof value === "number");
    if (numbers) {
      const correlation = correlate(ranksOf(pairs.map(({ value }) => value as number)), results);
      found.push({ key, share: correlation ** 2, direction: correlation > 0 ? 1 : correlation < 0 ? -1 : 0, values, runs: pairs.length });
    } else
      found.push({
        key,
        share: ratioOf(
          pairs.map(({ value }) => String(value)),
          results,
        ),
        direction: 0,
        values,
        runs: pairs.length,
      });
  }
  return found.sort((a, b) => b.share - a.share || (a.key < b.key ? -1 : 1));
}

/** Places in order of size, from 1; equal values share the mean of their places. */
export function ranksOf(values: readonly number[]): number[] {
  const order = values.map((value, at) => ({ value, at })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && order[to + 1]?.value === order[from]?.value) to++;
    for (let i = from; i <= to; i++) ranks[order[i]?.at ?? 0] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return ranks;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pearson's correlation; 0 where either does not vary. */
function correlate(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, at) => {
    const [da, db] = [value - ma, (b[at] ?? 0) - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  });
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/** Share of the variance of `ranks` between groups (ε², which is η² without what chance gives); never below 0. */
function ratioOf(groups: readonly string[], ranks: readonly number[]): number {
  const all = mean(ranks);
  const total = ranks.reduce((sum, rank) => sum + (rank - all) ** 2, 0);
  if (total === 0) return 0;
  const members = new Map<string, number[]>();
  for (const [at, group] of groups.entries()) members.set(group, [...(members.get(group) ?? []), ranks[at] ?? 0]);
  const between = [...members.values()].reduce((sum, some) => sum + some.length * (mean(some) - all) ** 2, 0);
  const free = ranks.length - members.size;
  if (free <= 0) return 0;
  return Math.max(0, between / total - ((members.size - 1) * ((total - between) / free)) / total);
}
