import { beforeAll, describe, expect, it } from "vitest";
import { decodeText, PADDING, UNKNOWN } from "../../../core/data/text.ts";
import { cutMail, mails } from "../../../server/ingest/mails.ts";
import type { Prepared } from "../../../server/ingest/source.ts";
import { prepareText } from "../../../server/ingest/text.ts";

let prepared: Prepared;
beforeAll(async () => {
  prepared = await mails.prepare();
}, 300_000);

function rowsOf({ input, target }: Prepared["splits"]["train"]): { text: string; target: number; key: string }[] {
  const [count = 0, width = 0] = input.shape;
  const { text } = prepared;
  if (!text) throw new Error("Mails are text.");
  return Array.from({ length: count }, (_, row) => {
    const numbers = Array.from(input.data.slice(row * width, (row + 1) * width), Number);
    return { text: decodeText(numbers, text), target: Number(target.data[row]), key: numbers.join() };
  });
}

describe("mails", () => {
  it("are there once each, in two classes, and none of validation reads like one of training", () => {
    const [train, validation] = [rowsOf(prepared.splits.train), rowsOf(prepared.splits.validation)];
    expect(train.length + validation.length).toBe(5_839);
    const known = new Set(train.map(({ key }) => key));
    expect(validation.filter(({ key }) => known.has(key))).toEqual([]);
    const share = (rows: typeof train) => rows.filter(({ target }) => target === 1).length / rows.length;
    expect(share(train)).toBeCloseTo(share(validation), 2);
    expect(prepared.text).toMatchObject({ unit: "words", cut: { length: 256 } });
    expect(prepared.text?.tokens).toHaveLength(8_192);
  });

  it("give their subject, also one that goes on in the next line, and what stands behind the head", () => {
    expect(cutMail("From: a@b\r\nSubject: One\r\n two\r\nTo: c\r\n\r\nHello\r\n\r\nBye\r\n")).toEqual({ subject: "One two", body: "Hello\r\n\r\nBye" });
    expect(cutMail("no head at all")).toEqual({ subject: "", body: "" });
  });
});

describe("texts", () => {
  const spec = { classes: ["a", "b"], targetName: "class", seed: 1 };

  it("that read the same as far as they are kept stay in one part", () => {
    const rows = Array.from({ length: 200 }, (_, at) => ({ text: `word${at % 20} same ${at}`, target: at % 2 }));
    const { splits } = prepareText(rows, { ...spec, tokenizer: { unit: "words", lowercase: true }, length: 2 });
    const keys = ({ input }: typeof splits.train) => new Set(Array.from({ length: input.shape[0] ?? 0 }, (_, row) => input.data.slice(row * 2, row * 2 + 2).join()));
    const [train, validation] = [keys(splits.train), keys(splits.validation)];
    expect([...validation].filter((key) => train.has(key))).toEqual([]);
    expect((splits.train.input.shape[0] ?? 0) + (splits.validation.input.shape[0] ?? 0)).toBe(200);
  });

  it("take their vocabulary from the training rows alone", () => {
    const rows = Array.from({ length: 100 }, (_, at) => ({ text: `w${String.fromCharCode(97 + (at % 26))}${String.fromCharCode(97 + Math.floor(at / 4))} x`, target: at % 2 }));
    const { splits, text } = prepareText(rows, { ...spec, tokenizer: { unit: "words", lowercase: true } });
    const seen = new Set(Array.from(splits.train.input.data, Number));
    expect(text?.tokens.every((_, number) => number === PADDING || number === UNKNOWN || seen.has(number))).toBe(true);
    expect(Array.from(splits.validation.input.data, Number)).toContain(UNKNOWN);
  });
});
