/** The hashes of digest authentication (RFC 7616 §3.4). */

import { createHash, timingSafeEqual } from "node:crypto";

/** The algorithms that the server offers, the preferred one first. */
export const ALGORITHMS = ["SHA-256", "MD5"] as const;

/** An algorithm that the server offers. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** The parts of a request that are hashed into its `response`, as the client wrote them, unquoted. */
export interface Proof {
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Eight hexadecimal digits. */
  readonly nonceCount: string;
  readonly clientNonce: string;
}

const NODE_NAMES: Readonly<Record<Algorithm, string>> = { "SHA-256": "sha256", "MD5": "md5" };

/** H(data): hexadecimal, lower case; text is hashed as UTF-8. */
function hash(algorithm: Algorithm, data: string): string {
  return createHash(NODE_NAMES[algorithm]).update(data, "utf8").digest("hex");
}

/** H(A1) (§3.4.2): with it the server can check responses without keeping the password. */
export function secretOf(
  algorithm: Algorithm,
  user: string,
  realm: string,
  password: string,
): string {
  return hash(algorithm, `${user}:${realm}:${password}`);
}

/** The `response` of a client that knows the secret, with `qop=auth` (§3.4.1). */
export function responseOf(algorithm: Algorithm, secret: string, proof: Proof): string {
  return keyed(algorithm, secret, proof, hash(algorithm, `${proof.method}:${proof.uri}`));
}

/** The `rspauth` by which the server proves that it knows the secret too (§3.5). */
export function responseAuthOf(algorithm: Algorithm, secret: string, proof: Proof): string {
  return keyed(algorithm, secret, proof, hash(algorithm, `:${proof.uri}`));
}

function keyed(algorithm: Algorithm, secret: string, proof: Proof, request: string): string {
  const { nonce, nonceCount, clientNonce } = proof;
  return hash(algorithm, `${secret}:${nonce}:${nonceCount}:${clientNonce}:auth:${request}`);
}

/** True when two texts are equal. The time that it takes depends only on their lengths. */
export function equalInConstantTime(one: string, other: string): boolean {
  const a = new TextEncoder().encode(one);
  const b = new TextEncoder().encode(other);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The algorithm of a name, in upper or lower case; MD5 without a name (§3.4); null if not offered. */
export function algorithmNamed(name: string | undefined): Algorithm | null {
  if (name === undefined) return "MD5";
  return ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase()) ?? null;
}
