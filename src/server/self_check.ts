/** What the running server finds out about itself, for `pacserve-status --check` (`doctor/`). */

import { join } from "node:path";
import { fileProblem } from "../failure.ts";
import { isPlaceholder } from "../files.ts";
import type { ExpectedFiles } from "../pacserve/expected_files.ts";
import type { SpoolConfiguration } from "../pacserve/configuration.ts";
import { SpoolDirectory } from "../pacserve/relay/spool.ts";
import type { Echo } from "../peers/discovery.ts";
import type { PeerRow, Peers, Visit } from "../peers/peers.ts";
import type { PeerPlaces } from "../peers/places.ts";
import type { ServerConfiguration } from "./configuration.ts";

/** A directory of packages as the server sees it. */
interface CheckedCache {
  readonly directory: string;
  /** Packages in it. */
  readonly packages: number;
  /** What cannot be read, and why; null when all of it can. */
  readonly problem: string | null;
}

/** The directory of the spools. */
interface CheckedSpool {
  readonly directory: string;
  /** Bytes that are free there. */
  readonly free: number;
  /** Bytes that spools may take (`--spool-size`). */
  readonly limit: number;
  /** Whether a file can be made there. */
  readonly isUsable: boolean;
}

/** The form of {@link SelfCheck}: the server and the doctor may be of different versions. */
export const SELF_CHECK_FORMAT = 1;

/** What the server says of itself. Plain data; JSON on the wire. */
export interface SelfCheck {
  readonly format: typeof SELF_CHECK_FORMAT;
  readonly version: string;
  /** Identity of the running server, as its replies to peers have it. */
  readonly instance: string;
  readonly peers: readonly PeerRow[];
  readonly places: PeerPlaces;
  /** Where announcements came back that were made for this check. */
  readonly echoes: readonly Echo[];
  readonly visit: Visit | null;
  readonly caches: readonly CheckedCache[];
  /** Repositories whose databases are there, and whether they can be read; null: reading takes long. */
  readonly databases: Readonly<Record<string, boolean>> | null;
  /** Null: nothing is kept on disk. */
  readonly spool: CheckedSpool | null;
  /** This host's pacman is redirected (`--redirect`): no spool is needed. */
  readonly redirects: boolean;
}

/** Names of packages, whatever they are compressed with. */
const PACKAGE = /\.pkg\.tar(?:\.\w+)?$/;

/** Packages of a directory that are tried; after that, another kind of fault is unlikely. */
const MAX_TRIED = 2_000;

/** Tries everything, side by side. It takes three seconds at the most. */
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

/** An announcement makes peers come by: who came in is looked at after it. */
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
