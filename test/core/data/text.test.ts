import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { learnPairs } from "../../../core/data/bpe.ts";
import { decodeText, encodeText, makeText, PADDING, splitText, UNKNOWN } from "../../../core/data/text.ts";

const how = { unit: "characters", lowercase: true } as const;

describe("text as token numbers", () => {
  it("reads back as it was, in lower case, for every text of the vocabulary", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 }), (texts) => {
        const text = makeText(texts, how);
        for (const one of texts) {
          const numbers = encodeText(one, text);
          expect(numbers.every((number) => number > UNKNOWN && number < text.tokens.length)).toBe(true);
          expect(decodeText([...numbers, PADDING, PADDING], text)).toBe(splitText(one, text).join(""));
        }
      }),
    );
  });

  it("marks what the vocabulary does not have, and counts a surrogate pair as one", () => {
    const text = makeText(["ana"], how);
    expect(text.tokens).toEqual(["<pad>", "<unk>", "a", "n"]);
    expect(encodeText("An🦊", text)).toEqual([2, 3, UNKNOWN]);
    expect(decodeText([2, 3, UNKNOWN, PADDING], text)).toBe("an\uFFFD");
  });
});

describe("words", () => {
  it("keep their apostrophes, and every other sign stands alone; the most frequent come first", () => {
    const text = makeText(["Don't stop, don't!", "Stop 2002"], { unit: "words", lowercase: true });
    expect(text.tokens).toEqual(["<pad>", "<unk>", "don't", "stop", "!", ",", "2002"]);
    expect(text.counts).toEqual([0, 0, 2, 2, 1, 1, 1]);
    expect(decodeText(encodeText("stop, don't go", text), text)).toBe("stop, don't \uFFFD");
  });

  it("beyond the size of the vocabulary are unknown, and are counted so", () => {
    const text = makeText(["a a a b b c d"], { unit: "words", lowercase: false, vocabulary: 4 });
    expect(text.tokens).toEqual(["<pad>", "<unk>", "a", "b"]);
    expect(text.counts).toEqual([0, 2, 3, 2]);
    expect(encodeText("a c <pad>", text)).toEqual([2, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]);
  });
});

describe("byte-pair encoding", () => {
  // The example of the paper, whose first joins are e s, es t, l o, lo w.
  const corpus = `${"low ".repeat(5)}${"lower ".repeat(2)}${"newest ".repeat(6)}${"widest ".repeat(3)}`.trim();

  it("joins the most frequent neighbours first, as an unhurried count of all of them does", () => {
    const pieces = new Map([
      ["low", 5],
      ["lower", 2],
      ["newest", 6],
      ["widest", 3],
    ]);
    const alphabet = [..."deilnorstw"];
    expect(learnPairs(pieces, alphabet, 14).slice(10)).toEqual(["es", "est", "lo", "low"]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 5 })), { maxLength: 12 }),
        (list) => {
          const counted = new Map(list);
          const learned = learnPairs(counted, ["a", "b", "c"], 12);
          expect(learned).toEqual(learnSlowly(counted, ["a", "b", "c"], 12));
        },
      ),
    );
  });

  it("gives any text of its characters back as it was, and never a token of its own for what is reserved", () => {
    const text = makeText([corpus, "<pad> <unk>"], { unit: "bpe", lowercase: false, vocabulary: 60 });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."deilnorstw <>apu\nk") }), (one) => {
        const known = one.replaceAll("\n", " ");
        const numbers = encodeText(known, text);
        expect(numbers.every((number) => number > UNKNOWN)).toBe(true);
        expect(decodeText(numbers, text)).toBe(known);
      }),
    );
    expect(encodeText("low newest", text).length).toBeLessThan(5);
  });

  it("counts what is left when all joining is done", () => {
    const text = makeText([corpus], { unit: "bpe", lowercase: false, vocabulary: 24 });
    const counts = new Array<number>(text.tokens.length).fill(0);
    for (const number of encodeText(corpus, text)) counts[number] = (counts[number] ?? 0) + 1;
    expect(text.counts).toEqual(counts);
  });
});

/** Counts all pairs anew before each join. */
function learnSlowly(pieces: ReadonlyMap<string, number>, alphabet: readonly string[], size: number): string[] {
  const tokens = [...alphabet];
  const words = [...pieces].map(([piece, count]) => ({ parts: [...piece], count }));
  for (;;) {
    const counts = new Map<string, number>();
    for (const { parts, count } of words)
      for (let i = 0; i + 1 < parts.length; i++) counts.set(`${parts[i]} ${parts[i + 1]}`, (counts.get(`${parts[i]} ${parts[i + 1]}`) ?? 0) + count);
    const [best] = [...counts].sort(([a, often], [b, seldom]) => seldom - often || compare(a.split(" "), b.split(" ")));
    if (!best || best[1] < 2 || tokens.length >= size) return tokens;
    const [left, right] = best[0].split(" ");
    if (!tokens.includes(`${left}${right}`)) tokens.push(`${left}${right}`);
    for (const { parts } of words) for (let i = 0; i + 1 < parts.length; i++) if (parts[i] === left && parts[i + 1] === right) parts.splice(i, 2, `${left}${right}`);
  }
}

function compare([a1 = "", a2 = ""]: string[], [b1 = "", b2 = ""]: string[]): number {
  return a1 < b1 ? -1 : a1 > b1 ? 1 : a2 < b2 ? -1 : a2 > b2 ? 1 : 0;
}
