/** The replies to a request whose login fails or is missing (RFC 7616 §3.3). */

import { createHash } from "node:crypto";
import type { Reply, ReplyHeaders } from "../http/exchange.ts";
import { textReply } from "../http/replies.ts";
import { ALGORITHMS } from "./hash.ts";
import { quote } from "./header.ts";

/** The values in a challenge. */
interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  /** True: the password was right but the nonce has expired. The client retries without asking the user. */
  readonly stale: boolean;
}

/** The `WWW-Authenticate` fields, one for each algorithm, the preferred one first. */
function challengeFields(challenge: Challenge): string[] {
  const { realm, nonce, stale } = challenge;
  const common = [
    `realm=${quote(realm)}`,
    `qop="auth"`,
    `nonce=${quote(nonce)}`,
    `opaque=${quote(opaqueOf(realm))}`,
    "charset=UTF-8",
    ...(stale ? ["stale=true"] : []),
  ];
  return ALGORITHMS.map((algorithm) =>
    `Digest ${[...common, `algorithm=${algorithm}`].join(", ")}`
  );
}

/** The `opaque` parameter. Some clients require it; its value is not used. */
function opaqueOf(realm: string): string {
  return createHash("sha256").update(realm).digest("hex").slice(0, 32);
}

/** 401: the client has to log in. */
export function unauthorized(challenge: Challenge): Reply {
  return refusal(401, "This request needs a user name and a password.", {
    "WWW-Authenticate": challengeFields(challenge),
  });
}

/** 400: the `Authorization` field does not conform to RFC 7616. */
export function improper(reason: string): Reply {
  return refusal(400, reason);
}

/** 429: too many wrong passwords came from this address. The client may try again after `seconds`. */
export function tooManyAttempts(seconds: number): Reply {
  return refusal(429, "Too many wrong passwords came from your address. Try again later.", {
    "Retry-After": String(seconds),
  });
}

function refusal(status: number, sentence: string, headers: ReplyHeaders = {}): Reply {
  return textReply(status, sentence, { "Cache-Control": "no-store", ...headers });
}
