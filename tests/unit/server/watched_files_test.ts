import { WatchedFiles } from "../../../src/server/watched_files.ts";
import { assertEquals } from "../../assert.ts";
import { Scratch } from "../../scratch.ts";

/** Runs `use` with a scratch directory, a watcher, and a function that waits for a reported change. */
async function withDirectory(
  use: (directory: string, files: WatchedFiles, changed: () => Promise<void>) => Promise<void>,
): Promise<void> {
  using scratch = new Scratch();
  let told = Promise.withResolvers<void>();
  const log = { warn: (line: string): void => told.reject(new Error(line)) };
  const files = new WatchedFiles(() => told.resolve(), log);
  try {
    await use(scratch.directory, files, async () => {
      await told.promise;
      told = Promise.withResolvers<void>();
    });
  } finally {
    files.close();
  }
}

Deno.test("WatchedFiles: reports a file that is written, replaced or removed", async () => {
  await withDirectory(async (directory, files, changed) => {
    const path = `${directory}/list`;
    files.watch([path], [], Date.now());
    await Deno.writeTextFile(path, "made");
    await changed();
    await Deno.writeTextFile(`${directory}/new`, "replaced");
    await Deno.rename(`${directory}/new`, path);
    await changed();
    files.watch([path], [], Date.now());
    await Deno.remove(path);
    await changed();
  });
});

Deno.test("WatchedFiles: reports a change of the file that a link leads to", async () => {
  await withDirectory(async (directory, files, changed) => {
    await Deno.mkdir(`${directory}/elsewhere`);
    await Deno.writeTextFile(`${directory}/elsewhere/list`, "one");
    await Deno.symlink(`${directory}/elsewhere/list`, `${directory}/list`);
    files.watch([`${directory}/list`], [], Date.now());
    await Deno.writeTextFile(`${directory}/elsewhere/list`, "two");
    await changed();
  });
});

Deno.test("WatchedFiles: reports any file in a watched directory, elsewhere only the named file", async () => {
  await withDirectory(async (directory, files, changed) => {
    await Deno.mkdir(`${directory}/d`);
    files.watch([`${directory}/list`], [`${directory}/d`], Date.now());
    await Deno.writeTextFile(`${directory}/d/any.conf`, "");
    await changed();
    let told = false;
    const next = changed().then(() => told = true);
    await Deno.writeTextFile(`${directory}/other`, "");
    assertEquals(told, false);
    await Deno.writeTextFile(`${directory}/list`, "");
    await next;
  });
});

Deno.test("WatchedFiles: reports what changed while the files were read", async () => {
  await withDirectory(async (directory, files, changed) => {
    await Deno.mkdir(`${directory}/d`);
    for (const path of [`${directory}/list`, `${directory}/d/any.conf`]) {
      const since = Date.now();
      await Deno.writeTextFile(path, "changed before anybody watched");
      files.watch([`${directory}/list`], [`${directory}/d`], since);
      await changed();
    }
  });
});
