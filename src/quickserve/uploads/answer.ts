/** The replies to uploads: text for people, JSON for programs, a page for browsers. */

import type { HttpRequest, Reply, ReplyHeaders } from "../../http/exchange.ts";
import { jsonReply, textReply } from "../../http/replies.ts";
import { accepts } from "../../std.ts";
import type { Pages } from "../pages/pages.ts";
import { pageReply } from "../pages/reply.ts";
import type { UploadPlace } from "./places.ts";
import { outcomeStatus, type UploadOutcome } from "./outcome.ts";

/** The reply to one upload must not be reused for another. */
const UNKEPT: ReplyHeaders = { "Cache-Control": "no-store", Vary: "Accept" };

/**
 * Returns the reply that lists the stored and the refused files.
 *
 * If `Accept` or `?mimetype=application/json` selects JSON, the reply is
 * `{"uploaded": [{"name", "requested", "size"}], "failed": [{"name", "reason"}]}`, sizes in bytes.
 */
export function answerUpload(
  outcome: UploadOutcome,
  request: HttpRequest,
  pages: Pick<Pages, "uploadResult">,
  place: UploadPlace,
): Reply {
  switch (chooseType(request)) {
    case "application/json":
      return jsonReply(outcomeStatus(outcome), asData(outcome), UNKEPT);
    case "text/html":
      return pageReply(request, "html", pages.uploadResult(outcome, place), {
        status: outcomeStatus(outcome),
        headers: { "Cache-Control": "no-store", Vary: "Accept" },
      });
    default:
      return textReply(outcomeStatus(outcome), outcomeAsText(outcome), UNKEPT);
  }
}

/** Returns the reply to an upload when uploads are off. @param allowed the supported methods. */
export function uploadsAreOff(allowed: readonly string[]): Reply {
  const sentence = "Uploads are off: this server was started without --upload.";
  return textReply(405, sentence, { ...UNKEPT, Allow: allowed.join(", ") });
}

/** Returns the same reply with more header fields. */
export function withHeaders(given: Reply, headers: ReplyHeaders): Reply {
  return { ...given, headers: { ...given.headers, ...headers } };
}

function chooseType(request: HttpRequest): string {
  const query = /\?(.*)$/s.exec(request.target)?.[1] ?? "";
  const wished = new URLSearchParams(query).get("mimetype");
  const types = ["text/plain", "application/json", "text/html"];
  if (wished !== null && types.includes(wished)) return wished;
  const headers = new Headers({ accept: request.headers["accept"] ?? "*/*" });
  return accepts({ headers }, ...types) ?? "text/plain";
}

function asData(outcome: UploadOutcome): unknown {
  return {
    uploaded: outcome.uploaded.map(({ name, requested, size }) => ({ name, requested, size })),
    failed: outcome.failed.map(({ name, reason }) => ({ name, reason })),
  };
}

function outcomeAsText(outcome: UploadOutcome): string {
  const stored = outcome.uploaded.map(({ name, requested, size, replaced }) => {
    const note = name !== requested
      ? `, because ${requested} was taken`
      : replaced
      ? ", replacing the file of this name"
      : "";
    return `Stored: ${name} (${size} ${size === 1 ? "byte" : "bytes"})${note}`;
  });
  const failed = outcome.failed.map(({ name, reason }) =>
    `Not stored: ${shownName(name)}${reason}`
  );
  return [...stored, ...failed].join("\n");
}

/** Returns a refused name in a form that is safe to show on a terminal. */
function shownName(name: string): string {
  if (name === "") return "";
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  return `${shown.replace(/[\p{C}\u2028\u2029]/gu, "�")}: `;
}
