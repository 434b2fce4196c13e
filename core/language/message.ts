/**
 * A text with gaps, in the part of ICU's MessageFormat that we use: `{name}`, `{name, plural, =0 {none} one {# row} other {# rows}}`,
 * `{name, select, cpu {…} other {…}}`, and `'{'` for a brace that is meant. `#` is the counted number as it stands.
 * With `tags`, `<name>…</name>` marks a part that an element is drawn around.
 * @see https://unicode-org.github.io/icu/userguide/format_parse/messages/
 */
export type Part =
  | string
  | { kind: "gap"; name: string }
  | { kind: "count" }
  | { kind: "plural" | "select"; name: string; choices: ReadonlyMap<string, readonly Part[]> }
  | { kind: "tag"; name: string; inner: readonly Part[] };

const remembered = { plain: new Map<string, readonly Part[]>(), tagged: new Map<string, readonly Part[]>() };

/**
 * The parts of a text.
 * @throws SyntaxError where a brace or a tag is not closed, or a plural has no `other`.
 */
export function partsOf(text: string, tags: boolean): readonly Part[] {
  const memory = tags ? remembered.tagged : remembered.plain;
  let parts = memory.get(text);
  if (!parts) {
    const reader = new Reader(text, tags);
    parts = reader.parts(false, null);
    memory.set(text, parts);
  }
  return parts;
}

class Reader {
  readonly #text: string;
  readonly #tags: boolean;
  #at = 0;

  constructor(text: string, tags: boolean) {
    this.#text = text;
    this.#tags = tags;
  }

  /** Reads up to the end, to the brace that closes a choice, or to the tag that closes `tag`. */
  parts(inChoice: boolean, tag: string | null): Part[] {
    const parts: Part[] = [];
    let plain = "";
    const push = (part: Part) => {
      if (plain) parts.push(plain);
      plain = "";
      parts.push(part);
    };
    while (true) {
      const char = this.#text[this.#at];
      if (char === undefined) {
        if (inChoice || tag !== null) throw new SyntaxError(`This text ends before its ${tag === null ? "brace" : `<${tag}>`} is closed: ${this.#text}`);
        break;
      }
      if (char === "}" && inChoice) break;
      const opened = this.#tags && char === "<" ? this.#take(/<(\/?)(\w+)>/y) : null;
      if (opened) {
        const [, closes, name = ""] = opened;
        if (closes && name === tag) break;
        if (closes) throw new SyntaxError(`</${name}> closes nothing in: ${this.#text}`);
        push({ kind: "tag", name, inner: this.parts(inChoice, name) });
      } else if (char === "{") push(this.#gap());
      else if (char === "#" && inChoice) {
        this.#at += 1;
        push({ kind: "count" });
      } else {
        const quoted = char === "'" ? this.#take(/'([{}#<])'/y) : null;
        plain += quoted?.[1] ?? char;
        if (!quoted) this.#at += 1;
      }
    }
    if (plain) parts.push(plain);
    return parts;
  }

  #gap(): Part {
    const [, name = "", kind] = this.#expect(/\{\s*(\w+)\s*(?:,\s*(plural|select)\s*,|\})/y);
    if (!kind) return { kind: "gap", name };
    const choices = new Map<string, Part[]>();
    while (!this.#take(/\s*\}/y)) {
      const [, choice = ""] = this.#expect(/\s*(=\d+|\w+)\s*\{/y);
      choices.set(choice, this.parts(true, null));
      this.#expect(/\}/y);
    }
    if (!choices.has("other")) throw new SyntaxError(`{${name}, ${kind}, …} needs a choice “other” in: ${this.#text}`);
    return { kind: kind === "plural" ? "plural" : "select", name, choices };
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #expect(pattern: RegExp): RegExpExecArray {
    const found = this.#take(pattern);
    if (!found) throw new SyntaxError(`At character ${this.#at} this text cannot be read: ${this.#text}`);
    return found;
  }
}

/** The choice that a plural or a select takes for a value. */
export function choose(part: Extract<Part, { choices: unknown }>, value: unknown, rules: Intl.PluralRules): readonly Part[] {
  const { choices, kind } = part;
  const named = kind === "plural" ? (choices.get(`=${Number(value)}`) ?? choices.get(rules.select(Number(value)))) : choices.get(String(value));
  return named ?? choices.get("other")!;
}

/** Names of all gaps and tags of a text: what a translation must have too. */
export function gapsOf(parts: readonly Part[]): Set<string> {
  const names = new Set<string>();
  const visit = (part: Part): void => {
    if (typeof part === "string" || part.kind === "count") return;
    names.add(part.kind === "tag" ? `<${part.name}>` : part.name);
    if (part.kind === "tag") part.inner.forEach(visit);
    if (part.kind === "plural" || part.kind === "select") for (const choice of part.choices.values()) choice.forEach(visit);
  };
  parts.forEach(visit);
  return names;
}
