/** Writes a directory as a page for a browser. */

import { encodePath } from "../../http/target.ts";
import { escapeHtml } from "../../std.ts";
import type { Entry } from "../shared.ts";
import { type Column, columns } from "./columns.ts";
import { archiveLabel, visibleText } from "./display.ts";
import { batchesOf, type ListingOrder, peerHref, queryOf, relativeHref } from "./entries.ts";
import { currentPage, Html, html } from "./html.ts";
import { iconOf } from "./icons.ts";
import { layOutPage } from "./layout.ts";
import type { ListedSearch, Listing, ShownRows } from "./listing.ts";
import { totalsText } from "./listing_text.ts";
import { uploadForm } from "./upload.ts";

/** Placeholder of the rows in a page. It is random, so that no file name can contain it on purpose. */
const rowsMark = crypto.randomUUID();

/**
 * Writes a directory as a page, in pieces. The page works without script; the script adds the filter box
 * and more.
 */
export function* listingAsHtml(listing: Listing): Generator<string> {
  const { segments, entries, context, place, search, shown } = listing;
  const { configuration } = context;
  const form = place === null ? null : uploadForm("compact", place);
  // If the root is empty, the upload form alone is enough.
  const isFormAlone = form !== null && entries.length === 0 && segments.length === 0 &&
    search === null;
  const path = "/" + segments.map((segment) => visibleText(segment) + "/").join("");
  const heading = search === null ? path : `Search for ${visibleText(search.text)} in ${path}`;
  const main = html`<nav class="crumbs" aria-label="Path">${breadcrumb(listing)}</nav>
${search === null ? motd(configuration.motd) : null}<h1 class="unseen">${heading}</h1>
${search === null ? form : null}
${isFormAlone ? null : filesPart(listing, path)}`;
  const content = { title: heading, current: null, skip: "Skip to the files", main };
  const [before, after] = layOutPage(context, content).split(rowsMark);
  yield before ?? "";
  if (after === undefined) return;
  const rows = shown === null ? entries : entries.slice(shown.first, shown.first + shown.count);
  for (const batch of batchesOf(rows)) yield batch.map(entryRow).join("");
  const [table = "", rest = ""] = after.split(restMark);
  yield table;
  if (shown !== null && shown.first === 0) yield* restAsData(entries.slice(shown.count));
  yield rest;
}

/** Placeholder of the entries that are not rows yet. */
const restMark = crypto.randomUUID();

/**
 * Writes the entries from which the script makes further rows, as JSON in the page:
 * `[name, icon, size, time, href, peer]`, with the time in seconds since 1970. The last two are missing if
 * `href` follows from the name.
 */
function* restAsData(entries: readonly Entry[]): Generator<string> {
  yield `<script type="application/json" data-rest>[`;
  let separator = "";
  for (const batch of batchesOf(entries)) {
    const items = JSON.stringify(batch.map(restItem)).slice(1, -1);
    yield separator + items.replaceAll("<", "\\u003c");
    separator = ",\n";
  }
  yield "]</script>\n";
}

function restItem(entry: Entry): (string | number | null)[] {
  const { name, size, modified, remote } = entry;
  const shown = visibleText(name.toWellFormed());
  const item = [shown, iconOf(entry), size, modified === null ? null : Math.floor(modified / 1000)];
  if (remote !== undefined) item.push(peerHref(remote.href) ?? "", remote.peer);
  else if (shown !== name) item.push(relativeHref(entry));
  return item;
}

function filesPart(listing: Listing, path: string): Html {
  const { segments, entries, context: { configuration }, search, shown } = listing;
  const isEmpty = entries.length === 0;
  const hasTable = !isEmpty || (segments.length > 0 && search === null);
  return html`
    <div class="tools">
    ${isEmpty && search === null ? null : searchBox(search)}
    <p class="totals" data-totals role="status">${totalsText(listing)}</p>
    ${search === null ? archiveLinks(configuration.archives) : null}</div>
    ${hasTable ? listingTable(listing, path) : null}
    ${isEmpty
      ? html`<p class="empty">${
        search === null ? "This directory is empty." : "Nothing was found."
      }</p>`
      : null}
    ${shown === null ? null : partLinks(listing, shown)}${new Html(restMark)}
  `;
}

