/**
 * What the workers may do: the one that parses requests from the network, and the one that reads
 * pacman's sync databases.
 *
 * Deno's read scope looks at the path that is asked for and follows symbolic links out of it; links
 * are the shared tree's business, and that of the mount namespace of the systemd unit.
 */

import { type PacmanConfiguration, syncDirectory } from "../pacman/configuration.ts";
import { Network } from "../http/network.ts";
import { fileRepositoryDirectories, Self } from "../pacserve/servers.ts";
import { realPath } from "../files.ts";
import type { ServerConfiguration } from "./configuration.ts";

/** Permissions of the network worker, in the form of Deno's `deno.permissions` option. */
export interface Scope {
  /** Clients, peers and mirrors may be anywhere. */
  readonly net: true;
  /** Absolute paths, sorted. */
  readonly read: readonly string[];
  /** Absolute paths, sorted. */
  readonly write: readonly string[];
  readonly sys: readonly ("networkInterfaces" | "statfs")[];
  readonly env: false;
  readonly run: false;
  readonly ffi: false;
  readonly import: false;
}

/** Permissions of the worker that reads sync databases, in the same form. */
interface DatabaseScope {
  readonly net: false;
  /** Absolute paths, sorted. */
  readonly read: readonly string[];
  readonly write: false;
  readonly sys: false;
  readonly env: false;
  readonly run: false;
  readonly ffi: false;
  readonly import: false;
}

/** The directory of the sync databases, and nothing else: an unsigned database may be anybody's work. */
export function databaseScope(pacman: PacmanConfiguration): DatabaseScope {
  return {
    net: false,
    read: withRealPaths([syncDirectory(pacman)]),
    write: false,
    sys: false,
    env: false,
    run: false,
    ffi: false,
    import: false,
  };
}

/** The least that a worker needs to serve a configuration. */
export function workerScope(configuration: ServerConfiguration): Scope {
  const uploads = configuration.uploads === null ? [] : [configuration.uploads.directory];
  const spool = configuration.pacserve?.spool ?? null;
  const written = spool === null ? uploads : [...uploads, spool.directory];
  const shared = configuration.tree.shares.flatMap((share) => share.sources);
  return {
    net: true,
    read: withRealPaths([...shared, ...repositories(configuration), ...written]),
    write: withRealPaths(written),
    sys: spool === null ? ["networkInterfaces"] : ["networkInterfaces", "statfs"],
    env: false,
    run: false,
    ffi: false,
    import: false,
  };
}

/** Directories of `file:` repositories, which are served although they are no shares. */
function repositories({ pacserve }: ServerConfiguration): string[] {
  if (pacserve === null) return [];
  const self = new Self([pacserve.port], pacserve.hostNames, new Network());
  return fileRepositoryDirectories(pacserve.pacman, self);
}

/** True when a worker with one scope can do the work of the other. */
export function sameScope(one: Scope, other: Scope): boolean {
  return sameList(one.read, other.read) && sameList(one.write, other.write);
}

/**
 * The paths and where they lead, sorted: what is served is compared with the real path. If a
 * path does not exist yet, and a link appears there later, the target of that link is not in the scope.
 */
function withRealPaths(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => [path, realPath(path)]))].sort();
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((path, index) => path === other[index]);
}
