/**
 * The modules of Deno's standard library that are used, with their types.
 *
 * The npm package `deno-std` has the modules unchanged but ships no types, so each function that is
 * used is given its type here, and nowhere else (README, "Libraries").
 */

import { escape as untypedEscape } from "@std/html";
import { accepts as untypedAccepts } from "@std/http/negotiation";
import { STATUS_TEXT as untypedStatusText } from "@std/http/status";
import { levenshteinDistance as untypedLevenshteinDistance } from "@std/text";

/** Escapes text for HTML. */
export const escapeHtml: (text: string) => string = untypedEscape;

/** The best of `types` for the `Accept` header of a request. */
export const accepts: (request: { headers: Headers }, ...types: string[]) => string | undefined =
  untypedAccepts;

/** Reason phrases by status code. */
export const statusText: Readonly<Record<number, string>> = untypedStatusText;

/**
 * Loads what gives the `Content-Type` for a file extension (`.html`), with its charset. The registry
 * of media types takes four megabytes, which a server that shares packages never needs.
 */
export async function loadContentTypes(): Promise<(extension: string) => string | undefined> {
  return (await import("@std/media-types")).contentType;
}

/** How many letters have to be put in, taken out or replaced to make one word the other. */
export const levenshteinDistance: (one: string, other: string) => number =
  untypedLevenshteinDistance;
