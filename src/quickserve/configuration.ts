/** What the shared tree is made of. Plain data: it crosses from the main thread into the worker. */

/** A path of the shared tree and what is found there. */
export interface Share {
  /** Path in the tree, without slashes at its ends: `pkg`, `a/b/c`; `""` is the root itself. */
  readonly path: string;
  /**
   * Absolute local paths. One that is a file is what the path leads to; directories are merged, the
   * first one in the list that has a name wins it. Sources that do not exist (yet) are passed over.
   */
  readonly sources: readonly string[];
  /** Leave out what pacman has not finished: `*.part` and `download-*` directories. */
  readonly packageCache: boolean;
}

/** One line of `--filter` or `--filterlist`. */
export interface FilterRule {
  readonly action: "include" | "exclude";
  /** A regular expression in RE2 syntax, searched in the server path (`/dir/name`). */
  readonly expression: string;
}

/** Everything that decides what exists on the server. */
export interface TreeConfiguration {
  /** Shares of the same path are merged in this order. */
  readonly shares: readonly Share[];
  /** In the order of application: the last rule that matches decides. */
  readonly filters: readonly FilterRule[];
  readonly showHidden: boolean;
  /** Follow symbolic links that lead out of what is shared. */
  readonly followLinks: boolean;
}

/** Where uploads go. */
export interface UploadConfiguration {
  /** Absolute path of an existing directory. */
  readonly directory: string;
  readonly allowOverwrite: boolean;
  /** Greatest size of one upload in bytes; null for no limit. */
  readonly maximumSize: number | null;
}

/** Formats of archives by the name that `--tar` and `?tar=` give them. */
export const ARCHIVE_FORMATS = ["none", "gz", "zst", "zip"] as const;

/** A format: tar (`none`), compressed tar (`gz`, `zst`), or `zip`. */
export type ArchiveFormat = typeof ARCHIVE_FORMATS[number];

/** What the pages show. */
export interface PagesConfiguration {
  /** `Pacserve` or `Quickserve`. */
  readonly title: string;
  readonly version: string;
  /** Name of this host, for the heading; empty when it has none. */
  readonly hostName: string;
  /** Message of the day: plain text; null for none. */
  readonly motd: string | null;
  /** Name of the file that stands for its directory when that is asked for; null for none. */
  readonly index: string | null;
  /** Merge the listings of the peers into ours. */
  readonly listRemote: boolean;
  /** Archive formats on offer, in the order of the page: `none`, `gz`, `zst`, `zip`… */
  readonly archives: readonly string[];
  /** The files are a website of the user's own (`--root`), which may run its script but for uploads. */
  readonly website: boolean;
}
