/** What the three forms of a listing (page, data, table) are written from. */

import type { PagesConfiguration } from "../configuration.ts";
import type { Entry } from "../shared.ts";
import type { ListingOrder } from "./entries.ts";
import type { PageContext } from "./layout.ts";
import type { FormPlace } from "./upload.ts";

/** What pages of directories need to know about the server. */
export interface ListingContext extends PageContext {
  readonly configuration: PagesConfiguration;
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
}
