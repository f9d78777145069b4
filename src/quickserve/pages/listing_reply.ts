/** Replies with a directory in the representation that the client requests: HTML, JSON or text. */

import type { HttpRequest, Reply } from "../../http/exchange.ts";
import { encodePath } from "../../http/target.ts";
import type { Entry } from "../shared.ts";
import { Slices } from "../turns.ts";
import { columns } from "./columns.ts";
import { batchesOf, orderOf, peerHref, relativeHref, sortEntries } from "./entries.ts";
import { errorReply } from "./errors.ts";
import type { ListedSearch, Listing, ListingContext, ShownRows } from "./listing.ts";
import { listingAsHtml } from "./listing_html.ts";
import { listingAsText } from "./listing_text.ts";
import { longPageReply } from "./reply.ts";
import { addressForPhones } from "./qr.ts";
import { chooseRepresentation, isBrowser, offeredTypes } from "./representation.ts";
import type { FormPlace } from "./upload.ts";

/** The input of {@link listingReply}. */
interface ListingInput {
  /** A GET or HEAD of a path that ends with a slash; otherwise the relative links would be wrong. */
  readonly request: Pick<HttpRequest, "method" | "headers" | "connection">;
  /** The directory's path in the tree. */
  readonly segments: readonly string[];
  /** In any order. */
  readonly entries: readonly Entry[];
  /** The query of the URL, without `?`. The parameters `sort`, `order`, `mimetype` and `from` are used. */
  readonly search: string;
  readonly context: ListingContext;
  /** The place to which the page's form uploads; null without a form. */
  readonly place?: FormPlace | null;
  /** The search, if the entries are its results. */
  readonly found?: ListedSearch | null;
}

/** A browser gets up to this many entries as rows of the page. */
const MAX_ROWS = 2000;

/** If there are more entries than {@link MAX_ROWS}, this many are rows at first. */
const FIRST_ROWS = 500;

/**
 * Returns the listing of a directory in the representation that `?mimetype=` or `Accept` selects: HTML,
 * JSON (for its fields see {@link listingAsJson}) or text. The reply is 406 for other types. There are
 * pauses for other work.
 */
export async function listingReply(input: ListingInput): Promise<Reply> {
  const { request, segments, entries, search, context, place = null, found = null } = input;
  const parameters = new URLSearchParams(search);
  const form = chooseRepresentation(request, parameters);
  if (form === null) {
    const offered = offeredTypes.join(", ");
    return errorReply(request, context, 406, `The listing is available as ${offered}.`);
  }
  const order = orderOf(parameters);
  const slices = new Slices();
  const listing: Listing = {
    segments,
    path: segments.length === 0 ? "/" : encodePath(segments) + "/",
    entries: await sortEntries(entries, order, slices),
    order,
    context,
    place,
    search: found,
    shown: shownRows(request, parameters, entries.length),
    phoneAddress: form === "html" ? addressForPhones(request, context, segments) : null,
  };
  return await longPageReply(request, form, writers[form](listing), slices);
}

/**
 * Returns the range of entries that are rows of the page; null for all. Programs that follow the links of a
 * page (rclone, lftp, wget) get all. A browser would take many seconds for 100,000 rows. Therefore the
 * page's script adds rows when they are needed; without script there are links to the other parts (`?from=`).
 */
function shownRows(
  request: Pick<HttpRequest, "headers">,
  parameters: URLSearchParams,
  total: number,
): ShownRows | null {
  if (total <= MAX_ROWS || !isBrowser(request)) return null;
  const from = parameters.get("from") ?? "";
  const first = /^\d{1,9}$/.test(from) && Number(from) < total ? Number(from) : 0;
  return { first, count: Math.min(FIRST_ROWS, total - first) };
}

const writers = { html: listingAsHtml, json: listingAsJson, text: listingAsText };

/**
 * Writes a directory as JSON, one entry per line, in pieces. Fields may be added, these will not change:
 * `path` (the directory's path on this server, encoded, with slashes at both ends) and `entries`, in the
 * order of `?sort=` and `?order=`. An entry has its `name`, its `kind` (`file` or `directory`), a field for
 * each of the {@link columns}, its `href` (a path on this server, encoded, with a slash at the end for a
 * directory; or a URL), and `peer`, the URL of the peer that has it; null when this server has it.
 *
 * In a search (`?search=`), the names are paths below the directory, and `endedBy` is the limit that ended
 * the search early, or null.
 */
function* listingAsJson({ path, entries, search }: Listing): Generator<string> {
  const ended = search === null ? "" : `\n  "endedBy": ${JSON.stringify(search.endedBy)},`;
  yield `{\n  "path": ${JSON.stringify(path)},${ended}\n  "entries": [`;
  let separator = "\n";
  for (const batch of batchesOf(entries)) {
    const lines = batch.map((entry) => `    ${JSON.stringify(toJson(path, entry))}`);
    yield separator + lines.join(",\n");
    separator = ",\n";
  }
  yield entries.length === 0 ? "]\n}\n" : "\n  ]\n}\n";
}

function toJson(path: string, entry: Entry): Record<string, string | number | null> {
  const { name, kind, remote } = entry;
  const fields: Record<string, string | number | null> = { name, kind };
  for (const column of columns) fields[column.field] = column.data(entry);
  fields["href"] = remote === undefined
    ? path + relativeHref(entry).slice(2)
    : peerHref(remote.href) ?? remote.peer;
  fields["peer"] = remote?.peer ?? null;
  return fields;
}
