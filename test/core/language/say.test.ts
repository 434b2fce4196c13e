import { afterEach, describe, expect, it } from "vitest";
import { gapsOf, partsOf } from "../../../core/language/message.ts";
import { sayRecord, textsOf } from "../../../core/language/records.ts";
import { say } from "../../../core/language/say.ts";

afterEach(() => {
  globalThis.tensorloomLanguage = undefined;
});

describe("say", () => {
  it("says English as it is written, and fills gaps", () => {
    expect(say("Delete")).toBe("Delete");
    expect(say("{done} of {total} epochs", { done: 3, total: "1,000" })).toBe("3 of 1,000 epochs");
    expect(say("Sizes {a, b} stand as they are")).toBe("Sizes {a, b} stand as they are");
    expect(say("Write '{'name'}' for {name}", { name: "x" })).toBe("Write {name} for x");
  });

  it("counts as the language does", () => {
    const rows = "{count, plural, =0 {no row} one {# row} other {# rows}}";
    expect([0, 1, 2].map((count) => say(rows, { count }))).toEqual(["no row", "1 row", "2 rows"]);
    globalThis.tensorloomLanguage = { code: "pl", texts: { [rows]: "{count, plural, one {# wiersz} few {# wiersze} other {# wierszy}}" } };
    expect([1, 2, 5, 22].map((count) => say(rows, { count }))).toEqual(["1 wiersz", "2 wiersze", "5 wierszy", "22 wiersze"]);
  });

  it("chooses by a word, and puts gaps within a choice", () => {
    const text = "{device, select, cpu {on the processor} other {on {name}}}";
    expect([say(text, { device: "cpu", name: "" }), say(text, { device: "cuda", name: "H200" })]).toEqual(["on the processor", "on H200"]);
  });

  it("takes the translation where there is one, in whatever order it has its gaps", () => {
    globalThis.tensorloomLanguage = { code: "de", texts: { "Role of {name} in {place}": "In {place} hat {name} die Rolle" } };
    expect(say("Role of {name} in {place}", { name: "Ada", place: "Lab" })).toBe("In Lab hat Ada die Rolle");
    expect(say("Cancel")).toBe("Cancel");
    expect(say("constructor")).toBe("constructor");
  });

  it("names what it cannot read", () => {
    expect(() => partsOf("{open", false)).toThrow("cannot be read");
    expect(() => partsOf("{n, plural, one {x}}", false)).toThrow("other");
    expect(() => partsOf("<b>bold", true)).toThrow("<b>");
    expect([...gapsOf(partsOf("<b>{n, plural, one {a} other {{shown} b}}</b>", true))]).toEqual(["<b>", "n", "shown"]);
  });
});

it("a registry's record is said with its parameters and ports", () => {
  const record = { type: "linear", title: "Linear", doc: "Mixes.", params: { bias: { kind: "bool", doc: "Adds a number." } }, inputs: { x: { doc: "Rows." } } };
  expect(textsOf(record)).toEqual(["Linear", "Mixes.", "Adds a number.", "Rows."]);
  expect(sayRecord(record)).toBe(record);
  globalThis.tensorloomLanguage = { code: "de", texts: { Linear: "Linear", "Adds a number.": "Zählt eine Zahl dazu." } };
  expect(sayRecord(record)).toMatchObject({ type: "linear", doc: "Mixes.", params: { bias: { kind: "bool", doc: "Zählt eine Zahl dazu." } } });
});
