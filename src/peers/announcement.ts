/**
 * The datagram with which a server announces itself. It is a prefix, one space, and a URI:
 *
 * `ThreadedServers.Pacserve/2013.05.12 http://ungabunga:15678/`
 *
 * The prefix is the `Server` field of the original program, which ignores datagrams with another prefix.
 * Therefore this program sends exactly this prefix; it accepts one with any version.
 */

import { parsePeerUrl, type PeerUrl } from "./peer_url.ts";

/** Placeholder for the sender's host. The receiver replaces it with the source address of the datagram. */
const HOST_PLACEHOLDER = "ungabunga";

const MAGIC = {
  pacserve: "ThreadedServers.Pacserve/",
  quickserve: "ThreadedServers.PeeredQuickserve/",
} as const;

/** The version of the original program that this protocol belongs to. */
const PROTOCOL_VERSION = "2013.05.12";

const MAX_LENGTH = 1024;

/** Returns the `Server` field of the program, which is also the prefix of its announcements. */
export function serverHeader(program: keyof typeof MAGIC): string {
  return MAGIC[program] + PROTOCOL_VERSION;
}

/** True for the `Server` field of a pacserve of any version, including the original of 2013. */
export function isPacserve(serverField: string): boolean {
  return serverField.toLowerCase().startsWith(MAGIC.pacserve.toLowerCase());
}

/** Returns the URI with which a server announces itself. The receiver replaces its host. */
export function ownUri(scheme: "http" | "https", port: number): string {
  return `${scheme}://${HOST_PLACEHOLDER}:${port}/`;
}

/** Returns the bytes of an announcement. */
export function formatAnnouncement(program: keyof typeof MAGIC, uri: string): Uint8Array {
  return new TextEncoder().encode(`${serverHeader(program)} ${uri}`);
}

/**
 * Parses a datagram and returns the URL in it.
 *
 * @param source the source IP address of the datagram, which becomes the host of the URL.
 * @returns null when the datagram is not an announcement of the same program.
 */
export function parseAnnouncement(
  datagram: Uint8Array,
  program: keyof typeof MAGIC,
  source: string,
  defaultPort: number,
): PeerUrl | null {
  if (datagram.length > MAX_LENGTH) return null;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(datagram);
  } catch {
    return null;
  }
  const space = text.indexOf(" ");
  if (space < 0 || !text.startsWith(MAGIC[program])) return null;
  if (!/^[\w.+-]{1,64}$/.test(text.slice(MAGIC[program].length, space))) return null;
  const url = parsePeerUrl(text.slice(space + 1).trim(), defaultPort);
  return url === null ? null : { ...url, host: source };
}
