/** Bytes as base64, for JSON. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  // Arguments of one call are limited.
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}

/** The bytes that base64 says. @throws where it is none */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text);
  // A loop: going through the letters by an iterator takes fifty times as long.
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}
