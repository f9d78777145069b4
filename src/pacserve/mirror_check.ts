/** Asks one mirror whether it has a file. */

import { mirrorHeaders, RedirectRefused, requestMirror } from "./mirror_request.ts";
import { type FileAnswer, type FileClient, HttpError } from "./relay/http_client.ts";
import type { Self } from "./servers.ts";

/**
 * What a mirror says about a file:
 * - `has`, `lacks`: it is alive;
 * - `fails`: it cannot be reached, or answers that something is wrong with it;
 * - `loops`: for this request, which has been here, it would ask this server again;
 * - `unknown`: it was not asked.
 */
export type Verdict = "has" | "lacks" | "fails" | "loops" | "unknown";

/** The outcome of a check. */
export interface CheckResult {
  readonly verdict: Verdict;
  /** What was wrong, for the log; without the address, which may have credentials in it. */
  readonly reason: string;
}

/** How a check is made. */
interface CheckOptions {
  readonly client: FileClient;
  /** The longest that it may take, in milliseconds. */
  readonly timeout: number;
  /** The value of `Via`. */
  readonly via: string;
  /** A mirror that redirects there is no mirror. */
  readonly self: Pick<Self, "isAt">;
}

/**
 * Asks with HEAD, or for the first byte where the server does not know HEAD, following redirects.
 * It never rejects.
 */
export async function checkMirror(address: string, options: CheckOptions): Promise<CheckResult> {
  const { client, timeout, via, self } = options;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeout);
  const ask = async (method: "HEAD" | "GET", more: Record<string, string>): Promise<FileAnswer> => {
    const headers = { ...mirrorHeaders(via), ...more };
    const request = { client, self, method, headers, signal: abort.signal };
    const answer = await requestMirror(address, request);
    answer.close();
    return answer;
  };
  try {
    const answer = await ask("HEAD", {});
    const isHeadKnown = answer.status !== 405 && answer.status !== 501;
    return judge(isHeadKnown ? answer : await ask("GET", { "Range": "bytes=0-0" }));
  } catch (error) {
    if (abort.signal.aborted) return { verdict: "fails", reason: "does not answer" };
    return resultOf(error);
  } finally {
    clearTimeout(timer);
  }
}

/** What a final answer means. */
function judge({ status, headers }: FileAnswer): CheckResult {
  if (status === 200 || status === 206) {
    // A page for people instead of a file: a captive portal, or a mirror's friendly "not found".
    const isPage = /^text\/html\b/i.test(headers.get("content-type") ?? "");
    return isPage ? { verdict: "lacks", reason: "answers with a page" } : has;
  }
  // The file is there, and empty: no first byte can be had.
  if (status === 416) return has;
  if (status === 508) return { verdict: "loops", reason: "would ask this server" };
  const reason = `answers ${status}`;
  const isWrong = status < 400 || status === 429 || status >= 500;
  return { verdict: isWrong ? "fails" : "lacks", reason };
}

const has: CheckResult = { verdict: "has", reason: "" };

function resultOf(error: unknown): CheckResult {
  if (error instanceof RedirectRefused) {
    return { verdict: error.isToSelf ? "loops" : "fails", reason: error.message };
  }
  const reason = error instanceof HttpError ? error.message : "cannot be asked";
  return { verdict: "fails", reason };
}
