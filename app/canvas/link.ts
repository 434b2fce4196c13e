import { fromBase64, toBase64 } from "../../core/data/base64.ts";
import type { Graph } from "../../core/graph/document.ts";
import { LIMITS } from "../../core/graph/limits.ts";
import { type Parsed, parseGraph } from "../../core/graph/migrate.ts";
import { say } from "../../core/language/say.ts";

/** Browsers and messengers pass links of this many letters on whole. */
export const LINK_LETTERS = 8_000;

/** A link that holds a whole graph, or how many letters it would have where that is too many. The graph stands behind `#`, so no server sees it. */
export async function linkTo(graph: Graph, name: string, origin: string): Promise<{ link: string } | { letters: number }> {
  const text = new TextEncoder().encode(JSON.stringify({ name, graph }));
  const packed = new Uint8Array(await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer());
  const code = toBase64(packed).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return code.length > LINK_LETTERS ? { letters: code.length } : { link: `${origin}/open#g=${code}` };
}

/** What a link's part behind `#` holds; anybody may have written it. */
export async function readLink(hash: string): Promise<(Parsed & { name: string }) | null> {
  const code = /^#g=([\w-]+)$/.exec(hash)?.[1];
  if (code === undefined || code.length > LINK_LETTERS) return null;
  try {
    const bytes = fromBase64(code.replaceAll("-", "+").replaceAll("_", "/"));
    const text = await readAtMost(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")), LIMITS.jsonBytes);
    const value: unknown = JSON.parse(text);
    const { name, graph } = typeof value === "object" && value !== null ? (value as { name?: unknown; graph?: unknown }) : {};
    return { ...parseGraph(JSON.stringify(graph ?? null)), name: typeof name === "string" ? name.slice(0, 120) : "" };
  } catch {
    return null;
  }
}

/** A few letters may unpack to very many. */
async function readAtMost(stream: ReadableStream<Uint8Array>, bytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let total = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    total += value.length;
    if (total > bytes) throw new Error(say("This link holds more than a graph."));
    text += decoder.decode(value, { stream: true });
  }
}
