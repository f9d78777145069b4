/**
 * What the worker, which parses requests from the network, is let do by the runtime.
 *
 * Deno's read scope looks at the path that is asked for and follows symbolic links out of it; links
 * are the shared tree's business, and that of the mount namespace of the systemd unit.
 */

import { fileRepositoryDirectories } from "../pacserve/servers.ts";
import { realPath } from "../real_path.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { Network } from "./network.ts";

/** Permissions of a worker, in the form of Deno's `deno.permissions` option. */
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
  const network = new Network();
  return fileRepositoryDirectories(pacserve.pacman, {
    ports: [pacserve.port],
    hostNames: pacserve.hostNames,
    isOwnAddress: (address) => network.isOwn(address),
  });
}

/** True when a worker with one scope can do the work of the other. */
export function sameScope(one: Scope, other: Scope): boolean {
  return sameList(one.read, other.read) && sameList(one.write, other.write);
}

/**
 * The paths and where they lead, sorted: what is served is compared with the real path. Of one that
 * does not exist yet, what a link at its place would lead to is not in the scope then.
 */
function withRealPaths(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => [path, realPath(path)]))].sort();
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((path, index) => path === other[index]);
}
