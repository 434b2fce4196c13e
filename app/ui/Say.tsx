import { cloneElement, Fragment, isValidElement, type ReactNode } from "react";
import { choose, type Part, partsOf } from "../../core/language/message.ts";
import { pluralRules, translate } from "../../core/language/say.ts";

/**
 * A sentence with elements inside, as one text of the catalogue: `<Say text="Press <key>/</key> and type {what}." with={{ key: <kbd />, what }} />`.
 * `<name>…</name>` is drawn by the element of that name around its words, `{name}` is put in as it is.
 */
export function Say({ text, with: gaps }: { text: string; with: Readonly<Record<string, ReactNode>> }) {
  return draw(partsOf(translate(text), true), gaps, "");
}

function draw(parts: readonly Part[], gaps: Readonly<Record<string, ReactNode>>, count: string): ReactNode {
  return parts.map((part, index) => {
    if (typeof part === "string") return part;
    if (part.kind === "count") return count;
    if (part.kind === "gap") {
      const value = gaps[part.name];
      // Elements of one sentence stand in a list here, which wants keys.
      return isValidElement(value) ? <Fragment key={`${part.name} ${index}`}>{value}</Fragment> : value;
    }
    if (part.kind !== "tag") return draw(choose(part, gaps[part.name], pluralRules()), gaps, String(gaps[part.name]));
    const element = gaps[part.name];
    const inner = draw(part.inner, gaps, count);
    return isValidElement(element) ? cloneElement(element, { key: `${part.name} ${index}` }, inner) : inner;
  });
}
