/**
 * The datagram by which a server makes itself known: a prefix, one space, a URI.
 *
 * `ThreadedServers.Pacserve/2013.05.12 http://ungabunga:15678/`
 *
 * The prefix is the `Server` header of the original program, which compares all of it and drops what
 * differs. So it is the magic of the protocol: ours sends exactly this one, and accepts any version.
 */

import { parsePeerUrl, type PeerUrl } from "./peer_url.ts";

/** Stands for the sender's host: the receiver puts the address there that the datagram came from. */
const HOST_PLACEHOLDER = "ungabunga";

const MAGIC = {
  pacserve: "ThreadedServers.Pacserve/",
  quickserve: "ThreadedServers.PeeredQuickserve/",
} as const;

/** The version of the original whose protocol this is. */
const PROTOCOL_VERSION = "2013.05.12";

const MAX_LENGTH = 1024;

/** The `Server` header of the program, which is the prefix of its announcements. */
export function serverHeader(program: keyof typeof MAGIC): string {
  return MAGIC[program] + PROTOCOL_VERSION;
}

/** The URI by which a server names itself: its host is left for the receiver to fill in. */
export function ownUri(scheme: "http" | "https", port: number): string {
  return `${scheme}://${HOST_PLACEHOLDER}:${port}/`;
}

/** The bytes of an announcement. */
export function formatAnnouncement(program: keyof typeof MAGIC, uri: string): Uint8Array {
  return new TextEncoder().encode(`${serverHeader(program)} ${uri}`);
}

/**
 * Reads a datagram.
 *
 * @param source the IP address that the datagram came from: it becomes the host.
 * @returns null for whatever is not an announcement of the same program.
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
