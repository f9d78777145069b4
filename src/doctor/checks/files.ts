/** Checks that the service can read the files that it shares, and has disk space for downloads. */

import { statfs } from "node:fs/promises";
import { exists } from "../../files.ts";
import { syncDirectory } from "../../pacman/configuration.ts";
import { count } from "../../quickserve/pages/display.ts";
import { type Check, listed, NOT_RUNNING, shortList, unknown, well, wrong } from "../check.ts";
import { join } from "../../std.ts";

/** Bytes. With less free space, large packages may not fit. */
const LITTLE = 1 << 30;

/** The directory of the sync databases on Arch. */
const SYNC = "/var/lib/pacman/sync";

/** Returns the cure for a path that the unit hides from the service. */
function showing(path: string): string {
  return `"systemctl edit pacserve": [Service] BindReadOnlyPaths=${path}, then systemctl restart pacserve`;
}

/** `cache`: the service can read the packages in pacman's cache. */
export const cacheCheck: Check = {
  name: "cache",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    if (service.report === null) return unknown("the running pacserve is too old for this check");
    const { caches } = service.report;
    for (const { directory, problem, packages } of caches) {
      const here = await packagesIn(directory);
      if (problem === null && (packages > 0 || here === 0)) continue;
      const isHidden = packages === 0 && here > 0 ||
        /does not show|no such file/.test(problem ?? "");
      return wrong(
        `the service cannot read ${directory}: ${
          problem ?? `it finds none of the ${count(here, "package")} there`
        }`,
        isHidden ? showing(directory) : `chmod a+rX ${directory}, and chmod a+r the files in it`,
      );
    }
    const shared = caches.map(({ directory, packages }) =>
      `${count(packages, "package")} in ${directory}`
    );
    return well(`it shares ${listed(shared)}`);
  },
};

/** `databases`: the service can read the databases, with which it verifies packages. */
export const databasesCheck: Check = {
  name: "databases",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const databases = service.report?.databases ?? null;
    if (databases === null) return unknown("the service has not read the databases yet");
    const pacman = await host.pacman();
    const directory = syncDirectory(pacman);
    const names = pacman.repositories.map(({ name }) => name);
    const there = await namesWhere(names, (name) => exists(`${directory}/${name}.db`));
    if (there.length < names.length) {
      const absent = names.filter((name) => !there.includes(name));
      return wrong(
        `pacman has no database of ${listed(absent)} yet, and packages of it cannot be verified`,
        "pacsrv -Sy",
      );
    }
    const unreadable = names.filter((name) => databases[name] === false);
    const damaged = await namesWhere(
      unreadable,
      (name) => isForAll(directory, `${name}.db`).catch(() => false),
    );
    if (damaged.length > 0) {
      return wrong(
        `the database of ${listed(damaged)} is damaged, and the service verifies no package of it`,
        "pacsrv -Syy, which downloads it again",
      );
    }
    if (unreadable.length > 0) {
      return wrong(
        `the service cannot read the database of ${
          listed(unreadable)
        }, and verifies no package of it`,
        `chmod a+rX ${directory}, and chmod a+r the files in it; journalctl -u pacserve shows the error`,
      );
    }
    const unseen = names.filter((name) => databases[name] === undefined);
    if (unseen.length > 0) {
      return wrong(
        `the service does not see the database of ${listed(unseen)}`,
        // The unit shows this directory if it exists when the service starts.
        directory === SYNC ? "systemctl restart pacserve" : showing(directory),
      );
    }
    return well(`it verifies packages of ${shortList(names, 6)}`);
  },
};

/** `disk`: there is enough disk space for downloads. */
export const diskCheck: Check = {
  name: "disk",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    if (service.report === null) return unknown("the running pacserve is too old for this check");
    const { spool, redirects, caches } = service.report;
    if (!redirects && (spool === null || !spool.isUsable)) {
      const where = spool === null
        ? "it has no spool directory"
        : `${spool.directory} cannot be used`;
      return wrong(
        `${where}: downloads are buffered in memory, 2 MiB each`,
        "free some disk space, or name another directory with --spool-directory",
      );
    }
    const directories = new Map(caches.map(({ directory }) => [directory, "pacman's cache"]));
    const full = spool !== null && spool.free < LITTLE ? [`${spool.directory} (spool)`] : [];
    for (const [directory, name] of directories) {
      if (await freeIn(directory) < LITTLE) full.push(`${directory} (${name})`);
    }
    if (full.length > 0) {
      return wrong(
        `less than 1 GiB is free in ${listed(full)}`,
        "remove old packages with paccache -r",
      );
    }
    return well(
      spool === null
        ? "there is enough free space in the cache"
        : `${gibibytes(spool.free)} GiB are free for downloads`,
    );
  },
};

/** Returns the number of packages in a directory; 0 if this user cannot read it. */
async function packagesIn(directory: string): Promise<number> {
  let packages = 0;
  try {
    for await (const { name } of Deno.readDir(directory)) if (/\.pkg\.tar/.test(name)) packages++;
  } catch {
    return 0;
  }
  return packages;
}

/** True when all users can read a file of a directory. */
async function isForAll(directory: string, name: string): Promise<boolean> {
  const [place, file] = await Promise.all(
    [directory, join(directory, name)].map((path) => Deno.stat(path)),
  );
  return ((place?.mode ?? 0) & 0o001) !== 0 && ((file?.mode ?? 0) & 0o004) !== 0;
}

async function namesWhere(
  names: readonly string[],
  holds: (name: string) => Promise<boolean>,
): Promise<string[]> {
  const found = await Promise.all(names.map((name) => holds(name).catch(() => true)));
  return names.filter((_, index) => found[index]);
}

/** Returns the free space in bytes; infinity if unknown. */
async function freeIn(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

function gibibytes(bytes: number): string {
  return (bytes / (1 << 30)).toFixed(0);
}
