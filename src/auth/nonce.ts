/**
 * Nonces that need no memory: each bears the time at which it was made, and a code that only this
 * server can compute (RFC 7616 §3.3, §5.4).
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a nonce is good for, in milliseconds. */
export const NONCE_LIFETIME = 10 * 60 * 1000;

const TIME_BYTES = 6;
const RANDOM_BYTES = 12;
const BODY_BYTES = TIME_BYTES + RANDOM_BYTES;
const CODE_BYTES = 18;
const TEXT_LENGTH = (BODY_BYTES + CODE_BYTES) / 3 * 4;

/** A new nonce: time of issue, chance, and a code over both. `now` is in milliseconds. */
export function makeNonce(secret: Uint8Array, now: number): string {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeUIntBE(Math.max(0, Math.floor(now)), 0, TIME_BYTES);
  randomBytes(RANDOM_BYTES).copy(body, TIME_BYTES);
  return Buffer.concat([body, codeOf(secret, body)]).toString("base64url");
}

/** When a nonce was issued, in milliseconds; null when it was not made with this secret. */
export function readNonce(secret: Uint8Array, nonce: string): number | null {
  if (nonce.length !== TEXT_LENGTH || !/^[\w-]+$/.test(nonce)) return null;
  const bytes = Buffer.from(nonce, "base64url");
  const body = bytes.subarray(0, BODY_BYTES);
  if (!timingSafeEqual(bytes.subarray(BODY_BYTES), codeOf(secret, body))) return null;
  return body.readUIntBE(0, TIME_BYTES);
}

/** True while a nonce is good; one from the future is from before the clock was set back. */
export function isFresh(issued: number, now: number): boolean {
  const age = now - issued;
  return age >= -1000 && age < NONCE_LIFETIME;
}

function codeOf(secret: Uint8Array, body: Uint8Array): Uint8Array {
  return createHmac("sha256", secret).update(body).digest().subarray(0, CODE_BYTES);
}
