/** Tests the reader of sync databases with its real worker and the real repo-add. */

import type { PacmanConfiguration } from "../../../src/pacman/configuration.ts";
import { PackageTable } from "../../../src/pacman/package_table.ts";
import { DatabaseReader } from "../../../src/server/database_reader.ts";
import { ExpectedFiles, type ReadDatabase } from "../../../src/pacserve/expected_files.ts";
import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { eventually } from "../../lan/process.ts";
import { addPackage, archive, packageEntry } from "../pacman/databases.ts";
import { inScratch, shell } from "../../scratch.ts";

/** pacman's configuration with these repositories and its databases in a directory. */
function pacmanOf(databasePath: string, ...repositories: string[]): PacmanConfiguration {
  return {
    cacheDirectories: [],
    databasePath,
    architectures: [],
    repositories: repositories.map((name) => ({
      name,
      servers: [],
      packageSignatureRequired: true,
    })),
  };
}

/** Reads the databases that changed; returns them with the warnings. */
async function readChanged(
  pacman: PacmanConfiguration,
  known: ReadonlyMap<string, string> = new Map(),
): Promise<{ databases: readonly ReadDatabase[]; warnings: string[] }> {
  const warnings: string[] = [];
  const reader = new DatabaseReader(pacman, { warn: (message) => void warnings.push(message) });
  return { databases: await reader.readChanged(known), warnings };
}

/** The versions of databases, to pass to the next reading. */
function versionsOf(databases: readonly ReadDatabase[]): Map<string, string> {
  return new Map(
    databases.flatMap(({ repository, version }) => version === null ? [] : [[repository, version]]),
  );
}

async function inDatabaseDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  await inScratch(async (directory) => {
    await Deno.mkdir(`${directory}/sync`);
    await body(directory);
  });
}

Deno.test("DatabaseReader: a database of real repo-add is read, and read again only after a change", async () => {
  await inDatabaseDirectory(async (directory) => {
    const pacman = pacmanOf(directory, "core", "extra", "missing");
    const foo = addPackage(`${directory}/sync`, "core.db.tar.gz", "foo");
    addPackage(`${directory}/sync`, "extra.db.tar.zst", "bar");
    const { databases, warnings } = await readChanged(pacman);
    assertEquals(warnings, []);
    assertEquals(databases.map(({ repository }) => repository).toSorted(), ["core", "extra"]);
    const core = databases.find(({ repository }) => repository === "core");
    const { size } = await Deno.stat(`${directory}/sync/${foo}`);
    assertEquals(new PackageTable(core?.table ?? new ArrayBuffer()).find(foo)?.size, size);

    const known = versionsOf(databases);
    assertEquals((await readChanged(pacman, known)).databases, []);
    addPackage(`${directory}/sync`, "core.db.tar.gz", "foo", "another build");
    const changed = await readChanged(pacman, known);
    assertEquals(changed.databases.map(({ repository }) => repository), ["core"]);
  });
});

Deno.test("DatabaseReader: a removed database, or one of a removed repository, has no version and no table", async () => {
  await inDatabaseDirectory(async (directory) => {
    addPackage(`${directory}/sync`, "core.db.tar.gz", "foo");
    addPackage(`${directory}/sync`, "extra.db.tar.gz", "bar");
    const { databases } = await readChanged(pacmanOf(directory, "core", "extra"));
    await Deno.remove(`${directory}/sync/core.db`);
    const later = await readChanged(pacmanOf(directory, "core"), versionsOf(databases));
    assertEquals(later.warnings, []);
    assertEquals(
      later.databases.toSorted((one, other) => one.repository < other.repository ? -1 : 1),
      ["core", "extra"].map((repository) => ({ repository, version: null, table: null })),
    );
  });
});

Deno.test("DatabaseReader: each unreadable database gives one warning with file and reason; others are read", async () => {
  await inDatabaseDirectory(async (directory) => {
    const sync = `${directory}/sync`;
    addPackage(sync, "core.db.tar.gz", "foo");
    addPackage(sync, "xz.db.tar.xz", "foo");
    shell(sync, "mkfifo pipe.db; mkdir directory.db; echo '<html>' > page.db; : > empty.db");
    shell(sync, "head -c 300 core.db > cut.db; truncate -s 300M large.db");
    const bad = ["cut", "directory", "empty", "large", "page", "pipe", "xz"];
    const pacman = pacmanOf(directory, ...bad, "core", "../../etc/passwd");
    const { databases, warnings } = await readChanged(pacman);
    const unread = databases.filter(({ table }) => table === null);
    assertEquals(unread.map(({ repository }) => repository).toSorted(), bad);
    assertEquals(databases.length, bad.length + 1);
    assertEquals(warnings.length, bad.length);
    for (const name of bad) {
      const line = warnings.find((one) => one.includes(`${sync}/${name}.db `)) ?? "";
      assertMatch(line, /are not verified, because the database cannot be read: \S/);
    }
    for (
      const reason of [
        /xz\.db .*it is packed with xz/,
        /pipe\.db .*it is not a regular file/,
        /directory\.db .*it is not a regular file/,
        /large\.db .*it has \d+ bytes/,
      ]
    ) assertMatch(warnings.join("\n"), reason);
    // Until a file changes, it is not read again, and there is no second warning.
    assertEquals(await readChanged(pacman, versionsOf(databases)), { databases: [], warnings: [] });
  });
});

