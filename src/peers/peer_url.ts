/** Parses and formats the URLs of peers in announcements, nudges and `--peer`. */

/** The parts of a peer's URL. */
export interface PeerUrl {
  readonly scheme: "http" | "https";
  /** Name or IP address in lower case; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Begins and ends with a slash. */
  readonly path: string;
}

const URI =
  /^(?:(https?):)?(?:\/\/)?(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::([0-9]{1,5}))?(\/[a-z0-9._~!$&'()*+,;=:@%/-]{0,255})?$/i;

/**
 * Parses the URL of a server. A missing scheme means http, and a missing port `defaultPort`. A missing
 * slash at the end of the path is added.
 *
 * @returns null when the text is not such a URL: it has another scheme, credentials, a query, a fragment,
 * a port out of range, a path with `..` in it, or a part of unusual length.
 */
export function parsePeerUrl(text: string, defaultPort: number): PeerUrl | null {
  if (text.length > 1024) return null;
  const match = URI.exec(text);
  if (match === null) return null;
  const port = match[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65535) return null;
  const given = match[4] ?? "/";
  const path = given.endsWith("/") ? given : given + "/";
  const segments = path.split("/").slice(1, -1);
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    return null;
  }
  const host = (match[2] ?? "").toLowerCase();
  return {
    scheme: match[1]?.toLowerCase() === "https" ? "https" : "http",
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port,
    path,
  };
}

/**
 * Returns the URL as text that always has the port and a slash at the end: `http://10.0.0.2:15678/`. Two
 * URLs with the same text belong to the same peer.
 */
export function formatPeerUrl({ scheme, host, port, path }: PeerUrl): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}
