/** Configurations of shared trees. */

import type { Share, TreeConfiguration } from "../../../src/quickserve/configuration.ts";

/** A share, as the configuration has it. */
export function share(path: string, ...sources: string[]): Share {
  return { path, sources, packageCache: false };
}

/** The configuration of a tree. */
export function treeOf(
  shares: readonly Share[],
  options: Partial<TreeConfiguration> = {},
): TreeConfiguration {
  return { shares, filters: [], showHidden: false, followLinks: false, ...options };
}
