/**
 * Byte-pair encoding over characters: the neighbours that stand together most often become one token, again and again.
 * @see https://arxiv.org/abs/1508.07909 (Sennrich, Haddow and Birch, 2016)
 */

/** Pairs of token numbers as one key: vocabularies are far smaller than this. */
const KEY = 1 << 20;

/** The tokens of a piece as one list of numbers. A pair that makes a token is joined, the pair of the lowest number first. */
export function joinPairs(characters: readonly string[], numbers: ReadonlyMap<string, number>): string[] {
  const parts = [...characters];
  while (parts.length > 1) {
    let [best, at] = [Number.POSITIVE_INFINITY, -1];
    for (let i = 0; i + 1 < parts.length; i++) {
      const number = numbers.get(`${parts[i]}${parts[i + 1]}`);
      if (number !== undefined && number < best) [best, at] = [number, i];
    }
    if (at < 0) return parts;
    parts.splice(at, 2, `${parts[at]}${parts[at + 1]}`);
  }
  return parts;
}

/**
 * Learns which characters belong together. `pieces` says how often each piece occurs; nothing is joined across two of them.
 * @param alphabet the tokens to begin with; pieces are cut at characters that are not among them.
 * @param size how many tokens there are to be in the end; there are fewer where no pair occurs twice any more.
 * @returns the alphabet and behind it the joined tokens, in the order in which they were joined. Equal pieces give equal tokens.
 */
export function learnPairs(pieces: ReadonlyMap<string, number>, alphabet: readonly string[], size: number): string[] {
  const tokens = [...alphabet];
  const numbers = new Map(tokens.map((token, number) => [token, number]));
  const words: { parts: number[]; count: number }[] = [];
  for (const [piece, count] of pieces) for (const parts of cutAtUnknown([...piece].map((character) => numbers.get(character)))) if (parts.length > 1) words.push({ parts, count });

  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>();
  const queue = new PairQueue((key) => [tokens[Math.floor(key / KEY)] ?? "", tokens[key % KEY] ?? ""]);
  const add = (left: number, right: number, count: number, word: number) => {
    const key = left * KEY + right;
    const total = (counts.get(key) ?? 0) + count;
    counts.set(key, total);
    if (count < 0) return;
    const set = places.get(key);
    if (set) set.add(word);
    else places.set(key, new Set([word]));
  };
  for (const [word, { parts, count }] of words.entries()) for (let i = 0; i + 1 < parts.length; i++) add(parts[i] as number, parts[i + 1] as number, count, word);
  for (const [key, count] of counts) queue.push(count, key);

  while (tokens.length < size) {
    const top = queue.pop();
    if (!top || top.count < 2) break;
    const now = counts.get(top.key) ?? 0;
    if (now !== top.count) {
      // What was counted has been joined otherwise since; it takes its place again.
      if (now > 1) queue.push(now, top.key);
      continue;
    }
    const [left, right] = [Math.floor(top.key / KEY), top.key % KEY];
    const joined = `${tokens[left]}${tokens[right]}`;
    let number = numbers.get(joined);
    if (number === undefined) {
      number = tokens.length;
      tokens.push(joined);
      numbers.set(joined, number);
    }
    const grown = new Set<number>();
    for (const word of places.get(top.key) ?? []) {
      const { parts, count } = words[word] as { parts: number[]; count: number };
      for (let i = 0; i + 1 < parts.length; i++) {
        if (parts[i] !== left || parts[i + 1] !== right) continue;
        const [before, after] = [parts[i - 1], parts[i + 2]];
        if (before !== undefined) {
          add(before, left, -count, word);
          add(before, number, count, word);
          grown.add(before * KEY + number);
        }
        if (after !== undefined) {
          add(right, after, -count, word);
          add(number, after, count, word);
          grown.add(number * KEY + after);
        }
        parts.splice(i, 2, number);
      }
    }
    counts.delete(top.key);
    places.delete(top.key);
    for (const key of grown) queue.push(counts.get(key) ?? 0, key);
  }
  return tokens;
}

function cutAtUnknown(numbers: readonly (number | undefined)[]): number[][] {
  const parts: number[][] = [[]];
  for (const number of numbers) {
    if (number === undefined) parts.push([]);
    else parts.at(-1)?.push(number);
  }
  return parts;
}

type Pair = { count: number; key: number };

/** The most frequent pair first; of equally frequent ones that whose text comes first. */
class PairQueue {
  private readonly heap: Pair[] = [];
  private readonly textOf: (key: number) => [string, string];

  constructor(textOf: (key: number) => [string, string]) {
    this.textOf = textOf;
  }

  push(count: number, key: number): void {
    const { heap } = this;
    let at = heap.push({ count, key }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(heap[at] as Pair, heap[parent] as Pair)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): Pair | undefined {
    const { heap } = this;
    const [top] = heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return top;
    heap[0] = last;
    for (let at = 0; ; ) {
      let best = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && this.isBefore(heap[child] as Pair, heap[best] as Pair)) best = child;
      if (best === at) return top;
      this.swap(at, best);
      at = best;
    }
  }

  private isBefore(a: Pair, b: Pair): boolean {
    if (a.count !== b.count) return a.count > b.count;
    if (a.key === b.key) return false;
    const [[a1, a2], [b1, b2]] = [this.textOf(a.key), this.textOf(b.key)];
    return a1 === b1 ? a2 < b2 : a1 < b1;
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b] as Pair, this.heap[a] as Pair];
  }
}
