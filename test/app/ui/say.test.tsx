import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, expect, test } from "vitest";
import { languageScript } from "../../../app/ui/languageScript.ts";
import { Say } from "../../../app/ui/Say.tsx";

afterEach(() => {
  globalThis.tensorloomLanguage = undefined;
});

const text = "Press <key>/</key> and type {what}: {count, plural, one {# letter is} other {# letters are}} enough.";
const sentence = (count: number) => renderToStaticMarkup(<Say text={text} with={{ key: <kbd className="key" />, what: <b>its name</b>, count }} />);

test("a sentence with elements inside is one text, drawn as it is written", () => {
  expect(sentence(1)).toBe('Press <kbd class="key">/</kbd> and type <b>its name</b>: 1 letter is enough.');
  expect(sentence(3)).toContain("3 letters are enough.");
});

test("a translation may put the elements elsewhere, and is never read as HTML", () => {
  globalThis.tensorloomLanguage = { code: "de", texts: { [text]: "{what} & < nach <key>Schrägstrich</key>" } };
  expect(sentence(1)).toBe('<b>its name</b> &amp; &lt; nach <kbd class="key">Schrägstrich</kbd>');
});

test("the page's script cannot be ended by a text", () => {
  expect(languageScript()).toBeNull();
  globalThis.tensorloomLanguage = { code: "de", texts: { Delete: "</script><script>alert(1)" } };
  expect(languageScript()).not.toContain("<");
});
