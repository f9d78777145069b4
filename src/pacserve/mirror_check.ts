/** Asks one mirror whether it has a file. */

import { messageOf } from "../failure.ts";
import { RedirectRefused, requestMirror } from "./mirror_request.ts";

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
  /** The longest that it may take, in milliseconds. */
  readonly timeout: number;
  /** The value of `Via`. */
  readonly via: string;
  /** Whether an address that a mirror redirects to is ourselves. */
  readonly isSelf: (url: URL) => boolean;
}

/**
 * Asks with HEAD, or for the first byte where the server does not know HEAD, following redirects.
 * It never rejects.
 */
export async function checkMirror(address: string, options: CheckOptions): Promise<CheckResult> {
  const signal = AbortSignal.timeout(options.timeout);
  const ask = async (
    method: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> => {
    const response = await requestMirror(address, { ...options, method, headers, signal });
    // A body that nobody reads would keep the connection.
    await response.body?.cancel();
    return response;
  };
  try {
    const response = await ask("HEAD", {});
    const isHeadKnown = response.status !== 405 && response.status !== 501;
    return judge(isHeadKnown ? response : await ask("GET", { "Range": "bytes=0-0" }));
  } catch (error) {
    return resultOf(error);
  }
}

/** What a final answer means. */
function judge(response: Response): CheckResult {
  const { status } = response;
  if (status === 200 || status === 206) {
    // A page for people instead of a file: a captive portal, or a mirror's friendly "not found".
    const isPage = /^text\/html\b/i.test(response.headers.get("Content-Type") ?? "");
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
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return { verdict: "fails", reason: "does not answer" };
  }
  const message = error instanceof Error ? `${error.message} ${messageOf(error.cause)}` : "";
  // What fetch() never connects to (the WHATWG's "bad ports") may be a good mirror to pacman.
  if (/port \d+ are blocked/.test(message)) return { verdict: "unknown", reason: "was not asked" };
  return { verdict: "fails", reason: reasonIn(message) };
}

/** One of a few fixed phrases: the message itself has the address in it. */
function reasonIn(message: string): string {
  if (/dns error/i.test(message)) return "its name is not known";
  if (/connection refused/i.test(message)) return "refuses connections";
  if (/certificate/i.test(message)) return "has a bad certificate";
  if (/\(SendRequest\)|InvalidContentType/.test(message)) return "does not speak HTTP";
  return "cannot be reached";
}
