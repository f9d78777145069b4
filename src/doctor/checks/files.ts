/** Whether the service can read what it shares, and has room for what it fetches. */

import { statfs } from "node:fs/promises";
import { exists } from "../../files.ts";
import { syncDirectory } from "../../pacman/configuration.ts";
import { type Check, listed, NOT_RUNNING, shortList, unknown, well, wrong } from "../check.ts";

/** Bytes: with less, large packages find no room. */
const LITTLE = 1 << 30;

/** Where Arch has the sync databases. */
const SYNC = "/var/lib/pacman/sync";

/** How a unit is told to show a path. */
function showing(path: string): string {
  return `"systemctl edit pacserve": [Service] BindReadOnlyPaths=${path}, then systemctl restart pacserve`;
}

/** `cache`: the service can read the packages that pacman keeps. */
export const cacheCheck: Check = {
  name: "cache",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    if (service.report === null) return unknown("the running pacserve is too old to say it");
    const { caches } = service.report;
    for (const { directory, problem, packages } of caches) {
      const here = await packagesIn(directory);
      if (problem === null && (packages > 0 || here === 0)) continue;
      const isHidden = packages === 0 && here > 0 ||
        /does not show|no such file/.test(problem ?? "");
      return wrong(
        `the service cannot read ${directory}: ${problem ?? `it sees none of ${here} packages`}`,
        isHidden ? showing(directory) : `chmod a+rX ${directory}, and a+r what is in it`,
      );
    }
    const shared = caches.map(({ directory, packages }) => `${packages} packages in ${directory}`);
    return well(`it shares ${listed(shared)}`);
  },
};

/** `databases`: the service can read what packages have to be. */
export const databasesCheck: Check = {
  name: "databases",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const databases = service.report?.databases ?? null;
    if (databases === null) return unknown("the service takes long to read the databases");
    const pacman = await host.pacman();
    const directory = syncDirectory(pacman);
    const names = pacman.repositories.map(({ name }) => name);
    const there = await namesWhere(names, (name) => exists(`${directory}/${name}.db`));
    if (there.length < names.length) {
      const absent = names.filter((name) => !there.includes(name));
      return wrong(
        `pacman has no database of ${listed(absent)} yet, so that nothing of it can be verified`,
        "pacsrv -Sy",
      );
    }
    const unreadable = names.filter((name) => databases[name] === false);
    if (unreadable.length > 0) {
      return wrong(
        `the service cannot read the database of ${listed(unreadable)}, and verifies nothing of it`,
        `chmod a+rX ${directory}, and a+r what is in it; journalctl -u pacserve says what is wrong`,
      );
    }
    const unseen = names.filter((name) => databases[name] === undefined);
    if (unseen.length > 0) {
      return wrong(
        `the service does not see the database of ${listed(unseen)}`,
        // The unit shows it, if it is there when the service starts.
        directory === SYNC ? "systemctl restart pacserve" : showing(directory),
      );
    }
    return well(`it verifies packages of ${shortList(names, 6)}`);
  },
};

/** `disk`: there is room for what is fetched. */
export const diskCheck: Check = {
  name: "disk",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    if (service.report === null) return unknown("the running pacserve is too old to say it");
    const { spool, redirects, caches } = service.report;
    if (!redirects && (spool === null || !spool.isUsable)) {
      const where = spool === null ? "It has no directory" : `${spool.directory} cannot be used`;
      return wrong(
        `${where}: packages that are fetched are kept in memory, two MiB of each`,
        "free some room, or name a directory of its own with --spool-directory",
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
        "paccache -r removes old packages",
      );
    }
    return well(
      spool === null
        ? "there is room in the cache"
        : `${gibibytes(spool.free)} GiB are free for downloads`,
    );
  },
};

/** Packages in a directory as this user sees them; 0 where it cannot look. */
async function packagesIn(directory: string): Promise<number> {
  let count = 0;
  try {
    for await (const { name } of Deno.readDir(directory)) if (/\.pkg\.tar/.test(name)) count++;
  } catch {
    return 0;
  }
  return count;
}

async function namesWhere(
  names: readonly string[],
  holds: (name: string) => Promise<boolean>,
): Promise<string[]> {
  const found = await Promise.all(names.map((name) => holds(name).catch(() => true)));
  return names.filter((_, index) => found[index]);
}

/** Bytes that are free; infinity where that cannot be told. */
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
