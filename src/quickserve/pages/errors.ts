/** Error replies. */

import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import { statusPhrases } from "../../std.ts";
import { textReply } from "../../http/replies.ts";
import { html } from "./html.ts";
import { layOutPage, type PageContext } from "./layout.ts";
import { pageReply } from "./reply.ts";
import { isBrowser, variesBy } from "./representation.ts";

/**
 * Returns an error reply: a page for a browser, one sentence of plain text for other clients.
 *
 * @param message one sentence that tells the user what is wrong; by default the standard phrase of the
 * status.
 */
export function errorReply(
  request: Pick<HttpRequest, "method" | "headers">,
  context: PageContext,
  status: number,
  message: string = statusPhrases[status] ?? `Status ${status}`,
  headers: ReplyHeaders = {},
): Reply {
  if (!isBrowser(request)) {
    return textReply(status, message, { Vary: variesBy, ...headers });
  }
  const phrase = statusPhrases[status] ?? "Error";
  const main = html`<h1>${phrase}</h1>
<p class="lead">${message}</p>
<p><a href="/">Go to the start page</a> <span class="quiet">(status ${status})</span></p>`;
  const page = layOutPage(context, {
    title: phrase,
    current: null,
    skip: "Skip to the message",
    main,
  });
  return pageReply(request, "html", page, { status, headers });
}
