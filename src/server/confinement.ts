/**
 * Computes the permissions of the two workers: the network worker, which parses requests, and the
 * worker that reads pacman's sync databases.
 *
 * Deno's read permission checks only the path that is opened, and follows symbolic links that lead out
 * of the permitted directories. Links are therefore checked by the shared tree, and by the mount
 * namespace of the systemd unit.
 */

import { type PacmanConfiguration, syncDirectory } from "../pacman/configuration.ts";
import { Network } from "../http/network.ts";
import { fileRepositoryDirectories, Self } from "../pacserve/servers.ts";
import { realPath } from "../files.ts";
import type { ServerConfiguration } from "./configuration.ts";

/** Permissions of a worker, as in Deno's option `deno.permissions`. Paths are absolute, and sorted. */
export interface Scope {
  /** True: not restricted, because clients, peers and mirrors may have any address. */
  readonly net: boolean;
  readonly read: string[];
  readonly write: string[];
  readonly sys: ("networkInterfaces" | "statfs")[];
  readonly env: false;
  readonly run: false;
  readonly ffi: false;
  readonly import: false;
}

/** The permissions that no worker has. */
const NEVER = { env: false, run: false, ffi: false, import: false } as const;

/**
 * The permissions to read sync databases: only their directory, because an unsigned database may have
 * been forged to attack the worker.
 */
export function databaseScope(pacman: PacmanConfiguration): Scope {
  const read = withRealPaths([syncDirectory(pacman)]);
  return { net: false, read, write: [], sys: [], ...NEVER };
}

/** The least permissions that the network worker needs to serve a configuration. */
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
    ...NEVER,
  };
}

/** Directories of `file:` repositories, which are served although they are not shares. */
function repositories({ pacserve }: ServerConfiguration): string[] {
  if (pacserve === null) return [];
  const self = new Self([pacserve.port], pacserve.hostNames, new Network());
  return fileRepositoryDirectories(pacserve.pacman, self);
}

/** True when two scopes permit the same paths. */
export function sameScope(one: Scope, other: Scope): boolean {
  return sameList(one.read, other.read) && sameList(one.write, other.write);
}

/**
 * The paths together with their real paths, sorted. Both are needed, because the tree compares what it
 * serves with the real path. If a path does not exist yet, and a link is created there later, the target
 * of that link is not permitted.
 */
function withRealPaths(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => [path, realPath(path)]))].sort();
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((path, index) => path === other[index]);
}
