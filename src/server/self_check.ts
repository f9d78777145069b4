/** Checks the running server from inside, for `pacserve-status --check` (`doctor/`). */

import { fileProblem } from "../failure.ts";
import { isPlaceholder } from "../files.ts";
import type { ExpectedFiles } from "../pacserve/expected_files.ts";
import type { SpoolConfiguration } from "../pacserve/configuration.ts";
import { SpoolDirectory } from "../pacserve/relay/spool.ts";
import type { Echo } from "../peers/discovery.ts";
import type { PeerRow, Peers, Visit } from "../peers/peers.ts";
import type { PeerPlaces } from "../peers/places.ts";
import type { ServerConfiguration } from "./configuration.ts";
import { join } from "../std.ts";

/** A directory of packages as the server sees it. */
interface CheckedCache {
  readonly directory: string;
  /** Number of packages in it. */
  readonly packages: number;
  /** Which path cannot be read, and why; null when all can be read. */
  readonly problem: string | null;
}

/** The directory of the spools. */
interface CheckedSpool {
  readonly directory: string;
  /** Free space of its disk in bytes. */
  readonly free: number;
  /** Greatest size of all spools in bytes (`--spool-size`). */
  readonly limit: number;
  /** True when the server can create a file there. */
  readonly isUsable: boolean;
}

/** The version of the form of {@link SelfCheck}, because server and doctor may have different versions. */
export const SELF_CHECK_FORMAT = 1;

/** The report of the server about itself. Plain data, which is sent as JSON. */
export interface SelfCheck {
  readonly format: typeof SELF_CHECK_FORMAT;
  readonly version: string;
  /** Identity of the running server, which its replies to peers contain, too. */
  readonly instance: string;
  readonly peers: readonly PeerRow[];
  readonly places: PeerPlaces;
  /** For each means and interface, whether the announcement for this check came back. */
  readonly echoes: readonly Echo[];
  readonly visit: Visit | null;
  readonly caches: readonly CheckedCache[];
  /** For each repository with a database, whether it can be read; null while they are being read. */
  readonly databases: Readonly<Record<string, boolean>> | null;
  /** Null when nothing is stored on disk. */
  readonly spool: CheckedSpool | null;
  /** True with `--redirect`. Then no spool is needed. */
  readonly redirects: boolean;
}

/** Matches the names of packages with any compression. */
const PACKAGE = /\.pkg\.tar(?:\.\w+)?$/;

/** At most this many packages of a directory are opened. More are unlikely to show another fault. */
const MAX_TRIED = 2_000;

/** Runs all checks concurrently. It takes at most three seconds. */
export async function selfCheck(
  { pacserve, pages }: ServerConfiguration,
  peers: Peers,
  expected: Pick<ExpectedFiles, "readable">,
): Promise<SelfCheck> {
  const [{ echoes, visit }, caches, databases, spool] = await Promise.all([
    announce(peers),
    Promise.all((pacserve?.pacman.cacheDirectories ?? []).map(checkCache)),
    expected.readable(),
    checkSpool(pacserve?.spool ?? null),
  ]);
  return {
    format: SELF_CHECK_FORMAT,
    version: pages.version,
    instance: peers.instance,
    peers: peers.rows(),
    places: peers.places(),
    echoes,
    visit,
    caches,
    databases: databases === null ? null : Object.fromEntries(databases),
    spool,
    redirects: pacserve?.redirect === true,
  };
}

/** Announces the server first, because the announcement makes peers send requests. */
async function announce(peers: Peers): Promise<Pick<SelfCheck, "echoes" | "visit">> {
  const echoes = await peers.echoes();
  return { echoes, visit: await peers.lastVisit() };
}

async function checkCache(directory: string): Promise<CheckedCache> {
  let packages = 0;
  let unreadable = 0;
  let problem: string | null = null;
  try {
    if (isPlaceholder(await Deno.stat(directory))) {
      return { directory, packages, problem: "the unit does not show it to the service" };
    }
    for await (const { name, isFile } of Deno.readDir(directory)) {
      if (!isFile || !PACKAGE.test(name)) continue;
      if (++packages > MAX_TRIED) continue;
      try {
        (await Deno.open(join(directory, name))).close();
      } catch (error) {
        // It may have been removed meanwhile.
        if (error instanceof Deno.errors.NotFound) continue;
        unreadable++;
        problem ??= `${name}: ${fileProblem(error)}`;
      }
    }
  } catch (error) {
    problem = fileProblem(error);
  }
  const more = unreadable > 1 ? `, and ${unreadable - 1} more` : "";
  return { directory, packages, problem: problem === null ? null : problem + more };
}

async function checkSpool(spool: SpoolConfiguration | null): Promise<CheckedSpool | null> {
  if (spool === null) return null;
  const { directory, size: limit } = spool;
  try {
    const { statfs } = await import("node:fs/promises");
    const { bavail, bsize } = await statfs(directory);
    const tried = new SpoolDirectory(directory, limit).create(1);
    tried?.close();
    return { directory, free: bavail * bsize, limit, isUsable: tried !== null };
  } catch {
    return { directory, free: 0, limit, isUsable: false };
  }
}
