/** Repositories whose servers are all `file:` addresses: served from those directories. */

import type { HttpRequest, Reply } from "../http/exchange.ts";
import { FileReplies } from "../quickserve/file_reply.ts";
import { SharedTree } from "../quickserve/tree.ts";
import type { PacmanConfiguration } from "../pacman/configuration.ts";
import { isDatabaseOf, isPackageOrItsSignature } from "./address.ts";
import { directoriesOf, type Self } from "./servers.ts";

/**
 * Serves what pacman may ask of such a repository, its packages, databases and their signatures, and
 * nothing else that lies in those directories.
 */
export class FileRepositories {
  readonly #tree: SharedTree;
  readonly #replies: FileReplies;
  /** Places in the tree by the repository's name: a name may have anything in it. */
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
    // repo-add's `core.db` is a link to the archive beside it, which is as far as links may lead.
    this.#tree = new SharedTree({ shares, filters: [], showHidden: false, followLinks: false });
    this.#replies = new FileReplies(this.#tree, "file repository");
  }

  /** The reply with a file of a repository; null when this is no such repository or has no such file. */
  reply(repository: string, file: string, request: HttpRequest): Reply | Promise<Reply> | null {
    const place = this.#places.get(repository);
    if (place === undefined) return null;
    if (!isPackageOrItsSignature(file) && !isDatabaseOf(repository, file)) return null;
    const found = this.#tree.lookup([place, file]);
    return found?.kind === "file" ? this.#replies.reply(found, request) : null;
  }

  /** Lets go of what is kept in memory. */
  close(): void {
    this.#replies.close();
  }
}
