/**
 * Basic authentication (RFC 7617), for clients that know nothing else, such as aria2c.
 *
 * It is never offered. Who sends it unasked is let in with the right password, but only where nobody
 * can listen: under TLS, and from this very host. Elsewhere the password would cross the network in
 * the clear, and the answer must not teach anybody to do that.
 */

import { Buffer } from "node:buffer";
import { isLoopback } from "../http/address.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { User } from "./configuration.ts";
import { fieldText } from "./header.ts";

/**
 * The name and the password of a `Basic` field.
 *
 * @returns null when it is malformed, or came over a connection that can be listened to.
 */
export function readBasic(token: string | null, request: HttpRequest): User | null {
  const { secure, remoteAddress } = request.connection;
  if (token === null || !(secure || isLoopback(remoteAddress))) return null;
  const text = fieldText(Buffer.from(token, "base64").toString("latin1"));
  const colon = text.indexOf(":");
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
