/**
 * A text cut into the pieces that together are likeliest, each with a likelihood of its own: SentencePiece's unigram model.
 * @see https://arxiv.org/abs/1804.10959 (Kudo, 2018)
 */

/** What stands for the space before a word. */
export const SPACE = "\u2581";

/** Signs that a text may have on one way through the lattice: longer ones are cut there, so that one endless word costs no more than many short ones. */
const MOST_SIGNS = 2_048;

/** Pieces by their text, each with the logarithm of its likelihood. */
export type Pieces = { scores: ReadonlyMap<string, number> /** Signs of the longest. */; longest: number };

/** The pieces of a vocabulary. `scores[n]` belongs to `tokens[n]`; the first `from` tokens stand for no text. */
export function piecesOf(tokens: readonly string[], scores: readonly number[], from: number): Pieces {
  const own = tokens.slice(from).map((token, at): [string, number] => [token, scores[from + at] ?? 0]);
  return { scores: new Map(own), longest: own.reduce((most, [token]) => Math.max(most, [...token].length), 1) };
}

/** The signs that pieces are made of: NFKC, and a mark at the beginning and in place of every space. */
export function readSigns(text: string): string[] {
  const whole = text.normalize("NFKC").replaceAll(/\s+/g, " ").trim();
  return whole === "" ? [] : [...`${SPACE}${whole.replaceAll(" ", SPACE)}`];
}

/**
 * The likeliest way to cut a text; what no piece has stands as one `null`, however many signs in a row.
 * Of ways that are equally likely the one is taken whose last piece is the shorter.
 */
export function cutIntoPieces(text: string, { scores, longest }: Pieces): (string | null)[] {
  const signs = readSigns(text);
  const found: (string | null)[] = [];
  for (let from = 0; from < signs.length; from += MOST_SIGNS) found.push(...likeliest(signs.slice(from, from + MOST_SIGNS), scores, longest));
  return found.filter((piece, at) => piece !== null || found[at - 1] !== null);
}

/** Worse than any way through known pieces, so that a sign is unknown only where it must be. */
const UNKNOWN_SCORE = -1e4;

function likeliest(signs: readonly string[], scores: ReadonlyMap<string, number>, longest: number): (string | null)[] {
  const best = new Float64Array(signs.length + 1).fill(Number.NEGATIVE_INFINITY);
  best[0] = 0;
  const from = new Int32Array(signs.length + 1);
  const isKnown = new Uint8Array(signs.length + 1);
  for (let start = 0; start < signs.length; start++) {
    const before = best[start] ?? 0;
    let piece = "";
    for (let end = start + 1; end <= Math.min(signs.length, start + longest); end++) {
      piece += signs[end - 1];
      const score = scores.get(piece);
      const total = before + (score ?? (end === start + 1 ? UNKNOWN_SCORE : Number.NEGATIVE_INFINITY));
      if (total < (best[end] ?? 0) || total === Number.NEGATIVE_INFINITY) continue;
      best[end] = total;
      from[end] = start;
      isKnown[end] = score === undefined ? 0 : 1;
    }
  }
  const pieces: (string | null)[] = [];
  for (let end = signs.length; end > 0; end = from[end] ?? 0) pieces.push(isKnown[end] ? signs.slice(from[end], end).join("") : null);
  return pieces.reverse();
}
