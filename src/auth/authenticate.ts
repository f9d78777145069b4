/** Lets only users through to a handler. */

import type { Handler, HttpRequest, Reply } from "../http/exchange.ts";
import type { Digest, Verdict } from "./digest.ts";

/**
 * Hands a request on to a handler where a user sends it, else asks for a login.
 *
 * The reply gets the user's name for the access log, and an `Authentication-Info` field by which the
 * client can tell that the server knows the password too (RFC 7616 §3.5).
 */
export function authenticate(
  digest: Digest,
  request: HttpRequest,
  handler: Handler,
): Reply | Promise<Reply> {
  const decide = (verdict: Verdict): Reply | Promise<Reply> => {
    if ("reply" in verdict) return verdict.reply;
    const reply = handler(request);
    return reply instanceof Promise
      ? reply.then((later) => signed(later, verdict.user, verdict.info))
      : signed(reply, verdict.user, verdict.info);
  };
  const verdict = digest.check(request);
  return verdict instanceof Promise ? verdict.then(decide) : decide(verdict);
}

function signed(reply: Reply, user: string, info: string | null): Reply {
  const headers = info === null ? reply.headers : { ...reply.headers, "Authentication-Info": info };
  return { ...reply, headers, user };
}
