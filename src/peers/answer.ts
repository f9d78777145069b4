/** Answers to the messages of other servers. */

import { encodePath } from "../http/target.ts";
import {
  decodeMessage,
  type DirectoryListing,
  encodeFound,
  encodeListing,
  type FileCheck,
  type Listing,
  type ListingEntry,
  pathSegments,
} from "./protocol.ts";
import type { RemoteEntry } from "./listing.ts";

/** What answering needs. */
export interface AnswerParts {
  /** Whether this server has a file at this place in its tree. */
  readonly has: (segments: readonly string[]) => boolean | Promise<boolean>;
  /** A directory of this server; null when there is none. */
  readonly list: (segments: readonly string[]) => Promise<Listing | null>;
  /** A server that calls itself `uri` nudged from this IP address. */
  readonly nudged: (uri: string, remoteAddress: string) => void;
  /** Finds a file on this server's own peers: its URL. */
  readonly find: (segments: readonly string[]) => Promise<string | null>;
  /** A directory on this server's own peers. */
  readonly listRemote: (segments: readonly string[]) => Promise<readonly RemoteEntry[]>;
}

/** An answer: the status and the body, which is JSON if the status is 200. */
export interface MessageAnswer {
  readonly status: 200 | 400;
  readonly body: string;
}

/**
 * Answers a message.
 *
 * However many `hops` it grants, this server's peers are asked with 0: on one LAN everybody hears
 * everybody, and questions that spawn questions multiply.
 */
export async function answerMessage(
  parts: AnswerParts,
  body: string,
  remoteAddress: string,
): Promise<MessageAnswer> {
  const message = decodeMessage(body);
  if (message === "malformed") return { status: 400, body: "no message of a peer\n" };
  if (message === "unfit") return { status: 200, body: "null" };
  switch (message.type) {
    case "nudge":
      parts.nudged(message.uri, remoteAddress);
      return { status: 200, body: "true" };
    case "file check":
      return { status: 200, body: await answerFileCheck(parts, message) };
    case "directory listing":
      return { status: 200, body: await answerListing(parts, message) };
  }
}

async function answerFileCheck(parts: AnswerParts, message: FileCheck): Promise<string> {
  const found = new Map<string, string>();
  await Promise.all(message.paths.map(async (path) => {
    const segments = pathSegments(path);
    if (segments === null || segments.length === 0) return;
    if (await parts.has(segments)) found.set(path, path);
    else if (message.hops > 0) {
      const url = await parts.find(segments);
      if (url !== null) found.set(path, url);
    }
  }));
  return encodeFound(found);
}

async function answerListing(parts: AnswerParts, message: DirectoryListing): Promise<string> {
  const segments = pathSegments(message.path);
  if (segments === null) return "null";
  const [local, remote] = await Promise.all([
    parts.list(segments),
    message.hops > 0 ? parts.listRemote(segments) : [],
  ]);
  if (remote.length === 0) return encodeListing(local);
  const merged = new Map<string, ListingEntry[]>();
  for (const [name, entries] of local ?? []) merged.set(name, [...entries]);
  for (const { name, url, size, mtime, directory } of remote) {
    const entries = merged.get(name) ?? [];
    entries.push({ href: url, size, mtime, dir: directory });
    merged.set(name, entries);
  }
  return encodeListing(merged);
}

/** An entry of this server's own tree, as it goes over the wire. */
export function ownEntry(
  segments: readonly string[],
  size: number | null,
  mtime: number,
  dir: boolean,
): ListingEntry {
  return { href: encodePath(segments) + (dir ? "/" : ""), size, mtime, dir };
}
