/** Tests the expected sizes of packages, and how long a request waits for them. */

import { NO_DIRECTORY } from "../../../src/pacman/configuration.ts";
import { PackageTableBuilder } from "../../../src/pacman/package_table.ts";
import {
  type Databases,
  ExpectedFiles,
  type ReadDatabase,
} from "../../../src/pacserve/expected_files.ts";
import { assert, assertEquals } from "../../assert.ts";

/** Returns a database with these files: name → size. */
function database(
  repository: string,
  version: string,
  files: Readonly<Record<string, number>>,
): ReadDatabase {
  const table = new PackageTableBuilder();
  for (const [name, size] of Object.entries(files)) {
    table.add(name, size, "00".repeat(31) + size.toString(16).padStart(2, "0"));
  }
  return { repository, version, table: table.build().buffer };
}

/** Databases whose readings end when the test calls `answer`. */
class HeldDatabases implements Databases {
  /** The versions that each reading got as already known. */
  readonly readings: Record<string, string>[] = [];
  #answer = Promise.withResolvers<readonly ReadDatabase[]>();

  readChanged(known: ReadonlyMap<string, string>): Promise<readonly ReadDatabase[]> {
    this.readings.push(Object.fromEntries(known));
    this.#answer = Promise.withResolvers();
    return this.#answer.promise;
  }

  /** Ends the running reading. */
  answer(...databases: ReadDatabase[]): void {
    this.#answer.resolve(databases);
  }
}

/** Creates `ExpectedFiles` that has read these databases. */
async function afterReading(...databases: ReadDatabase[]): Promise<{
  held: HeldDatabases;
  expected: ExpectedFiles;
}> {
  const held = new HeldDatabases();
  const expected = new ExpectedFiles(held, { freshFor: 60_000 });
  const first = expected.find("core", "anything");
  held.answer(...databases);
  await first;
  return { held, expected };
}

Deno.test("ExpectedFiles.find: returns the entry of the request's repository, if two repositories have the name", async () => {
  const { held, expected } = await afterReading(
    database("core", "1", { "both.pkg": 1, "same.pkg": 3, "core.pkg": 4 }),
    database("extra", "1", { "both.pkg": 2, "same.pkg": 3 }),
  );
  const sizeOf = async (repository: string | null, name: string): Promise<number | null> => {
    const found = expected.find(repository, name);
    // An unknown name causes another reading.
    held.answer();
    return (await found)?.size ?? null;
  };
  assertEquals(await sizeOf("core", "both.pkg"), 1);
  assertEquals(await sizeOf("extra", "both.pkg"), 2);
  assertEquals(await sizeOf("extra", "core.pkg"), null);
  assertEquals(await sizeOf("multilib", "both.pkg"), null);
  // Without a repository, both entries must be equal.
  assertEquals(await sizeOf(null, "both.pkg"), null);
  assertEquals(await sizeOf(null, "same.pkg"), 3);
  assertEquals(await sizeOf(null, "core.pkg"), 4);
  assertEquals(expected.known("both.pkg").map(({ size }) => size).toSorted(), [1, 2]);
  assertEquals(expected.known("unknown.pkg"), []);
});

Deno.test("ExpectedFiles.find: simultaneous requests share one reading; `known` starts none", async () => {
  const held = new HeldDatabases();
  const expected = new ExpectedFiles(held);
  assertEquals(expected.known("a.pkg"), []);
  assertEquals(held.readings, []);
  const found = [expected.find("core", "a.pkg"), expected.find(null, "b.pkg")];
  assertEquals(held.readings, [{}]);
  held.answer(database("core", "1", { "a.pkg": 1, "b.pkg": 2 }));
  assertEquals((await Promise.all(found)).map((one) => one?.size), [1, 2]);
});

Deno.test("ExpectedFiles.find: databases that were just read are used; an unknown name causes another reading", async () => {
  const { held, expected } = await afterReading(database("core", "1", { "a.pkg": 1 }));
  assertEquals((await expected.find("core", "a.pkg"))?.size, 1);
  assertEquals(held.readings, [{}]);
  // pacman has synchronised its databases, and requests a new package at once.
  const found = expected.find("core", "new.pkg");
  assertEquals(held.readings, [{}, { core: "1" }]);
  held.answer(database("core", "2", { "new.pkg": 9 }));
  assertEquals((await found)?.size, 9);
  assertEquals(expected.known("a.pkg"), []);
});

Deno.test("ExpectedFiles.find: databases that were read some time ago are checked for changes first", async () => {
  const held = new HeldDatabases();
  const expected = new ExpectedFiles(held, { freshFor: 0 });
  for (const version of ["1", "2"]) {
    const found = expected.find("core", "a.pkg");
    held.answer(database("core", version, { "a.pkg": Number(version) }));
    assertEquals((await found)?.size, Number(version));
  }
  // The database has not changed.
  const found = expected.find("core", "a.pkg");
  held.answer();
  assertEquals((await found)?.size, 2);
  assertEquals(held.readings, [{}, { core: "1" }, { core: "2" }]);
});

Deno.test("ExpectedFiles: the entries of a database that was removed or became unreadable are discarded", async () => {
  const { held, expected } = await afterReading(
    database("core", "1", { "a.pkg": 1 }),
    database("extra", "1", { "b.pkg": 1 }),
  );
  const found = expected.find("core", "unknown.pkg");
  held.answer(
    { repository: "core", version: null, table: null },
    { repository: "extra", version: "2", table: null },
  );
  assertEquals(await found, null);
  assertEquals([expected.known("a.pkg"), expected.known("b.pkg")], [[], []]);
  // An unreadable database is not read again before it changes.
  const again = expected.find("core", "unknown.pkg");
  assertEquals(held.readings.at(-1), { extra: "2" });
  held.answer();
  assertEquals(await again, null);
});

Deno.test("ExpectedFiles.find: a reading that takes too long makes the file unknown, once for all requests", async () => {
  const held = new HeldDatabases();
  const expected = new ExpectedFiles(held, { patience: 50 });
  // The reading does not end before the test calls `answer`.
  assertEquals(await expected.find("core", "a.pkg"), null);
  // The time of this reading is over, so the next request does not wait for it.
  const started = performance.now();
  assertEquals(await expected.find("core", "a.pkg"), null);
  assert(performance.now() - started < 40, "the request waited again");
  assertEquals(held.readings.length, 1);
  held.answer(database("core", "1", { "a.pkg": 1 }));
  await Promise.resolve();
  assertEquals((await expected.find("core", "a.pkg"))?.size, 1);
});

Deno.test("ExpectedFiles.readable: returns which databases can be read, and tries the unreadable ones again", async () => {
  const unreadable: ReadDatabase = { repository: "extra", version: "1", table: null };
  const { held, expected } = await afterReading(
    database("core", "1", { "a.pkg": 1 }),
    unreadable,
    { repository: "hidden", version: NO_DIRECTORY, table: null },
  );
  const first = expected.readable();
  held.answer(unreadable);
  assertEquals(await first, new Map([["core", true], ["extra", false]]));
  assertEquals(held.readings.at(-1), { core: "1" });
  const second = expected.readable();
  held.answer(database("extra", "1", { "b.pkg": 1 }));
  assertEquals(await second, new Map([["core", true], ["extra", true]]));
});
