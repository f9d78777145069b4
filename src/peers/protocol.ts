/**
 * The messages between servers: an HTTP POST to `/` with `json=<URL-encoded JSON object>` as its body,
 * answered with JSON. There are four types: nudge, file check, directory listing and want. The original
 * supports the first three.
 *
 * All functions here are pure, because the text that they parse may be hostile.
 */

import { decodeSegment } from "../http/target.ts";
import { field, isCount, isObject, itemsOf, parseJson } from "../json.ts";

/** The announcement of a server to another one. The receiver takes the host from the connection. */
interface Nudge {
  readonly type: "nudge";
  readonly uri: string;
}

/** The question which of several files a peer has. */
export interface FileCheck {
  readonly type: "file check";
  /** Server paths without a slash at the start: `pkg/foo-1-1-any.pkg.tar.zst`. Not encoded. */
  readonly paths: readonly string[];
  /** If it is above 0, the receiver may ask its own peers, with one hop less. */
  readonly hops: number;
}

/** The question for the entries of a directory. */
export interface DirectoryListing {
  readonly type: "directory listing";
  /** Path of the directory on the server: `/pkg/`. */
  readonly path: string;
  readonly hops: number;
}

/** The question which server downloads a file first. It is sent to the trackers of the file. */
export interface Want {
  readonly type: "want";
  /** The name of a package. */
  readonly file: string;
  /** The expected SHA-256 in hexadecimal digits. */
  readonly digest: string;
  /** Number of bytes of the file that the sender has. */
  readonly have: number;
  /** Instances from which the sender could not get the file. */
  readonly failed: readonly string[];
  /** True when the sender has stopped the download and cannot provide the file. */
  readonly ended: boolean;
}

/** The answer of a tracker. */
export interface FirstDownload {
  /** The instance that downloads the file first: the sender of the want, or another one. */
  readonly first: string;
  /** Milliseconds for which the tracker has named it. */
  readonly age: number;
}

/** A message between servers. */
export type Message = Nudge | FileCheck | DirectoryListing | Want;

/** An entry of a directory listing in a message. */
export interface ListingEntry {
  /** The path of the entry on the answering server, or its URL on another one. */
  readonly href: string;
  /** Size in bytes; null for a directory, or if unknown. */
  readonly size: number | null;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly dir: boolean;
}

/** A directory in a message: the entries by their name, which several can share. */
export type Listing = ReadonlyMap<string, readonly ListingEntry[]>;

/**
 * Header fields on requests between servers of this program and on the answers. The original has none of
 * them.
 */
export const HEADERS = {
  /**
   * The random identity of the running server. On a request it also means that the receiver must not
   * search on its peers.
   */
  instance: "Pacserve-Instance",
  /** Number of files that the server is sending at this moment. */
  transfers: "Pacserve-Transfers",
  /** Generation of the server's index. It grows with each change. */
  index: "Pacserve-Index",
  /** On a request for a file: its expected digest, `sha256=<64 hexadecimal digits>`. */
  digest: "Pacserve-Digest",
  /** `1` on each message and answer of a server that relays, and therefore can be a tracker. */
  relay: "Pacserve-Relay",
  /**
   * On an answer 503 for a file that is being downloaded: the instance of another server that reads it
   * from this one.
   */
  try: "Pacserve-Try",
} as const;

/** The greatest number of failed instances in one want. */
export const MAX_FAILED = 16;

/** Greatest number of paths in one file check. */
export const MAX_PATHS = 512;

/** Greatest size of a request's body in bytes. */
export const MAX_REQUEST = 1 << 20;

/**
 * Greatest size in bytes of the paths of one file check in its body. The answer names each path twice and
 * adds URLs of peers; with this limit it is not longer than {@link MAX_REQUEST}.
 */
export const MAX_PATHS_SIZE = 1 << 18;

/** Longest name of a file and longest path on Linux, in bytes: NAME_MAX and PATH_MAX. */
const MAX_NAME = 255;
const MAX_PATH = 4096;

/** The `Content-Type` of a message. */
export const MESSAGE_TYPE = "application/x-www-form-urlencoded";

/** Returns the body of a message. */
export function encodeMessage(message: Message): string {
  return "json=" + encodeURIComponent(JSON.stringify(message));
}

/** Returns the number of bytes that a path adds to the body of a file check. */
export function sizeInMessage(path: string): number {
  return encodeURIComponent(JSON.stringify(path) + ",").length;
}

/**
 * Parses the body of a message.
 *
 * @returns `malformed` when it is not a JSON object with a type (the answer must be 400), `unfit` when the
 * type is unknown or a field has a wrong value (the answer must be `null`).
 */
export function decodeMessage(body: string): Message | "malformed" | "unfit" {
  const json = new URLSearchParams(body).get("json");
  if (json === null) return "malformed";
  const value = parseJson(json);
  if (!isObject(value)) return "malformed";
  const type = field(value, "type");
  if (typeof type !== "string") return "malformed";
  switch (type) {
    case "nudge":
      return decodeNudge(value);
    case "file check":
      return decodeFileCheck(value);
    case "directory listing":
      return decodeDirectoryListing(value);
    case "want":
      return decodeWant(value);
    default:
      return "unfit";
  }
}

function decodeNudge(value: object): Nudge | "unfit" {
  const uri = field(value, "uri");
  return typeof uri === "string" && uri.length <= 1024 ? { type: "nudge", uri } : "unfit";
}

