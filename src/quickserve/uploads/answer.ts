/** The replies to uploads: text for people, JSON for programs, a page for browsers. */

import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import { jsonReply, textReply } from "../../http/replies.ts";
import { accepts } from "../../std.ts";
import { pageReply } from "../pages/reply.ts";
import { statusOf, type UploadOutcome } from "./outcome.ts";

/** What became of one upload is of no use to the next. */
const UNKEPT: ReplyHeaders = { "Cache-Control": "no-store", "Vary": "Accept" };

/** Writes the outcome of an upload as a whole HTML page. */
export type OutcomePage = (outcome: UploadOutcome, request: HttpRequest) => string;

/**
 * The reply that says what was stored and what was not.
 *
 * JSON, where `Accept` or `?mimetype=application/json` asks for it, is
 * `{"uploaded": [{"name", "requested", "size"}], "failed": [{"name", "reason"}]}`, sizes in bytes.
 *
 * @param page null while there is no page for browsers: they get the text
 */
export function answerUpload(
  outcome: UploadOutcome,
  request: HttpRequest,
  page: OutcomePage | null,
): Reply {
  switch (chooseType(request, page !== null)) {
    case "application/json":
      return jsonReply(statusOf(outcome), asData(outcome), UNKEPT);
    case "text/html":
      return pageReply(request, "html", page === null ? "" : page(outcome, request), {
        status: statusOf(outcome),
        headers: { "Cache-Control": "no-store", Vary: "Accept" },
      });
    default:
      return textReply(statusOf(outcome), asText(outcome), UNKEPT);
  }
}

/** The answer to an upload where uploads are off. `allowed`: the methods that are not. */
export function uploadsAreOff(allowed: readonly string[]): Reply {
  const reason = "This server takes no uploads (it was started without --upload).";
  return textReply(405, reason, { ...UNKEPT, Allow: allowed.join(", ") });
}

/** The same reply with more header fields. */
export function withHeaders(given: Reply, headers: ReplyHeaders): Reply {
  return { ...given, headers: { ...given.headers, ...headers } };
}

function chooseType(request: HttpRequest, hasPage: boolean): string {
  const wish = /[?&]mimetype=([^&]*)/.exec(request.target)?.[1];
  const types = ["text/plain", "application/json", ...(hasPage ? ["text/html"] : [])];
  const wished = wish === undefined ? undefined : decodeLeniently(wish);
  if (wished !== undefined && types.includes(wished)) return wished;
  const headers = new Headers({ accept: request.headers["accept"] ?? "*/*" });
  return accepts({ headers }, ...types) ?? "text/plain";
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function asData(outcome: UploadOutcome): unknown {
  return {
    uploaded: outcome.uploaded.map(({ name, requested, size }) => ({ name, requested, size })),
    failed: outcome.failed.map(({ name, reason }) => ({ name, reason })),
  };
}

function asText(outcome: UploadOutcome): string {
  const stored = outcome.uploaded.map(({ name, requested, size, replaced }) => {
    const note = name !== requested
      ? `, because ${requested} was taken`
      : replaced
      ? ", in place of the one before"
      : "";
    return `Stored: ${name} (${size} ${size === 1 ? "byte" : "bytes"})${note}`;
  });
  const failed = outcome.failed.map(({ name, reason }) =>
    `Not stored: ${printable(name)}${reason}`
  );
  return [...stored, ...failed].join("\n");
}

/** A refused name as it may be shown on a terminal. */
function printable(name: string): string {
  if (name === "") return "";
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  return `${shown.replace(/[\p{C}\u2028\u2029]/gu, "�")}: `;
}
