import { join } from "node:path";
import { Failure } from "../../../src/failure.ts";
import { copyConfiguration, copyDirectory } from "../../../src/pacman/configuration_copy.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "../../assert.ts";
import { Scratch } from "../../scratch.ts";

const LINE = "Include = /etc/pacman.d/pacserve";
const USER = Deno.uid() ?? 0;

/** A directory with a pacman.conf and a directory for its copies. */
class Place extends Scratch {
  readonly cache = join(this.directory, "cache", "pacserve");

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): string {
    Deno.writeTextFileSync(this.path(name), text);
    return this.path(name);
  }

  async copy(name: string): Promise<string> {
    return await copyConfiguration(this.path(name), this.cache, USER);
  }

  copies(): string[] {
    return [...Deno.readDirSync(this.cache)].map(({ name }) => name).sort();
  }
}

Deno.test("copyConfiguration: the copy has the inserted lines, and only its user can write to it", async () => {
  using place = new Place();
  place.write("pacman.conf", "[options]\nColor\n[core]\nServer = http://m/\n");
  const copy = await place.copy("pacman.conf");
  assertEquals(
    await Deno.readTextFile(copy),
    `[options]\nColor\n[core]\n${LINE}\nServer = http://m/\n`,
  );
  assertEquals(((await Deno.stat(place.cache)).mode ?? 0) & 0o777, 0o700);
  assertEquals(((await Deno.stat(copy)).mode ?? 0) & 0o022, 0);
});

Deno.test("copyConfiguration: the copy is rewritten when the configuration changed, and only then", async () => {
  using place = new Place();
  place.write("pacman.conf", "[core]\n");
  const copy = await place.copy("pacman.conf");
  const first = await Deno.stat(copy);
  assertEquals(await place.copy("pacman.conf"), copy);
  assertEquals((await Deno.stat(copy)).ino, first.ino);
  place.write("pacman.conf", "[more]\n");
  await Deno.utime(place.path("pacman.conf"), first.atime ?? 0, first.mtime ?? 0);
  assertEquals(await place.copy("pacman.conf"), copy);
  assertEquals(await Deno.readTextFile(copy), `[more]\n${LINE}\n`);
  assertEquals(place.copies().length, 1);
});

