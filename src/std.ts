/**
 * The modules of Deno's standard library that are used, with their types.
 *
 * The npm package `deno-std` has the modules unchanged but ships no types. Each function that is
 * used therefore gets its type here, and nowhere else (README, "Libraries").
 */

import { escape as untypedEscape } from "@std/html";
import { accepts as untypedAccepts } from "@std/http/negotiation";
import { STATUS_TEXT as untypedStatusText } from "@std/http/status";
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
