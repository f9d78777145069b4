/** What is found in the shared tree. */

/** A file of the shared tree, as it was when it was looked up. */
export interface SharedFile {
  readonly kind: "file";
  /** Its path in the tree: `["pkg", "foo-1-1-any.pkg.tar.zst"]`. */
  readonly segments: readonly string[];
  /** Absolute local path, as it follows from the share: links in it are not resolved. */
  readonly localPath: string;
  /** In bytes. */
  readonly size: number;
  /** Time of the last change of its content, in milliseconds since 1970. */
  readonly modified: number;
  /** Time of the last change of its inode (the kernel keeps it, no program can set it), likewise. */
  readonly changed: number;
  readonly device: number;
  readonly inode: number;
}

/** A directory of the shared tree: it may be merged from several, or exist in the tree alone. */
export interface SharedDirectory {
  readonly kind: "directory";
  /** Its path in the tree; empty for the root. */
  readonly segments: readonly string[];
  /** The local directories that are merged in it, in order; none for one that only leads to shares. */
  readonly localPaths: readonly string[];
  /** The latest change of any of {@link localPaths}, in milliseconds since 1970; null without any. */
  readonly modified: number | null;
}

/** One line of a directory's listing. */
export interface Entry {
  readonly name: string;
  readonly kind: "file" | "directory";
  /** In bytes; null for a directory, and where a peer does not say. */
  readonly size: number | null;
  /** Milliseconds since 1970; null for a directory that only leads to shares. */
  readonly modified: number | null;
  /** Where the entry is, if not here: with `--list-remote` only. */
  readonly remote?: {
    /** URL of the peer: `http://10.0.0.2:8000/`. */
    readonly peer: string;
    /** URL of the entry there. */
    readonly href: string;
  };
}