Deno.test("copyConfiguration: an included file is copied only if it defines repositories", async () => {
  using place = new Place();
  const list = place.write("mirrorlist", "Server = http://m/\n");
  const own = place.write("own.conf", "[own]\nServer = http://own/\n");
  place.write("pacman.conf", `[core]\nInclude = ${list}\n  Include=${own}  \r\n# end`);
  const copy = await place.copy("pacman.conf");
  const text = await Deno.readTextFile(copy);
  assertMatch(text, /%2Fown\.conf\r\n# end$/);
  const ownCopy = /^Include = (.*own\.conf)\r$/m.exec(text)?.[1] ?? "";
  assert(ownCopy.startsWith(place.cache));
  assertEquals(text, `[core]\n${LINE}\nInclude = ${list}\nInclude = ${ownCopy}\r\n# end`);
  assertEquals(await Deno.readTextFile(ownCopy), `[own]\n${LINE}\nServer = http://own/\n`);

  place.write("own.conf", "[other]");
  await place.copy("pacman.conf");
  assertEquals(await Deno.readTextFile(ownCopy), `[other]\n${LINE}`);
});

Deno.test("copyConfiguration: a wildcard is replaced by the files that match, in order", async () => {
  using place = new Place();
  place.write("b.repo", "[b]\n");
  place.write("a.repo", "Server = x\n");
  place.write("pacman.conf", `[core]\nInclude = ${place.directory}/*.repo`);
  const lines = (await Deno.readTextFile(await place.copy("pacman.conf"))).split("\n");
  assertEquals(lines.length, 4);
  assertEquals(lines[2], `Include = ${place.path("a.repo")}`);
  assertMatch(lines[3] ?? "", /^Include = .*cache.*b\.repo$/);
  // A new file that matches is included too.
  place.write("c.repo", "[c]\n");
  assertMatch(await Deno.readTextFile(await place.copy("pacman.conf")), /c\.repo$/);
});

Deno.test("copyConfiguration: finds repositories in nested includes, and ends when files include each other", async () => {
  using place = new Place();
  place.write("one.conf", `Include = ${place.path("two.conf")}\n`);
  place.write("two.conf", `[two]\nInclude = ${place.path("one.conf")}\n`);
  place.write("pacman.conf", `Include = ${place.path("one.conf")}\nInclude = /nowhere/*.conf\n`);
  const text = await Deno.readTextFile(await place.copy("pacman.conf"));
  assertMatch(text, /^Include = .*cache.*one\.conf\nInclude = \/nowhere\/\*\.conf\n$/);
  assertEquals(place.copies().length, 3);
});

Deno.test("copyConfiguration: a directory that others can write to, or that is a link, is refused", async () => {
  using place = new Place();
  place.write("pacman.conf", "[core]\n");
  await place.copy("pacman.conf");
  for (const mode of [0o770, 0o707]) {
    await Deno.chmod(place.cache, mode);
    await assertRejects(() => place.copy("pacman.conf"), Failure, "other users can write");
  }
  await Deno.chmod(place.cache, 0o700);
  await assertRejects(
    () => copyConfiguration(place.path("pacman.conf"), place.cache, USER + 1),
    Failure,
    "belongs to another user",
  );
  await Deno.rename(place.cache, place.path("elsewhere"));
  await Deno.symlink(place.path("elsewhere"), place.cache);
  await assertRejects(() => place.copy("pacman.conf"), Failure, "not a directory");
});

Deno.test("copyConfiguration: the copy is not readable for users who may not read the configuration", async () => {
  using place = new Place();
  await Deno.chmod(place.write("pacman.conf", "[core]\nServer = http://u:secret@m/\n"), 0o600);
  const copy = await place.copy("pacman.conf");
  assertEquals(((await Deno.stat(copy)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("copyConfiguration: a pipe (before it is read) and a directory are refused", async () => {
  using place = new Place();
  await new Deno.Command("mkfifo", { args: [place.path("pipe")] }).output();
  await assertRejects(() => place.copy("pipe"), Failure, "not a regular file");
  await assertRejects(() => place.copy("."), Failure, "not a regular file");
});

Deno.test("copyDirectory: each user has a directory of their own", () => {
  const home = "/home/u";
  const none = { xdgCacheHome: undefined, home };
  assertEquals(copyDirectory(0, { xdgCacheHome: "/x", home }), "/var/cache/pacserve");
  assertEquals(copyDirectory(1000, { xdgCacheHome: "/x", home }), "/x/pacserve");
  assertEquals(copyDirectory(1000, none), "/home/u/.cache/pacserve");
  // The XDG specification says to ignore a relative path.
  assertEquals(copyDirectory(1000, { xdgCacheHome: "x", home }), "/home/u/.cache/pacserve");
  assertThrows(() => copyDirectory(1000, { ...none, home: undefined }), Failure, "HOME");
});

Deno.test("copyConfiguration: for a pacman before 6.1, no copy contains or includes a CacheServer line", async () => {
  using place = new Place();
  const addressFile = place.write(
    "pacserve",
    "# both\nCacheServer = http://localhost:1/\n  CacheServer=x\nServer = http://localhost:1/\n",
  );
  place.write("more", `[more]\n${LINE}\n`);
  place.write("pacman.conf", `[core]\n[extra]\n${LINE}\nInclude = ${place.path("more")}\n`);
  const options = { addressFile, cacheServers: false };
  const copy = await copyConfiguration(place.path("pacman.conf"), place.cache, USER, options);
  const texts = place.copies().map((name) => Deno.readTextFileSync(join(place.cache, name)));
  assertEquals(texts.length, 3);
  for (const text of texts) assert(!/CacheServer|Include = [/]etc/.test(text), text);
  const address = join(place.cache, encodeURIComponent(addressFile));
  assertEquals(Deno.readTextFileSync(address), "# both\nServer = http://localhost:1/\n");
  const includes = Deno.readTextFileSync(copy).split("\n").filter((line) => line.includes(address));
  assertEquals(includes.length, 2);
});
