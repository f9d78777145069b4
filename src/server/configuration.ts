/** The whole configuration that the main thread sends to the worker. Plain data. */

import type { AuthConfiguration } from "../auth/configuration.ts";
import type { AdmissionConfiguration, ListenConfiguration } from "../http/configuration.ts";
import type { PacserveConfiguration } from "../pacserve/configuration.ts";
import type { PeersConfiguration } from "../peers/configuration.ts";
import type {
  PagesConfiguration,
  TreeConfiguration,
  UploadConfiguration,
} from "../quickserve/configuration.ts";
import type { StatusConfiguration } from "../status/configuration.ts";

/** Configuration of the log. */
export interface LogConfiguration {
  /**
   * `quiet`: errors and warnings; `normal`: also a line for each request; `verbose`: also the events of
   * peers, and why a source was chosen.
   */
  readonly level: "quiet" | "normal" | "verbose";
  /** True to begin each line with a `<priority>` for the journal (sd-daemon(3)). */
  readonly journal: boolean;
}

/** The configuration of a running server. */
export interface ServerConfiguration {
  readonly program: "pacserve" | "quickserve";
  /** The names of this host (`ownNames` in `http/own_names.ts`). */
  readonly hostNames: readonly string[];
  readonly listen: ListenConfiguration;
  readonly admission: AdmissionConfiguration;
  readonly auth: AuthConfiguration;
  readonly tree: TreeConfiguration;
  /** Null: no uploads. */
  readonly uploads: UploadConfiguration | null;
  readonly pages: PagesConfiguration;
  readonly peers: PeersConfiguration;
  /** Null in quickserve. */
  readonly pacserve: PacserveConfiguration | null;
  /** Null: there is no page of the status, and no metrics. */
  readonly status: StatusConfiguration | null;
  readonly log: LogConfiguration;
}
