/** Reads the credentials in a request: digest (RFC 7616 §3.4) or basic (RFC 7617). */

import { Buffer } from "node:buffer";
import { isLoopback } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { User } from "./configuration.ts";
import { type Algorithm, algorithmNamed } from "./hash.ts";
import { extendedValue, fieldText } from "./header.ts";

/** The parameters that a client sent. They are well-formed, but not yet verified. */
export interface DigestCredentials {
  readonly user: string;
  readonly realm: string;
  readonly uri: string;
  /** Null for an algorithm that this server does not offer, such as the `-sess` variants. */
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
 * @returns null when a parameter is missing or malformed (the answer is a 400). `qop` must be `auth`:
 * without `qop` (RFC 2069) there is no nonce count, and a recorded request could be replayed.
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

/** The user's name from `username` or `username*`; null if both or none are given, or it is hashed. */
function userOf(parameters: ReadonlyMap<string, string>): string | null {
  const plain = parameters.get("username");
  const extended = parameters.get("username*");
  if (parameters.get("userhash")?.toLowerCase() === "true") return null;
  if (plain !== undefined) return extended === undefined ? fieldText(plain) : null;
  return extended === undefined ? null : extendedValue(extended);
}

/**
 * True when the `uri` of the credentials is the target of the request: credentials for one file must not
 * be valid for another. A client may write the `uri` in absolute form, as requests to a proxy do; its
 * host must then be the host of the request.
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

/**
 * The name and the password in a `Basic` field (RFC 7617), for clients that support nothing else, such
 * as aria2c.
 *
 * The server never offers basic authentication. It accepts it from a client that sends it unasked, but
 * only if nobody can eavesdrop: under TLS, and from this host. On other connections the password is in
 * clear text on the network; accepting it there would encourage clients to send it.
 *
 * @returns null when it is malformed, or came over a connection on which others can eavesdrop.
 */
export function readBasic(token: string | null, request: HttpRequest): User | null {
  const { secure, remoteAddress } = request.connection;
  if (token === null || !(secure || isLoopback(remoteAddress))) return null;
  const text = fieldText(Buffer.from(token, "base64").toString("latin1"));
  const colon = text.indexOf(":");
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
