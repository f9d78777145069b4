/** Builds configurations of shared trees. */

import type { Share, TreeConfiguration } from "../../../src/quickserve/configuration.ts";

/** Returns a share with the given sources. */
export function share(path: string, ...sources: string[]): Share {
  return { path, sources, packageCache: false };
}

/** Returns the configuration of a tree with the given shares. */
export function treeOf(
  shares: readonly Share[],
  options: Partial<TreeConfiguration> = {},
): TreeConfiguration {
  return { shares, filters: [], showHidden: false, followLinks: false, ...options };
}
