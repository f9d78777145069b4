/** Sends requests to mirrors: with credentials, and with redirects followed. */

import type { FileAnswer, FileClient, FileRequest } from "./relay/http_client.ts";
import type { Self } from "./servers.ts";
import { basicAuthorization } from "./url_credentials.ts";

/** A request to a mirror. */
interface MirrorRequest extends Omit<FileRequest, "url"> {
  readonly client: FileClient;
  /** This server. Redirects to it are not followed. */
  readonly self: Pick<Self, "isAt">;
}

/** Thrown when a mirror sends a redirect that is not followed. */
export class RedirectRefused extends Error {
  override readonly name: string = "RedirectRefused";
  /** True when the redirect leads to this server. */
  readonly isToSelf: boolean;

  constructor(message: string, isToSelf: boolean = false) {
    super(message);
    this.isToSelf = isToSelf;
  }
}

const MAX_REDIRECTS = 5;

/** Returns the header fields of every request to a mirror. */
export function mirrorHeaders(via: string): Record<string, string> {
  return {
    "Via": via,
    "User-Agent": "pacserve",
    // Request the file without a content coding, because its length and ranges are needed.
    "Accept-Encoding": "identity",
  };
}

/**
 * Sends a request and follows redirects. Credentials in the URL are sent only to its origin, in a header
 * field. Errors and logs do not contain them.
 *
 * @returns the final answer, which the caller must read or close.
 * @throws {RedirectRefused} when a redirect is malformed, leads to this server or another scheme, or when
 * there are more than {@link MAX_REDIRECTS}.
 * @throws {HttpError} when there is no valid answer.
 */
export async function requestMirror(address: string, request: MirrorRequest): Promise<FileAnswer> {
  const { client, self, ...rest } = request;
  let url = new URL(address);
  const { origin } = url;
  const authorization = basicAuthorization(url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const credentials = authorization !== null && url.origin === origin
      ? { "Authorization": authorization }
      : {};
    const headers = { ...request.headers, ...credentials };
    const answer = await client.request({ ...rest, url, headers });
    const location = answer.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
    answer.close();
    const next = URL.parse(location, url);
    if (next === null) throw new RedirectRefused("redirects to a malformed address");
    url = next;
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new RedirectRefused(`redirects to ${url.protocol}`);
    }
    if (self.isAt(url)) throw new RedirectRefused("redirects to this server", true);
  }
  throw new RedirectRefused("sends too many redirects");
}

/**
 * Asks with HEAD for the head of a file, as {@link requestMirror} does. If the server refuses the method,
 * requests the first byte. The answer is closed.
 */
export async function requestHead(
  address: string,
  request: Omit<MirrorRequest, "method">,
): Promise<FileAnswer> {
  const answer = await requestMirror(address, { ...request, method: "HEAD" });
  answer.close();
  if (!isMethodRefused(answer)) return answer;
  const headers = { ...request.headers, "Range": "bytes=0-0" };
  const first = await requestMirror(address, { ...request, method: "GET", headers });
  first.close();
  return first;
}

/**
 * True when the answer to a HEAD says nothing about a GET. Servers that do not support HEAD answer 405 or
 * 501, and those that only allow GET (storage with signed addresses, firewalls) 400 or 403.
 */
export function isMethodRefused({ status }: Pick<FileAnswer, "status">): boolean {
  return [400, 403, 405, 501].includes(status);
}
