import { assertEquals, assertNotEquals } from "../../assert.ts";
import { isFresh, makeNonce, NONCE_LIFETIME, readNonce } from "../../../src/auth/nonces.ts";

const secret = new Uint8Array(32).fill(7);
const now = 1_800_000_000_000;

Deno.test("a nonce tells when it was made, and no two are the same", () => {
  const nonce = makeNonce(secret, now);
  assertEquals(readNonce(secret, nonce), now);
  assertNotEquals(nonce, makeNonce(secret, now));
});

Deno.test("a nonce that was changed in any one character is not ours", () => {
  const nonce = makeNonce(secret, now);
  for (let index = 0; index < nonce.length; index++) {
    const other = nonce[index] === "A" ? "B" : "A";
    const forged = nonce.slice(0, index) + other + nonce.slice(index + 1);
    assertEquals(readNonce(secret, forged), null, forged);
  }
});

Deno.test("neither is another server's, a shorter, a longer one or any other text", () => {
  assertEquals(readNonce(new Uint8Array(32), makeNonce(secret, now)), null);
  const nonce = makeNonce(secret, now);
  for (const text of ["", nonce.slice(1), `${nonce}A`, "=".repeat(nonce.length), "ä".repeat(48)]) {
    assertEquals(readNonce(secret, text), null, text);
  }
});

Deno.test("a nonce is fresh for its lifetime, and not before it was made", () => {
  assertEquals(isFresh(now, now), true);
  assertEquals(isFresh(now, now + NONCE_LIFETIME - 1), true);
  assertEquals(isFresh(now, now + NONCE_LIFETIME), false);
  assertEquals(isFresh(now, now - 60_000), false);
});
