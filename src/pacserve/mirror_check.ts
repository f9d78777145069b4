/** Asks one mirror whether it has a file. */

import { mirrorHeaders, RedirectRefused, requestHead } from "./mirror_request.ts";
import { type FileAnswer, type FileClient, HttpError } from "./relay/http_client.ts";
import type { Self } from "./servers.ts";

/**
 * The result of a check whether a mirror has a file:
 * - `has`, `lacks`: the mirror works, and has the file or does not;
 * - `fails`: the mirror cannot be reached, or reports an error of its own;
 * - `loops`: the mirror would send the request back to this server;
 * - `unknown`: the mirror was not asked.
 */
export type Verdict = "has" | "lacks" | "fails" | "loops" | "unknown";

/** The outcome of a check. */
interface CheckResult {
  readonly verdict: Verdict;
  /** The reason for the log. It does not contain the URL, which may have credentials. */
  readonly reason: string;
}

/** The options of a check. */
interface CheckOptions {
  readonly client: FileClient;
  /** Time limit in milliseconds. */
  readonly timeout: number;
  /** The value of the `Via` field of the request. */
  readonly via: string;
  /** This server. A mirror that redirects to it is not used. */
  readonly self: Pick<Self, "isAt">;
}

/**
 * Checks with HEAD whether a mirror has the file, and follows redirects. If the server refuses HEAD,
 * requests the first byte. Never rejects.
 */
export async function checkMirror(address: string, options: CheckOptions): Promise<CheckResult> {
  const { client, timeout, via, self } = options;
  const signal = AbortSignal.timeout(timeout);
  const headers = mirrorHeaders(via);
  try {
    return judge(await requestHead(address, { client, self, headers, signal }));
  } catch (error) {
    if (signal.aborted) return { verdict: "fails", reason: "does not answer" };
    return resultOf(error);
  }
}

/** Returns the result that the answer of {@link requestHead} means. */
export function judge({ status, headers }: FileAnswer): CheckResult {
  if (status === 200 || status === 206) {
    // A captive portal, or the "not found" page of a mirror.
    const isPage = /^text\/html\b/i.test(headers.get("content-type") ?? "");
    return isPage ? { verdict: "lacks", reason: "answers with an HTML page" } : has;
  }
  // The file exists and is empty, so it has no first byte.
  if (status === 416) return has;
  if (status === 508) {
    return { verdict: "loops", reason: "would send the request back to this server" };
  }
  const reason = `answers ${status}`;
  const isWrong = status < 400 || status === 429 || status >= 500;
  return { verdict: isWrong ? "fails" : "lacks", reason };
}

const has: CheckResult = { verdict: "has", reason: "" };

function resultOf(error: unknown): CheckResult {
  if (error instanceof RedirectRefused) {
    return { verdict: error.isToSelf ? "loops" : "fails", reason: error.message };
  }
  const reason = error instanceof HttpError ? error.message : "cannot be requested";
  return { verdict: "fails", reason };
}
