/**
 * Examples in two parts, 80 to 20 where nothing else is asked for, each in random order: within each group, so that every class keeps its share. The same seed gives
 * the same split.
 */
export function splitRows<T>(groups: readonly (readonly T[])[], seed: number, validationShare = 0.2): { train: T[]; validation: T[] } {
  const random = xorshift32(seed);
  const train: T[] = [];
  const validation: T[] = [];
  for (const group of groups) {
    const mixed = shuffled(group, random);
    const validationRows = Math.round(mixed.length * validationShare);
    for (const [at, item] of mixed.entries()) (at < validationRows ? validation : train).push(item);
  }
  return { train: shuffled(train, random), validation: shuffled(validation, random) };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}

/** Uniform in [0, 1). @see G. Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003 */
export function xorshift32(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
