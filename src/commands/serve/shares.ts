/** The shares of a server by its options: paths, filelists, `--root`, the package caches, and the filters. */

import type { PacserveConfiguration } from "../../pacserve/configuration.ts";
import type {
  FilterRule,
  Share,
  TreeConfiguration,
  UploadConfiguration,
} from "../../quickserve/configuration.ts";
import { type GivenNames, parseFilelist, positionalShares } from "../../quickserve/filelist.ts";
import { parseFilterList, parseFilterOptions } from "../../quickserve/filters.ts";
import type { ParsedOptions } from "../parse.ts";
import { type ConfigurationSources, requireDirectory, requirePath } from "./user_files.ts";
import { resolve } from "../../std.ts";

/**
 * Returns the shared tree of a server.
 *
 * @throws {Failure} when a path does not exist, two paths have the same name, or a list cannot be parsed.
 */
export async function treeSettings(
  options: ParsedOptions,
  pacserve: PacserveConfiguration | null,
  uploads: UploadConfiguration | null,
  sources: ConfigurationSources,
): Promise<TreeConfiguration> {
  const root = options.value("root");
  return {
    shares: root === undefined
      ? await listedShares(options, pacserve, uploads, sources)
      : [await rootShare(root, options, pacserve, sources)],
    filters: await filterSettings(options, sources),
    showHidden: options.has("show-hidden"),
    followLinks: options.has("follow-links"),
  };
}

async function rootShare(
  root: string,
  options: ParsedOptions,
  pacserve: PacserveConfiguration | null,
  sources: ConfigurationSources,
): Promise<Share> {
  if (options.positional.length > 0 || options.has("filelist")) {
    sources.warnings.push("--root is given: other paths and filelists are ignored");
  }
  if (pacserve !== null) {
    sources.warnings.push("--root is given: the package caches are not shared");
  }
  await requireDirectory("--root", root);
  await sources.expect("--root", resolve(root));
  return { path: "", sources: [resolve(root)], packageCache: false };
}

async function listedShares(
  options: ParsedOptions,
  pacserve: PacserveConfiguration | null,
  uploads: UploadConfiguration | null,
  sources: ConfigurationSources,
): Promise<Share[]> {
  await Promise.all(options.positional.map(requirePath));
  const given: GivenNames = new Map();
  let shares = positionalShares(options.positional, Deno.cwd(), given);
  await expectAll("cannot share", shares, sources);
  for (const list of options.all("filelist")) {
    const text = await sources.read("--filelist", list);
    const listed = await parseFilelist(text, resolve(list), given);
    await expectAll(`--filelist ${list} names`, listed, sources);
    // `push` with as many arguments as a filelist can have overflows the stack.
    shares = shares.concat(listed);
  }
  if (pacserve !== null) return [...cacheShares(pacserve), ...shares.map(mergedWithCache)];
  // Without any path to share, share the current directory, as other file servers do.
  if (shares.length === 0 && uploads === null && !options.has("filelist")) {
    const here: Share = { path: "", sources: [Deno.cwd()], packageCache: false };
    await expectAll("cannot share", [here], sources);
    return [here];
  }
  return shares;
}

async function expectAll(
  what: string,
  shares: readonly Share[],
  sources: ConfigurationSources,
): Promise<void> {
  for (const path of shares.flatMap((share) => share.sources)) await sources.expect(what, path);
}

/** Returns the share `pkg` with pacman's caches; none on a machine without pacman. */
function cacheShares({ pacman: { cacheDirectories } }: PacserveConfiguration): Share[] {
  if (cacheDirectories.length === 0) return [];
  return [{ path: "pkg", sources: cacheDirectories, packageCache: true }];
}

/** Merges the user's share with the caches if it is called `pkg`; the same rules then apply to it. */
function mergedWithCache(share: Share): Share {
  return share.path === "pkg" ? { ...share, packageCache: true } : share;
}

async function filterSettings(
  options: ParsedOptions,
  sources: ConfigurationSources,
): Promise<FilterRule[]> {
  const rules: FilterRule[] = [];
  for (const path of options.all("filterlist")) {
    rules.push(...await parseFilterList(await sources.read("--filterlist", path), path));
  }
  return [...rules, ...await parseFilterOptions(options.all("filter"))];
}
