/** Lets only users through to a handler. */

import type { Handler, HttpRequest, Reply } from "../http/exchange.ts";
import type { AuthConfiguration } from "./configuration.ts";
import type { Digest, Verdict } from "./digest.ts";

/**
 * Puts digest authentication before a handler. Without users the handler is returned as it is.
 *
 * The reply gets the user's name for the access log, and an `Authentication-Info` field by which the
 * client can tell that the server knows the password too (RFC 7616 §3.5).
 *
 * @param isExempt true for a request that needs no user; it looks at the request alone and is quick.
 */
export function requireUser(
  handler: Handler,
  digest: Digest,
  { users }: Pick<AuthConfiguration, "users">,
  isExempt: (request: HttpRequest) => boolean,
): Handler {
  if (users.length === 0) return handler;
  const decide = (request: HttpRequest, verdict: Verdict): Reply | Promise<Reply> => {
    if ("reply" in verdict) return verdict.reply;
    const reply = handler(request);
    return reply instanceof Promise
      ? reply.then((later) => signed(later, verdict.user, verdict.info))
      : signed(reply, verdict.user, verdict.info);
  };
  return (request) => {
    if (isExempt(request)) return handler(request);
    const verdict = digest.check(request);
    return verdict instanceof Promise
      ? verdict.then((later) => decide(request, later))
      : decide(request, verdict);
  };
}

function signed(reply: Reply, user: string, info: string | null): Reply {
  const headers = info === null ? reply.headers : { ...reply.headers, "Authentication-Info": info };
  return { ...reply, headers, user };
}
