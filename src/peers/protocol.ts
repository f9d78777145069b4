/**
 * The messages between servers: an HTTP POST to `/` with `json=<URL-encoded JSON object>` as its body,
 * answered with JSON. There are four types: nudge, file check, directory listing and want. The original
 * knows the first three.
 *
 * Everything here is a pure function over text that a stranger may have written.
 */

import { decodeSegment } from "../http/target.ts";

/** "Here I am." The receiver takes the host from the connection. */
interface Nudge {
  readonly type: "nudge";
  readonly uri: string;
}

/** "Which of these do you have?" */
export interface FileCheck {
  readonly type: "file check";
  /** Server paths without a slash at the start: `pkg/foo-1-1-any.pkg.tar.zst`. Not encoded. */
  readonly paths: readonly string[];
  /** Above 0, the receiver may ask its own peers, with one hop less. */
  readonly hops: number;
}

/** "What is in this directory?" */
export interface DirectoryListing {
  readonly type: "directory listing";
  /** `/pkg/` */
  readonly path: string;
  readonly hops: number;
}

/** "Who downloads this file first?" It goes to the file's trackers. */
export interface Want {
  readonly type: "want";
  /** The name of a package. */
  readonly file: string;
  /** The SHA-256 that it must have, in hexadecimal digits. */
  readonly digest: string;
  /** Bytes that the sender has of it. */
  readonly have: number;
  /** Instances from which the sender could not get it. */
  readonly failed: readonly string[];
  /** True when the sender downloads it no more, and cannot give it. */
  readonly ended: boolean;
}

/** What a tracker says. */
export interface FirstDownload {
  /** The instance that downloads the file first: the sender of the want, or another one. */
  readonly first: string;
  /** For how long (ms) the tracker has named it. */
  readonly age: number;
}

/** A message between servers. */
export type Message = Nudge | FileCheck | DirectoryListing | Want;

/** An entry of a directory listing as it goes over the wire. */
export interface ListingEntry {
  /** Where the entry is: a path on the answering server, or a URL elsewhere. */
  readonly href: string;
  /** Bytes; null for a directory, or where the server does not say. */
  readonly size: number | null;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly dir: boolean;
}

/** A directory as it goes over the wire: for each name the entries that bear it. */
export type Listing = ReadonlyMap<string, readonly ListingEntry[]>;

/** Fields of our own servers, on requests between them and on the answers. The original has none. */
export const HEADERS = {
  /** A random identity of the running server. On a request it also says: do not search further. */
  instance: "Pacserve-Instance",
  /** Files that the server is sending at this moment. */
  transfers: "Pacserve-Transfers",
  /** Generation of the server's index: more than the last one means that something changed. */
  index: "Pacserve-Index",
  /** On a request for a file: the digest that it must have, `sha256=<64 hexadecimal digits>`. */
  digest: "Pacserve-Digest",
  /** `1` on each message and answer of a server that relays: it can be a tracker. */
  relay: "Pacserve-Relay",
  /** With 503 for a file that is being downloaded: the instance of one that reads it from there. */
  try: "Pacserve-Try",
} as const;

/** Instances that one want may name as failed. */
export const MAX_FAILED = 16;

/** Greatest number of paths in one file check. */
export const MAX_PATHS = 512;

/** Greatest size of a request's body in bytes. */
export const MAX_REQUEST = 1 << 20;

/**
 * Most bytes that the paths of one file check take in its body. It leaves room for an answer that names
 * each path twice and for addresses of peers in it: that is not longer than {@link MAX_REQUEST}.
 */
export const MAX_PATHS_SIZE = 1 << 18;

/** Longest name of a file and longest path on Linux, in bytes: NAME_MAX and PATH_MAX. */
const MAX_NAME = 255;
const MAX_PATH = 4096;

/** The `Content-Type` of a message. */
export const MESSAGE_TYPE = "application/x-www-form-urlencoded";

/** The body of a message. */
export function encodeMessage(message: Message): string {
  return "json=" + encodeURIComponent(JSON.stringify(message));
}

/** The bytes that a path adds to the body of a file check. */
export function sizeInMessage(path: string): number {
  return encodeURIComponent(JSON.stringify(path) + ",").length;
}

/**
 * Reads the body of a message.
 *
 * @returns `malformed` when it is no JSON object with a type (to be answered 400), `unfit` when the
 * type is unknown or a field is not what it should be (to be answered `null`).
 */
export function decodeMessage(body: string): Message | "malformed" | "unfit" {
  const json = new URLSearchParams(body).get("json");
  if (json === null) return "malformed";
  const value = parseJson(json);
  if (!isObject(value)) return "malformed";
  const type = own(value, "type");
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
  const uri = own(value, "uri");
  return typeof uri === "string" && uri.length <= 1024 ? { type: "nudge", uri } : "unfit";
}

function decodeFileCheck(value: object): FileCheck | "unfit" {
  const paths = own(value, "paths");
  const hops = decodeHops(value);
  if (hops === null || !Array.isArray(paths) || paths.length > MAX_PATHS) return "unfit";
  const texts: string[] = [];
  for (const path of paths as unknown[]) {
    if (!isPath(path)) return "unfit";
    texts.push(path);
  }
  return { type: "file check", paths: texts, hops };
}

