import { useEffect, useState } from "react";

/** Bytes out of what the server deflated and wrote in base64. */
async function inflate(text: string): Promise<Uint8Array> {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The bytes of several such texts, in their order. While they are being read, those before them stay; null before the first are there. */
export function useInflated(texts: readonly string[]): readonly Uint8Array[] | null {
  const [bytes, setBytes] = useState<readonly Uint8Array[] | null>(null);
  const key = texts.join(" ");
  useEffect(() => {
    let isOver = false;
    Promise.all(key === "" ? [] : key.split(" ").map(inflate)).then(
      (read) => !isOver && setBytes(read),
      () => !isOver && setBytes([]),
    );
    return () => {
      isOver = true;
    };
  }, [key]);
  return bytes;
}

/** Bytes as the components that draw samples take them. */
export function toBase64(bytes: ArrayLike<number>): string {
  let text = "";
  for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return btoa(text);
}
