/** The data from which the three representations of a listing are written: HTML, JSON and text. */

import type { ListenConfiguration } from "../../http/configuration.ts";
import type { PagesConfiguration } from "../configuration.ts";
import type { SearchResult } from "../search.ts";
import type { Entry } from "../shared.ts";
import type { ListingOrder } from "./entries.ts";
import type { PageContext } from "./layout.ts";
import type { FormPlace } from "./upload.ts";

/** The facts about the server that pages of directories need. */
export interface ListingContext extends PageContext {
  readonly configuration: PagesConfiguration;
  /** The address on which the server listens. */
  readonly listen: Pick<ListenConfiguration, "address" | "ipv6">;
}

/** The search whose results are listed. */
export interface ListedSearch {
  /** The search text as the reader wrote it. */
  readonly text: string;
  readonly endedBy: SearchResult["endedBy"];
}

/** The range of entries that a page shows as rows. */
export interface ShownRows {
  readonly first: number;
  readonly count: number;
}

/** The content of a directory, independent of its representation. */
export interface Listing {
  readonly segments: readonly string[];
  /** The directory's path, encoded, with slashes at both ends. */
  readonly path: string;
  /** Sorted. */
  readonly entries: readonly Entry[];
  readonly order: ListingOrder;
  readonly context: ListingContext;
  /** The place to which the page's form uploads; null without a form. */
  readonly place: FormPlace | null;
  /** Null for a listing. For a search, the names of the entries are paths below the directory. */
  readonly search: ListedSearch | null;
  /** Null when the page shows all entries. */
  readonly shown: ShownRows | null;
  /** The URL of the directory for a phone; null without a QR code. */
  readonly phoneAddress: string | null;
}
