/** Finds the directories of the shared tree that accept uploads: the upload directory and all below it. */

import { isInside, realPathOrNull } from "../../files.ts";
import { encodePath } from "../../http/target.ts";
import type { Share } from "../configuration.ts";
import type { SharedTree } from "../tree.ts";

/** A directory that accepts uploads. */
export interface UploadPlace {
  /** Absolute local path. */
  readonly directory: string;
  /** Its path on the server, encoded, with slashes at both ends; null when it is not shared. */
  readonly path: string | null;
}

/** The directories of one server that accept uploads. */
export class UploadPlaces {
  readonly #directory: string;
  readonly #shares: readonly Share[];
  readonly #tree: Pick<SharedTree, "lookup">;

  /** @param directory the upload directory. */
  constructor(directory: string, shares: readonly Share[], tree: Pick<SharedTree, "lookup">) {
    this.#directory = directory;
    this.#shares = shares;
    this.#tree = tree;
  }

  /** The upload directory itself: the default for uploads that name no other directory. */
  get main(): UploadPlace {
    return { directory: this.#directory, path: this.#pathOfMain() };
  }

  /**
   * Returns the place at a path of the tree; null when there is no directory that accepts uploads. A link
   * that leads out of the upload directory does not count as inside of it.
   */
  at(segments: readonly string[]): UploadPlace | null {
    const found = this.#tree.lookup(segments);
    if (found?.kind !== "directory") return null;
    const directory = found.localPaths.find((path) => this.#contains(path));
    if (directory === undefined) return null;
    return { directory, path: segments.length === 0 ? "/" : `${encodePath(segments)}/` };
  }

  #contains(path: string): boolean {
    const [real, own] = [realPathOrNull(path), realPathOrNull(this.#directory)];
    return real !== null && own !== null && isInside(real, own);
  }

  #pathOfMain(): string | null {
    for (const { path, sources } of this.#shares) {
      const source = sources.find((source) => isInside(this.#directory, source));
      if (source === undefined) continue;
      const below = this.#directory.slice(source.length).split("/");
      const segments = [...path.split("/"), ...below].filter((name) => name !== "");
      const place = this.at(segments);
      if (place !== null) return place.path;
    }
    return null;
  }
}
