/** What the three forms of a listing (page, data, table) are written from. */

import type { ListenConfiguration } from "../../http/configuration.ts";
import type { PagesConfiguration } from "../configuration.ts";
import type { SearchResult } from "../search.ts";
import type { Entry } from "../shared.ts";
import type { ListingOrder } from "./entries.ts";
import type { PageContext } from "./layout.ts";
import type { FormPlace } from "./upload.ts";

/** What pages of directories need to know about the server. */
export interface ListingContext extends PageContext {
  readonly configuration: PagesConfiguration;
  /** Where the server listens. */
  readonly listen: Pick<ListenConfiguration, "address" | "ipv6">;
}

/** A search whose results are listed. */
export interface ListedSearch {
  /** What was looked for, as the reader wrote it. */
  readonly text: string;
  readonly endedBy: SearchResult["endedBy"];
}

/** Which of the entries a page shows at first. */
export interface ShownRows {
  readonly first: number;
  readonly count: number;
}

/** A directory, ready to be written in any form. */
export interface Listing {
  readonly segments: readonly string[];
  /** The directory's path, encoded, with slashes at both ends. */
  readonly path: string;
  /** Sorted. */
  readonly entries: readonly Entry[];
  readonly order: ListingOrder;
  readonly context: ListingContext;
  /** Where the form on the page uploads to; null without a form. */
  readonly place: FormPlace | null;
  /** Null: these are the entries of the directory. Else their names are paths below it. */
  readonly search: ListedSearch | null;
  /** Null: the page shows all entries. */
  readonly shown: ShownRows | null;
  /** The directory's address for a phone; null without a QR code. */
  readonly phoneAddress: string | null;
}
