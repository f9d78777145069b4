/** Everything that the worker is told, in one piece of plain data. */

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

/** What is written about requests. */
export interface LogConfiguration {
  /** `quiet`: errors and warnings; `normal`: a line a request too; `verbose`: peers and decisions too. */
  readonly level: "quiet" | "normal" | "verbose";
  /** Begin each line with the journal's `<priority>` (sd-daemon(3)). */
  readonly journal: boolean;
}

/** The configuration of a running server. */
export interface ServerConfiguration {
  readonly program: "pacserve" | "quickserve";
  /** Names under which this host is known (`ownNames`). */
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