function decodeDirectoryListing(value: object): DirectoryListing | "unfit" {
  const path = own(value, "path");
  const hops = decodeHops(value);
  if (hops === null || !isPath(path)) return "unfit";
  return { type: "directory listing", path, hops };
}

function decodeWant(value: object): Want | "unfit" {
  const file = own(value, "file");
  const digest = own(value, "digest");
  const have = own(value, "have") ?? 0;
  const failed = own(value, "failed") ?? [];
  const ended = own(value, "ended") ?? false;
  if (typeof file !== "string" || file.includes("/") || pathSegments(file)?.length !== 1) {
    return "unfit";
  }
  if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) return "unfit";
  if (typeof have !== "number" || !Number.isSafeInteger(have) || have < 0) return "unfit";
  if (!Array.isArray(failed) || failed.length > MAX_FAILED || typeof ended !== "boolean") {
    return "unfit";
  }
  const instances = (failed as unknown[]).filter((each) => typeof each === "string");
  if (instances.length < failed.length || !instances.every(isInstance)) return "unfit";
  return { type: "want", file, digest, have, failed: instances, ended };
}

/** Whether a text can be the identity of a server of ours. */
export function isInstance(text: string): boolean {
  return /^[\w-]{8,64}$/.test(text);
}

/** Body of the answer to a want. */
export function encodeFirst({ first, age }: FirstDownload): string {
  return JSON.stringify({ first, age });
}

/** Reads the answer to a want; null when it is no answer to one, as of a server that knows no wants. */
export function decodeFirst(body: string): FirstDownload | null {
  const value = parseJson(body);
  if (!isObject(value)) return null;
  const first = own(value, "first");
  const age = own(value, "age") ?? 0;
  if (typeof first !== "string" || !isInstance(first)) return null;
  return typeof age === "number" && age >= 0 ? { first, age } : null;
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && bytesOf(value) <= MAX_PATH;
}

/**
 * Whether another server can be asked for a path. It has no file at any other, and a message with one
 * that {@link decodeMessage} does not take is no use for the others in it either.
 */
export function canBeAsked(path: string): boolean {
  return isPath(path) && pathSegments(path) !== null;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function decodeHops(value: object): number | null {
  const hops = own(value, "hops") ?? 0;
  return typeof hops === "number" && Number.isInteger(hops) && hops >= 0 ? hops : null;
}

/**
 * The segments of a path in a message. Paths there are not encoded, so a percent sign is one.
 *
 * @returns null for a path that no file can have: `..`, a NUL, a name that is too long, or half of a
 * character, which JSON can write (`"\\ud800"`) and no address can.
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
 * Reads the answer to a file check.
 *
 * Only a place on the peer that was asked is believed: the very path, with or without a slash at its
 * start, or the absolute URL that this makes.
 *
 * @param url the URL of the peer, with a slash at its end.
 * @returns the paths, of those asked for, that the peer has: none when it did not understand, which it
 * says with `null`. Null when it is no answer at all.
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
    const place = own(value, path);
    if (typeof place !== "string") continue;
    if (place === path || place === "/" + path || place === url + path) found.add(path);
  }
  return found;
}

/** Body of the answer to a file check: each path that was found, and where. */
export function encodeFound(found: ReadonlyMap<string, string>): string {
  return JSON.stringify(Object.fromEntries(found));
}

/** Body of the answer to a directory listing. */
export function encodeListing(listing: Listing | null): string {
  return listing === null ? "null" : JSON.stringify(Object.fromEntries(listing));
}

/**
 * Reads the answer to a directory listing. Names that cannot be names and entries with a field that
 * is not what it should be are passed over.
 *
 * @param maximum names beyond this number are passed over.
 * @returns null when the peer has no such directory, or answers something else.
 */
export function decodeListing(body: string, maximum: number): Listing | null {
  const value = parseJson(body);
  if (!isObject(value)) return null;
  const listing = new Map<string, readonly ListingEntry[]>();
  for (const [name, entries] of Object.entries(value)) {
    if (listing.size >= maximum) break;
    if (pathSegments(name)?.length !== 1 || name.includes("/")) continue;
    if (!Array.isArray(entries)) continue;
    const valid = (entries as unknown[]).slice(0, 16).map(decodeEntry).filter((entry) =>
      entry !== null
    );
    if (valid.length > 0) listing.set(name, valid);
  }
  return listing;
}

function decodeEntry(value: unknown): ListingEntry | null {
  if (!isObject(value)) return null;
  const href = own(value, "href");
  const size = own(value, "size") ?? null;
  const mtime = own(value, "mtime") ?? 0;
  const dir = own(value, "dir") ?? false;
  if (typeof href !== "string" || href.length > MAX_PATH || typeof dir !== "boolean") {
    return null;
  }
  if (size !== null && !(typeof size === "number" && Number.isSafeInteger(size) && size >= 0)) {
    return null;
  }
  if (!(typeof mtime === "number" && Number.isFinite(mtime))) return null;
  return { href, size, mtime, dir };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A property of the object itself, never one that it inherits: `__proto__` is a name like others. */
function own(value: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
