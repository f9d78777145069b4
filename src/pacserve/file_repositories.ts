/** Serves repositories whose servers are all `file:` URLs from their directories. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { FileReplies } from "../quickserve/file_reply.ts";
import { SharedTree } from "../quickserve/tree.ts";
import type { PacmanConfiguration } from "../pacman/configuration.ts";
import { isDatabaseOf, isPackageOrItsSignature } from "./address.ts";
import { directoriesOf, type Self } from "./servers.ts";

/**
 * Serves the packages and databases of such repositories, and their signatures. Other files in the
 * directories are not served.
 */
export class FileRepositories {
  readonly #tree: SharedTree;
  readonly #replies: FileReplies;
  /** The path in the tree of each repository. It is not the repository's name, which may contain `/`. */
  readonly #places: ReadonlyMap<string, string>;

  constructor(configuration: PacmanConfiguration, self: Self) {
    const places = new Map<string, string>();
    const shares = [];
    for (const repository of configuration.repositories) {
      const sources = directoriesOf(repository, self);
      if (sources.length === 0) continue;
      const path = String(places.size);
      places.set(repository.name, path);
      shares.push({ path, sources, packageCache: true });
    }
    this.#places = places;
    // The `core.db` of repo-add is a link to an archive in the same directory. No other links are followed.
    this.#tree = new SharedTree({ shares, filters: [], showHidden: false, followLinks: false });
    this.#replies = new FileReplies(this.#tree, "file repository");
  }

  /** Returns the reply with a file; null when the repository is not served here, or lacks the file. */
  reply(repository: string, file: string, request: HttpRequest): Reply | Promise<Reply> | null {
    const place = this.#places.get(repository);
    if (place === undefined) return null;
    if (!isPackageOrItsSignature(file) && !isDatabaseOf(repository, file)) return null;
    const found = this.#tree.lookup([place, file]);
    return found?.kind === "file" ? this.#replies.reply(found, request) : null;
  }

  /** Frees cached files. */
  close(): void {
    this.#replies.close();
  }
}
