/** The files, directories and entries of the shared tree. */

/** A file of the shared tree, with its state at the look-up. */
export interface SharedFile {
  readonly kind: "file";
  /** Its path in the tree: `["pkg", "foo-1-1-any.pkg.tar.zst"]`. */
  readonly segments: readonly string[];
  /** Absolute local path: the share's path and the names below it, without resolving links. */
  readonly localPath: string;
  /** In bytes. */
  readonly size: number;
  /** Time of the last change of its content, in milliseconds since 1970. */
  readonly modified: number;
  /** Time of the last change of its inode (ctime, which no program can set), in milliseconds since 1970. */
  readonly changed: number;
  readonly device: number;
  readonly inode: number;
}

/** A directory of the shared tree: one or more local directories, merged, or only a way to shares. */
export interface SharedDirectory {
  readonly kind: "directory";
  /** Its path in the tree; empty for the root. */
  readonly segments: readonly string[];
  /** The local directories that are merged in it, in order; empty if it only leads to shares. */
  readonly localPaths: readonly string[];
  /** The latest change of any of {@link localPaths}, in milliseconds since 1970; null if there are none. */
  readonly modified: number | null;
}

/** One line of a directory's listing. */
export interface Entry {
  readonly name: string;
  readonly kind: "file" | "directory";
  /** In bytes; null for a directory, and when a peer does not report it. */
  readonly size: number | null;
  /** Milliseconds since 1970; null for a directory that only leads to shares. */
  readonly modified: number | null;
  /** Set only with `--list-remote`, for an entry of a peer. */
  readonly remote?: {
    /** URL of the peer: `http://10.0.0.2:8000/`. */
    readonly peer: string;
    /** URL of the entry on the peer. */
    readonly href: string;
  };
}
