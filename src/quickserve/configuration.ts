/** The configuration of the shared tree. Plain data: it is sent from the main thread to the worker. */

/** A path of the shared tree and the local files that it shows. */
export interface Share {
  /** Path in the tree, without slashes at its ends: `pkg`, `a/b/c`; `""` is the root itself. */
  readonly path: string;
  /**
   * Absolute local paths. If a source is a file, the path shows that file. Directories are merged; if
   * several have the same name in them, the first in the list wins. Missing sources are ignored.
   */
  readonly sources: readonly string[];
  /** Leave out the unfinished downloads of pacman: `*.part` and `download-*` directories. */
  readonly packageCache: boolean;
}

/** One line of `--filter` or `--filterlist`. */
export interface FilterRule {
  readonly action: "include" | "exclude";
  /** A regular expression in RE2 syntax, searched in the server path (`/dir/name`). */
  readonly expression: string;
}

/** The settings that decide which files the server shows. */
export interface TreeConfiguration {
  /** Shares of the same path are merged in this order. */
  readonly shares: readonly Share[];
  /** The last rule that matches decides. */
  readonly filters: readonly FilterRule[];
  readonly showHidden: boolean;
  /** Follow symbolic links that lead out of the shares. */
  readonly followLinks: boolean;
}

/** The settings of uploads. */
export interface UploadConfiguration {
  /** Absolute path of an existing directory. */
  readonly directory: string;
  readonly allowOverwrite: boolean;
  /** The largest allowed size of one upload in bytes; null for no limit. */
  readonly maximumSize: number | null;
}

/** The archive formats, as `--tar` and `?tar=` name them. */
export const ARCHIVE_FORMATS = ["none", "gz", "zst", "zip"] as const;

/** A format: tar (`none`), compressed tar (`gz`, `zst`), or `zip`. */
export type ArchiveFormat = typeof ARCHIVE_FORMATS[number];

/** The settings of the pages. */
export interface PagesConfiguration {
  /** `Pacserve` or `Quickserve`. */
  readonly title: string;
  readonly version: string;
  /** Name of this host, for the heading; empty if the host has no name. */
  readonly hostName: string;
  /** Message of the day: plain text; null for none. */
  readonly motd: string | null;
  /** Name of the file that is sent in place of a directory's listing (`--index`); null for none. */
  readonly index: string | null;
  /** Add the peers' entries to the listings of this server. */
  readonly listRemote: boolean;
  /** The enabled archive formats, in the order of the page: `none`, `gz`, `zst`, `zip`… */
  readonly archives: readonly string[];
  /** The files are the user's website (`--root`): its scripts may run, except in uploaded files. */
  readonly website: boolean;
}
