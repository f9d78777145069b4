/**
 * The columns of a listing after the name, in this order in each form of it: the page, the data and the
 * table for a terminal are all written from {@link columns}. Another column is another item of it.
 */

import type { Entry } from "../shared.ts";
import { exactSize, humanSize, isoTime, shortTime } from "./display.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";

/** A column of a listing. */
export interface Column {
  /** What `?sort=` calls it; the class of its heading in the page. */
  readonly name: string;
  /** Name of its field in the data. */
  readonly field: string;
  readonly heading: Html;
  /** In the table for a terminal: its heading, as wide as the column; the side of the spaces counts. */
  readonly textHeading: string;
  /** What the entries are sorted by. Those of which it is not known come first. */
  order(entry: Entry): number;
  /** As data; null where it is not known. */
  data(entry: Entry): string | number | null;
  /** HTML of the cell; empty where it is not known. */
  cell(entry: Entry): string;
  /** For a terminal; null where it is not known. */
  text(entry: Entry): string | null;
}

/** In bytes; a directory has none. */
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

/** Time of the last change in ISO 8601, UTC, to the second. */
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

/** All columns but the name, which is first in the page, and last for a terminal. */
export const columns: readonly Column[] = [size, time];
