import { assertEquals } from "../../assert.ts";
import type { PacmanConfiguration, Repository } from "../../../src/pacman/configuration.ts";
import { directoriesOf, mirrorsOf, Self, urlOn } from "../../../src/pacserve/servers.ts";

const self = new Self([15678], ["Box", "box.home.arpa"], {
  isOwn: (address) => address === "10.0.0.1" || address === "fd00::1",
});

const configuration: PacmanConfiguration = {
  cacheDirectories: [],
  databasePath: "/var/lib/pacman",
  architectures: ["x86_64", "x86_64_v3"],
  repositories: [],
};

function repository(...servers: string[]): PacmanConfiguration["repositories"][number] {
  return { name: "core", servers, packageSignatureRequired: true };
}

for (
  const own of [
    "http://localhost:15678/pacman/core/x86_64",
    "http://LOCALHOST.:15678/x",
    "http://a.localhost:15678/x",
    "http://127.0.0.1:15678/x",
    "http://127.1:15678/x",
    "http://2130706433:15678/x",
    "http://[::1]:15678/x",
    "http://[::ffff:127.0.0.1]:15678/x",
    "http://0.0.0.0:15678/x",
    "http://[::]:15678/x",
    "http://10.0.0.1:15678/x",
    "http://[fd00::1]:15678/x",
    "http://[fd00:0::1]:15678/x",
    "http://[::ffff:10.0.0.1]:15678/x",
    "http://box:15678/x",
    "http://BOX:15678/x",
    "http://box.local:15678/x",
    "http://box.home.arpa.:15678/x",
    "https://box:15678/x",
    "http://user:secret@box:15678/x",
  ]
) {
  Deno.test(`Self.isAt: ${own} is this server`, () => assertEquals(self.isAt(new URL(own)), true));
}

for (
  const other of [
    "http://localhost/x",
    "http://localhost:8080/x",
    "http://10.0.0.2:15678/x",
    "http://boxer:15678/x",
    "http://mirror.example.org/x",
    "file:///srv",
  ]
) {
  Deno.test(`Self.isAt: ${other} is not this server`, () =>
    assertEquals(self.isAt(new URL(other)), false));
}

Deno.test("mirrorsOf: returns the http: and https: servers in order, without this server", () => {
  const mirrors = mirrorsOf(
    repository(
      "http://localhost:15678/pacman/core/x86_64",
      "file:///srv/core",
      "https://one.example/core/os/x86_64",
      "nonsense",
      "ftp://two.example/core/os/x86_64",
      "http://user:secret@three.example:81/core",
      "http://localhost:8080/core",
    ),
    configuration,
    "x86_64",
    self,
    "core.db",
  );
  assertEquals(mirrors.map(({ origin, onlyForThisHost }) => [origin, onlyForThisHost]), [
    ["https://one.example", false],
    ["http://three.example:81", true],
    ["http://localhost:8080", true],
  ]);
});

Deno.test("mirrorsOf: CacheServer lines come first for packages and their signatures, and are ignored for databases", () => {
  const core: Repository = {
    ...repository("http://localhost:15678/pacman/core/os/x86_64", "http://one.example/core"),
    cacheServers: [
      "http://localhost:15678/pacman/core/os/x86_64",
      "file:///srv/core",
      "nonsense",
      "http://cache.example/core",
      "http://one.example/core",
    ],
  };
  const servers = (file: string): string[] =>
    mirrorsOf(core, configuration, "x86_64", self, file).map(({ server }) => server);
  for (const file of ["a-1-1-any.pkg.tar.zst", "a-1-1-any.pkg.tar.zst.sig"]) {
    assertEquals(servers(file), ["http://cache.example/core", "http://one.example/core"]);
  }
  for (const file of ["core.db", "core.files.sig"]) {
    assertEquals(servers(file), ["http://one.example/core"]);
  }
});

Deno.test("mirrorsOf: excludes mirrors of this host's architecture for a client with another one", () => {
  const both = repository("http://one.example/core/os/x86_64", "http://two.example/any");
  const names = (architecture: string | null): string[] =>
    mirrorsOf(both, configuration, architecture, self, "a").map(({ server }) => server);
  assertEquals(names("x86_64"), [...both.servers]);
  assertEquals(names(null), [...both.servers]);
  assertEquals(names("aarch64"), ["http://two.example/any"]);
});

Deno.test("urlOn: keeps the query and the credentials of the server, and encodes the name of the file", () => {
  const url = (server: string, file: string): string =>
    urlOn({ server, origin: "", onlyForThisHost: false, hasCredentials: false }, file);
  assertEquals(
    url("http://m/core/os", "gtk+-1:2~a@b-1-any.pkg.tar.zst"),
    "http://m/core/os/gtk+-1:2~a@b-1-any.pkg.tar.zst",
  );
  assertEquals(
    url("http://u:p%40@m/pkg/?repo=core&file=", "core.db"),
    "http://u:p%40@m/pkg/?repo=core&file=/core.db",
  );
  assertEquals(url("http://m/a b", "x#y?z %"), "http://m/a%20b/x%23y%3Fz%20%25");
  assertEquals(url("http://m/a", "x\r\ny"), "http://m/a/x%0D%0Ay");
});

Deno.test("directoriesOf: returns the directories only if all other servers are file: URLs", () => {
  assertEquals(
    directoriesOf(repository("file:///srv/a%20b", "http://box:15678/x", "file:///srv/c/"), self),
    ["/srv/a b", "/srv/c"],
  );
  assertEquals(directoriesOf(repository("file:///srv/a", "http://m/x"), self), []);
  assertEquals(directoriesOf(repository("file://host/srv", "file:///a%2Fb"), self), []);
  assertEquals(directoriesOf(repository(), self), []);
});
