import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Time-based one-time passwords, RFC 6238: SHA-1, six digits, thirty seconds, as every authenticator app has them. */
const STEP_SECONDS = 30;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A new secret of 160 bits, in base32. */
export function makeTotpSecret(): string {
  let bits = "";
  for (const byte of randomBytes(20)) bits += byte.toString(2).padStart(8, "0");
  return bits.replace(/.{5}/g, (five) => alphabet[Number.parseInt(five, 2)] ?? "");
}

function fromBase32(text: string): Buffer {
  let bits = "";
  for (const letter of text) bits += alphabet.indexOf(letter).toString(2).padStart(5, "0");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The code of a time step. */
export function totpCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

export const totpStep = (nowMs: number): number => Math.floor(nowMs / 1000 / STEP_SECONDS);

/** The time step that a code belongs to: the present one or a neighbour, for clocks that are a little off. Null where it is none of them. */
export function matchTotp(secret: string, code: string, nowMs: number): number | null {
  const now = totpStep(nowMs);
  for (const step of [now, now - 1, now + 1]) if (code.length === 6 && timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(code.padEnd(6).slice(0, 6)))) return step;
  return null;
}

/** What the QR code of an authenticator app says. */
export function totpAddress(secret: string, account: string): string {
  return `otpauth://totp/${encodeURIComponent(`Tensorloom:${account}`)}?secret=${secret}&issuer=Tensorloom`;
}