/** The search box. Without script it only searches; with the script it filters the rows too. */
function searchBox(search: ListedSearch | null): Html {
  return html`
    <form class="search" role="search" method="get" data-search>
      <label class="unseen" for="search">Search by name, here and below</label>
      <input id="search" type="search" name="search" value="${search?.text ?? ""}"
        placeholder="Search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/" required>
      <button class="second">Search</button>
    </form>
  `;
}

/** The links to the other parts of a long listing, for browsers without script. */
function partLinks({ order, entries, search }: Listing, shown: ShownRows): Html {
  const { first } = shown;
  const last = first + shown.count;
  const query = queryOf(order, search?.text ?? null);
  const link = (from: number, text: string): Html =>
    html`<a href="${query}&amp;from=${from}">${text}</a>`;
  const before = first === 0 ? null : link(Math.max(0, first - shown.count), "Previous");
  const after = last >= entries.length ? null : link(last, "Next");
  return html`
    <p class="parts" data-parts>Rows ${first + 1} to ${last} of ${entries.length}.
    ${before} ${after}</p>
  `;
}

function breadcrumb({ segments, search, context, phoneAddress }: Listing): Html {
  const { hostName } = context.configuration;
  const items = segments.map((segment, index) => {
    const mark = index === segments.length - 1 && search === null ? currentPage : null;
    const href = encodePath(segments.slice(0, index + 1)) + "/";
    return html`<li><a href="${href}"${mark}><bdi>${visibleText(segment)}</bdi></a></li>`;
  });
  const mark = segments.length === 0 && search === null ? currentPage : null;
  const label = hostName === "" ? "Home" : `Home: ${hostName}`;
  const result = search === null
    ? null
    : html`<li><span aria-current="page">Search: <bdi>${
      visibleText(search.text)
    }</bdi></span></li>`;
  return html`<ol><li><a href="/" aria-label="${label}"${mark}>${
    hostName === "" ? label : hostName
  }</a></li>${items}${result}</ol>${
    phoneAddress === null || search !== null ? null : phoneCode(phoneAddress)
  }`;
}

/** The button for the QR code. The picture is loaded only when it is shown. */
function phoneCode(address: string): Html {
  return html`
    <button class="second code" type="button" popovertarget="code">QR code</button>
    <div id="code" popover role="dialog" aria-label="QR code of this page">
      <img src="?page=qr" alt="QR code of the address below" loading="lazy" width="240" height="240">
      <p><bdi>${visibleText(decodeAddress(address))}</bdi></p>
      <button type="button" popovertarget="code" popovertargetaction="hide">Close</button>
    </div>
  `;
}

/** Decodes the percent encoding of a URL, if it is valid. */
function decodeAddress(address: string): string {
  try {
    return decodeURI(address);
  } catch {
    return address;
  }
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
    <div class="archives" data-archives><span id="archives">Download all as</span>
    <ul aria-labelledby="archives">${links}</ul></div>
  `;
}

function listingTable({ segments, order, entries, search, shown }: Listing, path: string): Html {
  const parent = html`
    <tr class="parent">
      <th scope="row"><a class="up" href="../">Parent directory</a></th>
      ${columns.map(() => html`<td></td>`)}
    </tr>
  `;
  // Count the rows of the header and the parent directory too.
  const rows = shown === null ? null : new Html(` aria-rowcount="${entries.length + 2}"`);
  const caption = search === null ? `Files and directories in ${path}` : `Found in ${path}`;
  return html`
    <table class="listing" data-listing${rows}>
      <caption class="unseen">${caption}</caption>
      <thead>
        <tr>
    ${[null, ...columns].map((column) => columnHead(column, order, search?.text ?? null))}
        </tr>
      </thead>
      <tbody>
    ${segments.length === 0 || search !== null ? null : parent}${rowsMark}</tbody>
    </table>
  `;
}

/** Returns the heading of a column. @param column null for the name. */
function columnHead(column: Column | null, order: ListingOrder, search: string | null): Html {
  const isSorted = order.column === column;
  const next = { column, descending: isSorted ? !order.descending : column !== null };
  const direction = order.descending ? "descending" : "ascending";
  const sorted = isSorted ? new Html(` aria-sort="${direction}"`) : null;
  const link = html`<a href="${queryOf(next, search)}">${column?.heading ?? "Name"}</a>`;
  return html`
    <th scope="col" class="${column?.name ?? "name"}" ${sorted}>${link}</th>
  `;
}

function entryRow(entry: Entry): string {
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