function decodeFileCheck(value: object): FileCheck | "unfit" {
  const paths = field(value, "paths");
  const hops = decodeHops(value);
  if (hops === null || !Array.isArray(paths) || paths.length > MAX_PATHS) return "unfit";
  return paths.every(isPath) ? { type: "file check", paths, hops } : "unfit";
}

function decodeDirectoryListing(value: object): DirectoryListing | "unfit" {
  const path = field(value, "path");
  const hops = decodeHops(value);
  if (hops === null || !isPath(path)) return "unfit";
  return { type: "directory listing", path, hops };
}

function decodeWant(value: object): Want | "unfit" {
  const file = field(value, "file");
  const digest = field(value, "digest");
  const have = field(value, "have") ?? 0;
  const failed = field(value, "failed") ?? [];
  const ended = field(value, "ended") ?? false;
  if (typeof file !== "string" || file.includes("/") || pathSegments(file)?.length !== 1) {
    return "unfit";
  }
  if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) return "unfit";
  if (!isCount(have) || typeof ended !== "boolean") return "unfit";
  if (!Array.isArray(failed) || failed.length > MAX_FAILED || !failed.every(isInstance)) {
    return "unfit";
  }
  return { type: "want", file, digest, have, failed, ended };
}

/** Returns true for a text that has the form of an instance, the identity of a running server. */
export function isInstance(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{8,64}$/.test(value);
}

/** Returns the body of the answer to a want. */
export function encodeFirst({ first, age }: FirstDownload): string {
  return JSON.stringify({ first, age });
}

/**
 * Parses the answer to a want; null when it is something else, as from a server that does not support
 * wants.
 */
export function decodeFirst(body: string): FirstDownload | null {
  const value = parseJson(body);
  const first = field(value, "first");
  const age = field(value, "age") ?? 0;
  return isInstance(first) && typeof age === "number" && age >= 0 ? { first, age } : null;
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && bytesOf(value) <= MAX_PATH;
}

/**
 * Returns true when a file check may contain a path. No server has a file at other paths, and one path that
 * {@link decodeMessage} refuses would spoil the whole message.
 */
export function canBeAsked(path: string): boolean {
  return isPath(path) && pathSegments(path) !== null;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function decodeHops(value: object): number | null {
  const hops = field(value, "hops") ?? 0;
  return isCount(hops) ? hops : null;
}

/**
 * Returns the segments of a path in a message. Paths there are not encoded: a percent sign is an ordinary
 * character.
 *
 * @returns null for a path that no file can have: it contains `..`, a NUL, a name that is too long, or a lone
 * surrogate, which JSON can contain (`"\\ud800"`) and a URL cannot.
 */
export function pathSegments(path: string): readonly string[] | null {
  if (!path.isWellFormed()) return null;
  const segments = path.split("/").filter((segment) => segment !== "");
  const valid = segments.every((segment) =>
    decodeSegment(segment.replaceAll("%", "%25")) === segment && bytesOf(segment) <= MAX_NAME
  );
  return valid ? segments : null;
}

/**
 * Parses the answer to a file check.
 *
 * It accepts only locations on the peer itself: the same path, with or without a slash at its start, or
 * the absolute URL of it.
 *
 * @param url the URL of the peer, with a slash at its end.
 * @returns those of the paths that the peer has; none when the answer is `null`, which means that the peer
 * did not understand. Null when it is not an answer to a file check.
 */
export function decodeFound(
  body: string,
  paths: readonly string[],
  url: string,
): ReadonlySet<string> | null {
  const value = parseJson(body);
  if (value === null) return new Set();
  if (!isObject(value)) return null;
  const found = new Set<string>();
  for (const path of paths) {
    const place = field(value, path);
    if (typeof place !== "string") continue;
    if (place === path || place === "/" + path || place === url + path) found.add(path);
  }
  return found;
}

/** Returns the body of the answer to a file check: each path that was found, and its location. */
export function encodeFound(found: ReadonlyMap<string, string>): string {
  return JSON.stringify(Object.fromEntries(found));
}

/** Returns the body of the answer to a directory listing. */
export function encodeListing(listing: Listing | null): string {
  return listing === null ? "null" : JSON.stringify(Object.fromEntries(listing));
}

/**
 * Parses the answer to a directory listing. It ignores impossible names, and entries with a wrong value in a
 * field.
 *
 * @param maximum the greatest number of names; further ones are ignored.
 * @returns null when the peer has no such directory, or answers something else.
 */
export function decodeListing(body: string, maximum: number): Listing | null {
  const value = parseJson(body);
  if (!isObject(value)) return null;
  const listing = new Map<string, readonly ListingEntry[]>();
  for (const [name, entries] of Object.entries(value)) {
    if (listing.size >= maximum) break;
    if (pathSegments(name)?.length !== 1 || name.includes("/")) continue;
    const valid = itemsOf(entries).slice(0, 16).map(decodeEntry).filter((entry) => entry !== null);
    if (valid.length > 0) listing.set(name, valid);
  }
  return listing;
}

function decodeEntry(value: unknown): ListingEntry | null {
  const href = field(value, "href");
  const size = field(value, "size") ?? null;
  const mtime = field(value, "mtime") ?? 0;
  const dir = field(value, "dir") ?? false;
  if (typeof href !== "string" || href.length > MAX_PATH || typeof dir !== "boolean") {
    return null;
  }
  if (size !== null && !isCount(size)) return null;
  return typeof mtime === "number" && Number.isFinite(mtime) ? { href, size, mtime, dir } : null;
}
