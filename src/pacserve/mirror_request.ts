/** One request to a mirror: with its credentials, our `Via`, and redirects followed. */

/** What is asked. */
interface MirrorRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The value of `Via`. */
  readonly via: string;
  /** Whether an address that a mirror redirects to is ourselves. */
  readonly isSelf: (url: URL) => boolean;
  /** Ends the request, and the reading of the body. */
  readonly signal: AbortSignal;
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

const LONGEST_CHAIN = 5;

/**
 * Sends a request and follows redirects. Credentials in the address go to its own origin alone, in a
 * header: no error and no log has them.
 *
 * @returns the response that is no redirect; whoever gets it reads or cancels its body.
 * @throws {RedirectRefused}
 * @throws whatever `fetch` throws.
 */
export async function requestMirror(address: string, request: MirrorRequest): Promise<Response> {
  let url = new URL(address);
  const { origin } = url;
  const authorization = authorizationIn(url);
  for (let redirects = 0; redirects <= LONGEST_CHAIN; redirects++) {
    const headers = new Headers(request.headers);
    headers.set("Via", request.via);
    headers.set("User-Agent", "pacserve");
    // The file as it is: its length and its ranges matter.
    headers.set("Accept-Encoding", "identity");
    if (authorization !== null && url.origin === origin) {
      headers.set("Authorization", authorization);
    }
    url.username = "";
    url.password = "";
    const { method, signal } = request;
    const response = await fetch(url, { method, headers, redirect: "manual", signal });
    const location = response.headers.get("Location");
    if (response.status < 301 || response.status > 308 || location === null) return response;
    // A body that nobody reads would keep the connection.
    await response.body?.cancel();
    url = new URL(location, url);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new RedirectRefused(`redirects to ${url.protocol}`);
    }
    if (request.isSelf(url)) throw new RedirectRefused("redirects to this server", true);
  }
  throw new RedirectRefused("redirects without end");
}

function authorizationIn(url: URL): string | null {
  if (url.username === "" && url.password === "") return null;
  const user = decodeLeniently(url.username);
  const password = decodeLeniently(url.password);
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A password with a lone `%`, which curl takes as it is.
    return text;
  }
}
