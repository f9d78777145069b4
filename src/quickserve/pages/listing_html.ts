/** A directory as a page for a browser. */

import { encodePath } from "../../http/target.ts";
import { escapeHtml } from "../../std.ts";
import type { Entry } from "../shared.ts";
import { columns } from "./columns.ts";
import type { Column } from "./columns.ts";
import { archiveLabel, visibleText } from "./display.ts";
import { batchesOf, peerHref, queryOf, relativeHref, totalsOf } from "./entries.ts";
import type { ListingOrder } from "./entries.ts";
import { currentPage, Html, html } from "./html.ts";
import { iconOf } from "./icons.ts";
import { layOutPage } from "./layout.ts";
import type { Listing } from "./listing.ts";
import { describeTotals } from "./listing_text.ts";
import { uploadForm } from "./upload.ts";

/** Marks in a page where its rows belong. It is random: no file name can contain it on purpose. */
const rowsMark = crypto.randomUUID();

/**
 * Writes a directory as a page, in pieces. It works without script; the script adds the filter box and
 * more.
 */
export function* listingAsHtml(listing: Listing): Generator<string> {
  const { segments, entries, context, place } = listing;
  const { configuration } = context;
  const form = place === null ? null : uploadForm("compact", place);
  // Where there is nothing but the form, it says enough.
  const isFormAlone = form !== null && entries.length === 0 && segments.length === 0;
  const path = "/" + segments.map((segment) => visibleText(segment) + "/").join("");
  const main = html`<nav class="crumbs" aria-label="Path">${breadcrumb(segments)}</nav>
${motd(configuration.motd)}<h1 class="unseen">${path}</h1>
${form}
${isFormAlone ? null : filesPart(listing, path)}`;
  const content = { title: path, current: null, skip: "Skip to the files", main };
  const [before, after] = layOutPage(context, content).split(rowsMark);
  yield before ?? "";
  if (after === undefined) return;
  for (const batch of batchesOf(entries)) yield batch.map(row).join("");
  yield after;
}

function filesPart(listing: Listing, path: string): Html {
  const { segments, entries, context: { configuration } } = listing;
  return html`
    <div class="tools" data-tools>
    <p class="totals" data-totals role="status">${describeTotals(totalsOf(entries))}</p>
    ${archiveLinks(configuration.archives)}</div>
    ${entries.length === 0 && segments.length === 0 ? emptyNote : table(listing, path)}
    ${entries.length === 0 && segments.length > 0 ? emptyNote : null}
  `;
}

const emptyNote = html`<p class="empty">There is nothing here yet.</p>`;

function breadcrumb(segments: readonly string[]): Html {
  const items = segments.map((segment, index) => {
    const mark = index === segments.length - 1 ? currentPage : null;
    const href = encodePath(segments.slice(0, index + 1)) + "/";
    return html`<li><a href="${href}"${mark}><bdi>${visibleText(segment)}</bdi></a></li>`;
  });
  const mark = segments.length === 0 ? currentPage : null;
  return html`<ol><li><a href="/"${mark}>Home</a></li>${items}</ol>`;
}

function motd(text: string | null): Html | null {
  if (text === null || text.trim() === "") return null;
  return html`
    <div class="motd" role="note" aria-label="Message of the day">${text.trimEnd()}</div>
  `;
}

function archiveLinks(formats: readonly string[]): Html | null {
  if (formats.length === 0) return null;
  const links = formats.map((format) =>
    html`<li><a href="?tar=${encodeURIComponent(format)}" download>.${
      archiveLabel(format)
    }</a></li>`
  );
  return html`
    <div class="archives"><span id="archives">Download all as</span>
    <ul aria-labelledby="archives">${links}</ul></div>
  `;
}

function table({ segments, order }: Listing, path: string): Html {
  const parent = html`
    <tr class="parent">
      <th scope="row"><a class="up" href="../">Parent directory</a></th>
      ${columns.map(() => html`<td></td>`)}
    </tr>
  `;
  return html`
    <table class="listing" data-listing>
      <caption class="unseen">Files and directories in ${path}</caption>
      <thead>
        <tr>
    ${[null, ...columns].map((column) => columnHead(column, order))}
        </tr>
      </thead>
      <tbody>
    ${segments.length === 0 ? null : parent}${rowsMark}</tbody>
    </table>
  `;
}

/** @param column null for the name. */
function columnHead(column: Column | null, order: ListingOrder): Html {
  const isSorted = order.column === column;
  const next = { column, descending: isSorted ? !order.descending : column !== null };
  const direction = order.descending ? "descending" : "ascending";
  const sorted = isSorted ? new Html(` aria-sort="${direction}"`) : null;
  const link = html`<a href="${queryOf(next)}">${column?.heading ?? "Name"}</a>`;
  return html`
    <th scope="col" class="${column?.name ?? "name"}" ${sorted}>${link}</th>
  `;
}

function row(entry: Entry): string {
  const { name, kind, remote } = entry;
  const shown = escapeHtml(visibleText(name));
  const href = remote === undefined ? relativeHref(entry) : peerHref(remote.href);
  const slash = kind === "directory" ? "/" : "";
  const label = `<bdi>${shown}</bdi>${slash}`;
  const icon = iconOf(entry);
  const link = href === null
    ? `<span class="${icon}">${label}</span>`
    : `<a class="${icon}" href="${escapeHtml(href)}">${label}</a>`;
  const cells = columns.map((column) => `<td>${column.cell(entry)}</td>`);
  const mark = remote === undefined ? "" : remoteMark(remote.peer);
  return `<tr><th scope="row">${link}${mark}</th>${cells.join("")}</tr>\n`;
}

function remoteMark(peer: string): string {
  const href = peerHref(peer);
  const name = escapeHtml(visibleText(peer.replace(/^https?:\/\/|\/$/gi, "")));
  const link = href === null ? name : `<a href="${escapeHtml(href)}">${name}</a>`;
  return ` <span class="remote">on ${link}</span>`;
}
