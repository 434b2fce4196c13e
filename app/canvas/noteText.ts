/** The little markdown that notes are written in: headings, lists, bold, italic, code and links. Everything else is plain text. */

export type Span = { kind: "text" | "bold" | "italic" | "code"; text: string } | { kind: "link"; text: string; href: string };
export type Block = { kind: "heading"; level: number; spans: Span[] } | { kind: "list"; ordered: boolean; items: Span[][] } | { kind: "lines"; lines: Span[][] };

/** Reads a note. Never fails: what is no sign of ours is text. */
export function readNote(text: string): Block[] {
  const blocks: Block[] = [];
  for (const line of text.replaceAll("\r", "").split("\n")) {
    const last = blocks.at(-1);
    const heading = /^(#{1,3})\s+(.*)$/.exec(line);
    const item = /^\s*(?:([-*])|\d{1,3}[.)])\s+(.*)$/.exec(line);
    if (heading) blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, spans: readSpans(heading[2] ?? "") });
    else if (item) {
      const ordered = item[1] === undefined;
      if (last?.kind === "list" && last.ordered === ordered) last.items.push(readSpans(item[2] ?? ""));
      else blocks.push({ kind: "list", ordered, items: [readSpans(item[2] ?? "")] });
    } else if (line.trim() === "") blocks.push({ kind: "lines", lines: [] });
    else if (last?.kind === "lines" && last.lines.length > 0) last.lines.push(readSpans(line));
    else blocks.push({ kind: "lines", lines: [readSpans(line)] });
  }
  return blocks.filter((block) => block.kind !== "lines" || block.lines.length > 0);
}

const SPAN = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s](?:[^*]*[^*\s])?)\*|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>"')\]]*[^\s<>"')\].,;:!?])/g;

function readSpans(line: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  const plain = (end: number) => {
    if (end > at) spans.push({ kind: "text", text: line.slice(at, end) });
  };
  for (const found of line.matchAll(SPAN)) {
    const [whole, code, bold, italic, label, target, bare] = found;
    plain(found.index);
    at = found.index + whole.length;
    if (code !== undefined) spans.push({ kind: "code", text: code });
    else if (bold !== undefined) spans.push({ kind: "bold", text: bold });
    else if (italic !== undefined) spans.push({ kind: "italic", text: italic });
    else if (target !== undefined) spans.push({ kind: "link", text: label ?? target, href: target });
    else spans.push({ kind: "link", text: bare ?? whole, href: bare ?? whole });
  }
  plain(line.length);
  return spans;
}
