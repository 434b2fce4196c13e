import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
