/**
 * The columns of a listing after the name. HTML, JSON and the table for a terminal are all written from
 * {@link columns}, in this order. To add a column, add an item to it.
 */

import type { Entry } from "../shared.ts";
import { exactSize, humanSize, isoTime, shortTime } from "./display.ts";
import { type Html, html } from "./html.ts";

/** A column of a listing. */
export interface Column {
  /** Its name in `?sort=`, and the class of its heading in the page. */
  readonly name: string;
  /** Name of its field in JSON. */
  readonly field: string;
  readonly heading: Html;
  /** Its heading in the table for a terminal, as wide as the column; leading spaces align it right. */
  readonly textHeading: string;
  /** Returns the sort key of an entry. Entries without a value come first. */
  order(entry: Entry): number;
  /** Returns the value for JSON; null if unknown. */
  data(entry: Entry): string | number | null;
  /** Returns the HTML of the cell; empty if the value is unknown. */
  cell(entry: Entry): string;
  /** Returns the text for a terminal; null if the value is unknown. */
  text(entry: Entry): string | null;
}

/** The size in bytes; a directory has none. */
const size: Column = {
  name: "size",
  field: "size",
  heading: html`Size`,
  textHeading: "      Size",
  order: ({ size }) => size ?? -1,
  data: ({ size }) => size,
  cell: ({ size }) =>
    size === null
      ? ""
      : `<data value="${size}" title="${exactSize(size)}">${humanSize(size)}</data>`,
  text: ({ size }) => size === null ? null : humanSize(size),
};

/** The time of the last change, in UTC; in JSON as ISO 8601 to the second. */
const time: Column = {
  name: "time",
  field: "modified",
  heading: html`Modified <span data-zone>(UTC)</span>`,
  textHeading: "Modified (UTC)  ",
  order: ({ modified }) => modified ?? -1,
  data: ({ modified }) => modified === null ? null : isoTime(modified),
  cell: (entry) => {
    const iso = time.data(entry);
    return iso === null ? "" : `<time datetime="${iso}">${shortTime(String(iso))}</time>`;
  },
  text: (entry) => {
    const iso = time.data(entry);
    return iso === null ? null : shortTime(String(iso));
  },
};

/** All columns except the name, which comes first in the page and last on a terminal. */
export const columns: readonly Column[] = [size, time];