Deno.test("DatabaseReader: a missing directory, as in the sandbox of the unit, gives one warning", async () => {
  await inScratch(async (directory) => {
    const pacman = pacmanOf(directory, "core", "extra");
    const { databases, warnings } = await readChanged(pacman);
    assertEquals(databases.map(({ table }) => table), [null, null]);
    assertEquals(warnings.length, 1);
    assertMatch(warnings[0] ?? "", /not verified.*BindReadOnlyPaths=\S+\/sync,/);
    const known = versionsOf(databases);
    assertEquals(await readChanged(pacman, known), { databases: [], warnings: [] });
    // pacman -Sy creates the directory.
    await Deno.mkdir(`${directory}/sync`);
    addPackage(`${directory}/sync`, "core.db.tar.gz", "foo");
    const later = await readChanged(pacman, known);
    assertEquals(later.databases.map(({ table }) => table !== null), [true, false]);
    assertEquals(later.warnings, []);
  });
});

Deno.test("DatabaseReader: a worker that fails, or takes too long, leaves its databases unread", async () => {
  await inDatabaseDirectory(async (directory) => {
    addPackage(`${directory}/sync`, "core.db.tar.gz", "foo");
    const workers = {
      "throw new Error('broken')": /its reader failed/,
      "onmessage = () => { while (true); }": /takes too long/,
    };
    for (const [code, reason] of Object.entries(workers)) {
      const warnings: string[] = [];
      const reader = new DatabaseReader(
        pacmanOf(directory, "core"),
        { warn: (message) => void warnings.push(message) },
        { workerFile: new URL(`data:application/javascript,${code}`), timeLimit: 2000 },
      );
      const [core] = await reader.readChanged(new Map());
      assertEquals([core?.repository, core?.table], ["core", null]);
      assertEquals(warnings.length, 1);
      assertMatch(warnings[0] ?? "", reason);
    }
  });
});

Deno.test("DatabaseReader.close: ends a reading under way without warnings", async () => {
  await inDatabaseDirectory(async (directory) => {
    addPackage(`${directory}/sync`, "core.db.tar.gz", "foo");
    const warnings: string[] = [];
    const reader = new DatabaseReader(
      pacmanOf(directory, "core"),
      { warn: (message) => void warnings.push(message) },
      { workerFile: new URL("data:application/javascript,onmessage = () => { while (true); }") },
    );
    const reading = reader.readChanged(new Map());
    reader.close();
    assertEquals((await reading).map(({ table }) => table), [null]);
    assertEquals(warnings, []);
  });
});

Deno.test("DatabaseReader: after reading 15,000 packages the worker has ended, and 720 kB are kept", async () => {
  await inDatabaseDirectory(async (directory) => {
    const entries = Array.from({ length: 15_000 }, (_, at) => packageEntry(`p${at}.pkg`, at));
    await Deno.writeFile(`${directory}/sync/extra.db`, archive(entries));
    shell(`${directory}/sync`, "gzip extra.db && mv extra.db.gz extra.db");
    const before = workerThreads();
    const reader = new DatabaseReader(
      pacmanOf(directory, "extra"),
      { warn: (message) => assert(false, message) },
    );
    const reading = reader.readChanged(new Map());
    await eventually("the worker runs", () => workerThreads() > before);
    const [extra] = await reading;
    assertEquals(extra?.table?.byteLength, 48 * 15_000);
    await eventually("the worker has ended", () => workerThreads() === before);
    const expected = new ExpectedFiles({
      readChanged: () => Promise.resolve(extra ? [extra] : []),
    });
    assertEquals((await expected.find("extra", "p14999.pkg"))?.size, 14_999);
  });
});

/** The number of threads of this process in which workers run. */
function workerThreads(): number {
  return [...Deno.readDirSync("/proc/self/task")].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/self/task/${name}/comm`).startsWith("worker-");
    } catch {
      // The thread has ended in the meantime.
      return false;
    }
  }).length;
}
