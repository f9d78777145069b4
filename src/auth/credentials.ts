/** What a client shows to log in by digest (RFC 7616 §3.4). */

import type { HttpRequest } from "../http/exchange.ts";
import { type Algorithm, algorithmNamed } from "./hash.ts";
import { extendedValue, fieldText } from "./header.ts";

/** A client's parameters, all of the right form, none of them believed yet. */
export interface DigestCredentials {
  readonly user: string;
  readonly realm: string;
  readonly uri: string;
  /** Null for one that is not on offer (`-sess` variants among them). */
  readonly algorithm: Algorithm | null;
  /** In lower case. */
  readonly response: string;
  readonly nonce: string;
  readonly nonceCount: string;
  readonly clientNonce: string;
}

/**
 * Reads the parameters of a `Digest` field.
 *
 * @returns null when one is missing or improper (the answer is a 400). Only `qop=auth` is proper:
 * without `qop` (RFC 2069) there is no nonce count, and a recorded request could be sent again.
 */
export function readDigest(parameters: ReadonlyMap<string, string>): DigestCredentials | null {
  const user = userOf(parameters);
  const realm = parameters.get("realm");
  const uri = parameters.get("uri");
  const nonce = parameters.get("nonce");
  const nonceCount = parameters.get("nc");
  const clientNonce = parameters.get("cnonce");
  const response = parameters.get("response");
  if (user === null || realm === undefined || uri === undefined || nonce === undefined) return null;
  if (clientNonce === undefined || clientNonce === "") return null;
  if (nonceCount === undefined || !/^(?!0{8})[0-9a-f]{8}$/i.test(nonceCount)) return null;
  if (response === undefined || !/^(?:[0-9a-f]{32}){1,2}$/i.test(response)) return null;
  if (parameters.get("qop")?.toLowerCase() !== "auth") return null;
  return {
    user,
    realm: fieldText(realm),
    uri,
    algorithm: algorithmNamed(parameters.get("algorithm")),
    response: response.toLowerCase(),
    nonce,
    nonceCount,
    clientNonce,
  };
}

/** The user's name from `username` or `username*`; null without exactly one of them, or hashed. */
function userOf(parameters: ReadonlyMap<string, string>): string | null {
  const plain = parameters.get("username");
  const extended = parameters.get("username*");
  if (parameters.get("userhash")?.toLowerCase() === "true") return null;
  if (plain !== undefined) return extended === undefined ? fieldText(plain) : null;
  return extended === undefined ? null : extendedValue(extended);
}

/**
 * True when the `uri` of the credentials names what is asked for, so that credentials for one file are
 * no credentials for another. A client may write it in absolute form, as it does to a proxy; then its
 * host must be the one of the request.
 */
export function isSameTarget(uri: string, request: HttpRequest): boolean {
  if (uri === request.target) return true;
  const absolute = /^(https?):\/\/([^/?#]+)(.*)$/i.exec(uri);
  if (absolute === null) return false;
  const [, scheme = "", authority = "", rest = ""] = absolute;
  const path = rest.startsWith("/") ? rest : `/${rest}`;
  return path === request.target &&
    withPort(authority, scheme) === withPort(request.headers["host"] ?? "", scheme);
}

function withPort(authority: string, scheme: string): string {
  const host = authority.toLowerCase();
  if (/:\d+$/.test(host)) return host;
  return `${host}:${scheme.toLowerCase() === "https" ? 443 : 80}`;
}
