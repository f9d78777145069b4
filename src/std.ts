/**
 * The modules of Deno's standard library that are used, with their types.
 *
 * The npm package `deno-std` has the modules unchanged but ships no types. Each function that is
 * used therefore gets its type here, and nowhere else (README, "Libraries").
 */

import { escape as untypedEscape } from "@std/html";
import { accepts as untypedAccepts } from "@std/http/negotiation";
import { STATUS_TEXT as untypedStatusText } from "@std/http/status";
import {
  basename as untypedBasename,
  dirname as untypedDirname,
  isAbsolute as untypedIsAbsolute,
  join as untypedJoin,
  normalize as untypedNormalize,
  resolve as untypedResolve,
} from "@std/path/posix";
import { levenshteinDistance as untypedLevenshteinDistance } from "@std/text";

/** Escapes text for HTML. */
export const escapeHtml: (text: string) => string = untypedEscape;

/** The one of `types` that a request's `Accept` header prefers; undefined when it accepts none. */
export const accepts: (request: { headers: Headers }, ...types: string[]) => string | undefined =
  untypedAccepts;

/** Reason phrases by status code. */
export const statusPhrases: Readonly<Record<number, string>> = untypedStatusText;

/**
 * Loads the function that gives the `Content-Type`, with its charset, for a file extension (`.html`).
 * It is loaded on demand because the registry of media types takes four megabytes of memory, and a
 * server that shares packages does not need it.
 */
export async function loadContentTypes(): Promise<(extension: string) => string | undefined> {
  return (await import("@std/media-types")).contentType;
}

/** How many letters have to be inserted, deleted or replaced to turn one word into the other. */
export const levenshteinDistance: (one: string, other: string) => number =
  untypedLevenshteinDistance;

// The functions for paths are not those of `node:path`, which takes a command 8 ms to load.

/** The last part of a path. */
export const basename: (path: string) => string = untypedBasename;

/** A path without its last part. */
export const dirname: (path: string) => string = untypedDirname;

/** True when a path begins with a slash. */
export const isAbsolute: (path: string) => boolean = untypedIsAbsolute;

/** Joins parts to one normalized path. */
export const join: (...parts: string[]) => string = untypedJoin;

/** A path without `.`, `..` and repeated slashes. */
export const normalize: (path: string) => string = untypedNormalize;

/** The absolute, normalized path. Each part is relative to the one before; the first to the working directory. */
export const resolve: (...parts: string[]) => string = untypedResolve;
