/** Lets only users through to a handler. */

import type { Handler, HttpRequest, Reply } from "../http/exchange.ts";
import type { AuthConfiguration } from "./configuration.ts";
import type { Digest, Verdict } from "./digest.ts";

/** Which requests need no user; both look at the request alone and are quick. */
export interface Exemptions {
  /** True for a request that uploads, or is about to: with `uploadOnly` only these need a user. */
  readonly isUpload: (request: HttpRequest) => boolean;
  /** True for a request that never needs a user: pacman's own, from this very host. */
  readonly exempt?: (request: HttpRequest) => boolean;
}

/**
 * Puts digest authentication before a handler. Without users the handler is returned as it is.
 *
 * The reply gets the user's name for the access log, and an `Authentication-Info` field by which the
 * client can tell that the server knows the password too (RFC 7616 §3.5).
 */
export function requireUser(
  handler: Handler,
  digest: Digest,
  configuration: AuthConfiguration,
  exemptions: Exemptions,
): Handler {
  const { users, uploadOnly } = configuration;
  if (users.length === 0) return handler;
  const decide = (request: HttpRequest, verdict: Verdict): Reply | Promise<Reply> => {
    if ("reply" in verdict) return verdict.reply;
    const reply = handler(request);
    return reply instanceof Promise
      ? reply.then((later) => signed(later, verdict.user, verdict.info))
      : signed(reply, verdict.user, verdict.info);
  };
  return (request) => {
    if (exemptions.exempt?.(request) === true) return handler(request);
    if (uploadOnly && !exemptions.isUpload(request)) return handler(request);
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
