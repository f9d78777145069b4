import { assert, assertEquals, assertRejects, assertStringIncludes } from "../../assert.ts";
import { withFiles } from "../../scratch.ts";
import { Failure } from "../../../src/failure.ts";
import {
  findPacmanConf,
  pacmanConfRunner,
  parsePacmanConfiguration,
  readPacmanConfiguration,
  unresolvedPath,
} from "../../../src/pacman/read_configuration.ts";

const program = findPacmanConf();
const run = pacmanConfRunner(program);
// Without pacman on this machine, these tests are skipped.
const withPacman = { ignore: program === null };

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  await withFiles({ "pacman.conf": text }, (directory) => use(`${directory}/pacman.conf`));
}

Deno.test(
  "readPacmanConfiguration: an empty configuration has pacman's defaults",
  withPacman,
  async () => {
    await withFile("", async (path) => {
      assertEquals(await readPacmanConfiguration(path, run), {
        cacheDirectories: ["/var/cache/pacman/pkg"],
        databasePath: "/var/lib/pacman",
        architectures: [],
        repositories: [],
      });
    });
  },
);

Deno.test(
  "readPacmanConfiguration: databasePath is the real path of DBPath",
  withPacman,
  async () => {
    await withFile("", async (path) => {
      const directory = await Deno.realPath(path.slice(0, path.lastIndexOf("/")));
      await Deno.mkdir(`${directory}/databases`);
      await Deno.symlink("databases", `${directory}/link`);
      await Deno.writeTextFile(path, `[options]\nDBPath = ${directory}/link/\n`);
      const { databasePath } = await readPacmanConfiguration(path, run);
      assertEquals(databasePath, `${directory}/databases`);
    });
  },
);

Deno.test(
  "readPacmanConfiguration: reads caches, repositories, servers and signature levels",
  withPacman,
  async () => {
    const text = `
[options]
CacheDir = HERE/a/cache/
CacheDir = HERE/b
DBPath = HERE/db/
Architecture = x86_64 x86_64_v3
SigLevel = Required DatabaseOptional
CacheServer = http://of.a.later/pacman
DisableSandbox
[core]
Include = LIST
[extra]
SigLevel = PackageOptional
Server = http://localhost:15678/pacman/$repo/$arch/
Server = file:///srv/$repo
[third]
SigLevel = Never
Server = https://user:secret@h/$repo/os/$arch
CacheServer = http://cache/$repo
[none]
SigLevel = PackageRequired TrustAll
`;
    await withFile(text, async (path) => {
      const list = `${path}.list`;
      // pacman 7.1 prints real paths, and refuses directories that do not exist.
      const here = await Deno.realPath(path.slice(0, path.lastIndexOf("/")));
      for (const name of ["a/cache", "b", "db"]) {
        await Deno.mkdir(`${here}/${name}`, { recursive: true });
      }
      await Deno.writeTextFile(
        list,
        "Server = http://m1/$repo/os/$arch\nServer = http://m2/$repo/os/$arch\n",
      );
      await Deno.writeTextFile(path, text.replace("LIST", list).replaceAll("HERE", here));
      const read = await readPacmanConfiguration(path, run);
      // pacman before 6.1 does not support CacheServer, and ignores the line.
      const cacheServers = read.repositories.flatMap((each) => each.cacheServers ?? []);
      assert(["", "http://cache/third"].includes(cacheServers.join(" ")), cacheServers.join(" "));
      const repositories = read.repositories.map(({ cacheServers: _, ...rest }) => rest);
      assertEquals({ ...read, repositories }, {
        cacheDirectories: [`${here}/a/cache`, `${here}/b`],
        databasePath: `${here}/db`,
        architectures: ["x86_64", "x86_64_v3"],
        repositories: [
          {
            name: "core",
            servers: ["http://m1/core/os/x86_64", "http://m2/core/os/x86_64"],
            packageSignatureRequired: true,
          },
          {
            name: "extra",
            servers: ["http://localhost:15678/pacman/extra/x86_64", "file:///srv/extra"],
            packageSignatureRequired: false,
          },
          {
            name: "third",
            servers: ["https://user:secret@h/third/os/x86_64"],
            packageSignatureRequired: false,
          },
          { name: "none", servers: [], packageSignatureRequired: true },
        ],
      });
    });
  },
);

Deno.test(
  "readPacmanConfiguration: the error of an invalid configuration is a sentence with file and line",
  withPacman,
  async () => {
    await withFile("[options]\nSigLevel = Wrong\n", async (path) => {
      const failure = await assertRejects(() => readPacmanConfiguration(path, run), Failure);
      assertStringIncludes(failure.message, `${path}, line 2: invalid value for 'SigLevel'`);
      assert(!failure.message.includes("\n"));
    });
  },
);

Deno.test("unresolvedPath: takes the path from the message of pacman 7.1", async () => {
  // The output of pacman-conf 7.1.0. Version 6.0 accepts directories that do not exist.
  const stderr = "error: 'failed to resolve path '/srv/a b' passed to 'DBPath': No such file or " +
    "directory\nerror parsing '/etc/pacman.conf'\n";
  const { message } = await assertRejects(
    () =>
      readPacmanConfiguration("/etc/x", () => Promise.resolve({ status: 1, stdout: "", stderr })),
    Failure,
  );
  assertStringIncludes(message, "cannot be used: failed to resolve path '/srv/a b'");
  assertEquals(unresolvedPath(message), "/srv/a b");
  assertEquals(unresolvedPath("config file /nowhere could not be read"), null);
});

Deno.test(
  "readPacmanConfiguration: the error of a missing include names it",
  withPacman,
  async () => {
    await withFile("[core]\nInclude = /nowhere/list\n", async (path) => {
      const failure = await assertRejects(() => readPacmanConfiguration(path, run), Failure);
      assertStringIncludes(failure.message, path);
      assertStringIncludes(failure.message, "/nowhere/list could not be read");
    });
  },
);

Deno.test(
  "readPacmanConfiguration: a missing configuration and a directory give clear errors",
  withPacman,
  async () => {
    const missing = await assertRejects(
      () => readPacmanConfiguration("/nowhere/pacman.conf", run),
      Failure,
    );
    assertStringIncludes(missing.message, "/nowhere/pacman.conf could not be read");
    const directory = await assertRejects(() => readPacmanConfiguration("/tmp", run), Failure);
    assertEquals(directory.message, "the pacman configuration /tmp is a directory");
  },
);

Deno.test("pacmanConfRunner: a missing pacman-conf gives a clear error", async () => {
  const failure = await assertRejects(
    () => readPacmanConfiguration("/etc/x.conf", pacmanConfRunner(null)),
    Failure,
  );
  assertStringIncludes(failure.message, "pacman-conf is not installed");
});

Deno.test("parsePacmanConfiguration: reads CacheServer, and ignores other new directives of pacman 7", () => {
  // Lines of pacman 7's output that 6.0 does not print.
  const text = "[options]\nRootDir = /\nDBPath = /\nCacheDir = /c/\nDownloadUser = alpm\n" +
    "DisableSandbox\n[core]\nUsage = All\nSigLevel = PackageRequired\n" +
    "CacheServer = http://cache/core\nServer = http://m/core\n[core]\nServer = http://m2/a = b\n";
  assertEquals(parsePacmanConfiguration(text), {
    cacheDirectories: ["/c"],
    databasePath: "/",
    architectures: [],
    repositories: [{
      name: "core",
      cacheServers: ["http://cache/core"],
      servers: ["http://m/core", "http://m2/a = b"],
      packageSignatureRequired: true,
    }],
  });
});
