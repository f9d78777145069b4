/** One request to a mirror: with its credentials, and redirects followed. */

import type { FileAnswer, FileClient, FileRequest } from "./relay/http_client.ts";
import type { Self } from "./servers.ts";
import { basicAuthorization } from "./url_credentials.ts";

/** What is asked. */
interface MirrorRequest extends Omit<FileRequest, "url"> {
  readonly client: FileClient;
  /** Redirects to it are not followed. */
  readonly self: Pick<Self, "isAt">;
}

/** A mirror redirects to where it is not followed. */
export class RedirectRefused extends Error {
  override readonly name: string = "RedirectRefused";
  /** True when it redirects to this very server. */
  readonly isToSelf: boolean;

  constructor(message: string, isToSelf: boolean = false) {
    super(message);
    this.isToSelf = isToSelf;
  }
}

const MAX_REDIRECTS = 5;

/** Header fields of every request to a mirror. */
export function mirrorHeaders(via: string): Record<string, string> {
  return {
    "Via": via,
    "User-Agent": "pacserve",
    // The file as it is: its length and its ranges matter.
    "Accept-Encoding": "identity",
  };
}

/**
 * Sends a request and follows redirects. Credentials in the address go to its own origin alone, in a
 * header: no error and no log has them.
 *
 * @returns the answer that is no redirect; whoever gets it reads or closes it.
 * @throws {RedirectRefused}
 * @throws {HttpError} when there is no answer.
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
    if (!URL.canParse(location, url)) {
      throw new RedirectRefused("redirects to a malformed address");
    }
    url = new URL(location, url);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new RedirectRefused(`redirects to ${url.protocol}`);
    }
    if (self.isAt(url)) throw new RedirectRefused("redirects to this server", true);
  }
  throw new RedirectRefused("redirects without end");
}
