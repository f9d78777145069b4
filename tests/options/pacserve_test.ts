/** The options that only pacserve has: pacman.conf, trusted peers, and the package caches. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { makeCertificates } from "../certificates.ts";
import { run } from "../lan/process.ts";
import { PACMAN_CONF_PLACES } from "../../src/pacman/read_configuration.ts";
import { serve, type TestServer } from "../peers/lan.ts";
import { launched, runCommand, Served } from "../program.ts";
import { withFiles } from "../scratch.ts";

const PACKAGE = "foo-1-1-any.pkg.tar.zst";

/** Starts a mirror that has every file. */
function serveMirror(): Promise<TestServer> {
  return serve((request, response) => {
    response.writeHead(200, { "Content-Length": 0 }).end();
    request.resume();
  });
}

/** Returns a pacman.conf with one cache and one repository. */
function pacmanConf(directory: string, cache: string, server: string): string {
  return `[options]\nArchitecture = x86_64\nCacheDir = ${directory}/${cache}\n[core]\n${server}\n`;
}

const SOMEWHERE = "Server = http://127.0.0.1:9/$repo/$arch";

Deno.test("pacserve shares the caches as the directory pkg, merged with paths of that name", () =>
  withFiles(
    { [`cache/${PACKAGE}`]: "cached", "cache/x.part": "", "own/pkg/bar": "mine", "n": "n" },
    async (directory) => {
      await Deno.writeTextFile(
        `${directory}/pacman.conf`,
        pacmanConf(directory, "cache", SOMEWHERE),
      );
      const words = ["--pacman-conf", "pacman.conf", "own/pkg", "n"];
      await using server = await Served.start("pacserve", words, { directory });
      assertEquals(await server.names(), ["n", "pkg"]);
      assertEquals(await server.names("/pkg/"), ["bar", PACKAGE]);
      for (const path of ["/pkg/", "/pacman/core/x86_64/", "/request/core/x86_64/"]) {
        assertEquals(await server.text(path + PACKAGE), "cached", path);
      }
      assertEquals(await server.text(`/pkg/?repo=core&arch=x86_64&file=/${PACKAGE}`), "cached");
      assertEquals(await server.text("/pkg/bar"), "mine");
    },
  ));

Deno.test("--filelist: a directory pkg in the list is merged with the caches", () =>
  withFiles({ "cache/a.pkg.tar.zst": "a", "more/b.pkg.tar.zst": "b" }, async (directory) => {
    await Deno.writeTextFile(`${directory}/pacman.conf`, pacmanConf(directory, "cache", SOMEWHERE));
    await Deno.writeTextFile(`${directory}/list`, '{"pkg": ["more"]}');
    const words = ["--pacman-conf", "pacman.conf", "-f", "list"];
    await using server = await Served.start("pacserve", words, { directory });
    assertEquals(await server.names("/pkg/"), ["a.pkg.tar.zst", "b.pkg.tar.zst"]);
    assertEquals(await server.text("/pacman/core/x86_64/b.pkg.tar.zst"), "b");
  }));

/** Runs a command on a machine without pacman. */
const WITHOUT_PACMAN = [
  ...["unshare", "--mount", "bash", "-c"],
  `for place in ${PACMAN_CONF_PLACES.join(" ")}; do
    if [ -e "$place" ]; then mount --bind /dev/null "$place"; fi
  done
  exec "$@"`,
  "bash",
];

Deno.test("without pacman, as on a NAS, pacserve serves a directory pkg", () =>
  withFiles({ [`own/pkg/${PACKAGE}`]: "mine", "own/pkg/notes": "x" }, async (directory) => {
    await using server = await Served.start(
      "pacserve",
      ["own/pkg"],
      { directory },
      WITHOUT_PACMAN,
    );
    await server.program.line(
      /warning: pacman is not installed: only the paths on the command line/,
    );
    await server.program.line(/shared +\/pkg <- [^,]*own\/pkg$/);
    await server.program.line(/on other machines: CacheServer = http:/);
    assertEquals(await server.text(`/pacman/core/x86_64/${PACKAGE}`), "mine");
    assertEquals(await server.text(`/pkg/?repo=core&arch=x86_64&file=/${PACKAGE}`), "mine");
    assertEquals(await server.status("/pacman/core/x86_64/core.db"), 404);
  }));

Deno.test("without pacman, pacserve does not start if no path is given, or if --pacman-conf is", () =>
  withFiles({ "pacman.conf": "[options]\n", "own/": "" }, async (directory) => {
    for (const words of [[], ["--pacman-conf", "pacman.conf", "own"]]) {
      const command = [...WITHOUT_PACMAN, ...launched("pacserve"), "-p", "0", ...words];
      const { code, stderr } = await run(command, { directory });
      assertEquals(code, 1);
      assertStringIncludes(stderr, "pacman-conf is not installed");
    }
  }));

Deno.test("--root in pacserve warns that the caches are not shared", () =>
  withFiles({ [`cache/${PACKAGE}`]: "cached", "site/x": "x" }, async (directory) => {
    await Deno.writeTextFile(`${directory}/pacman.conf`, pacmanConf(directory, "cache", ""));
    const words = ["--pacman-conf", "pacman.conf", "--root", "site"];
    await using server = await Served.start("pacserve", words, { directory });
    await server.program.line(/warning: .*--root.*caches are not shared/);
    assertEquals(await server.names(), ["x"]);
    assertEquals(await server.status(`/pkg/${PACKAGE}`), 404);
  }));

Deno.test("a change of pacman.conf or of an included file is used, unless the file is wrong", () =>
  withFiles({ "one/a.pkg.tar.zst": "1", "two/b.pkg.tar.zst": "2" }, async (directory) => {
    await using first = await serveMirror();
    await using second = await serveMirror();
    const list = `${directory}/mirrorlist`;
    await Deno.writeTextFile(list, `Server = ${first.base}$repo\n`);
    const conf = `${directory}/pacman.conf`;
    await Deno.writeTextFile(conf, pacmanConf(directory, "one", `Include = ${list}`));
    await using server = await Served.start("pacserve", ["--pacman-conf", conf, "--redirect"]);
    const location = async (): Promise<string | null> => {
      return (await server.fetch("/pacman/core/x86_64/core.db")).headers.get("Location");
    };
    assertEquals(await location(), `${first.base}core/core.db`);
    // Change it in place, then replace it as most editors do, then by a link to another file.
    let from = server.program.lines.length;
    await Deno.writeTextFile(list, `Server = ${second.base}$repo\n`);
    await server.reloaded(from);
    assertEquals(await location(), `${second.base}core/core.db`);
    from = server.program.lines.length;
    await Deno.writeTextFile(`${list}.new`, `Server = ${first.base}$repo\n`);
    await Deno.rename(`${list}.new`, list);
    await server.reloaded(from);
    assertEquals(await location(), `${first.base}core/core.db`);
    from = server.program.lines.length;
    await Deno.writeTextFile(conf, "[options\n");
    await server.program.line(/warning: .*pacman\.conf.*last valid configuration/, from);
    assertEquals(await server.names("/pkg/"), ["a.pkg.tar.zst"]);
    from = server.program.lines.length;
    await Deno.writeTextFile(`${conf}.new`, pacmanConf(directory, "two", `Include = ${list}`));
    await Deno.rename(`${conf}.new`, conf);
    await server.reloaded(from);
    assertEquals(await server.names("/pkg/"), ["b.pkg.tar.zst"]);
  }));

Deno.test("databases come from a mirror, and from peers only with --trust-pacserve-peers", () =>
  withFiles({ "one/": "", "two/core.db": "db", [`two/${PACKAGE}`]: "p" }, async (directory) => {
    await using mirror = await serveMirror();
    const server = `Server = ${mirror.base}$repo`;
    await Deno.writeTextFile(`${directory}/one.conf`, pacmanConf(directory, "one", server));
    await Deno.writeTextFile(`${directory}/two.conf`, pacmanConf(directory, "two", server));
    await using peer = await Served.start("pacserve", ["--pacman-conf", "two.conf"], { directory });
    const patient = ["--search-timeout", "5000"];
    const words = ["--pacman-conf", "one.conf", "--peer", peer.address, "--redirect", ...patient];
    for (
      const [more, start] of [[[], mirror.base], [
        ["--trust-pacserve-peers"],
        peer.address,
      ]] as const
    ) {
      await using own = await Served.start("pacserve", [...words, ...more], { directory });
      const database = await own.fetch("/pacman/core/x86_64/core.db");
      assertEquals(database.status, 307);
      assertMatch(database.headers.get("Location") ?? "", new RegExp(`^${start}`));
      const found = await own.fetch(`/pacman/core/x86_64/${PACKAGE}`);
      assertStringIncludes(found.headers.get("Location") ?? "", peer.address);
    }
  }));

Deno.test("--auth: pacman on this host needs no password, and all other requests do", () =>
  withFiles({ [`cache/${PACKAGE}`]: "cached" }, async (directory) => {
    await Deno.writeTextFile(`${directory}/pacman.conf`, pacmanConf(directory, "cache", SOMEWHERE));
    const words = ["--pacman-conf", "pacman.conf", "--auth", "alice", "x"];
    await using server = await Served.start("pacserve", words, { directory });
    assertEquals(await server.text(`/pacman/core/x86_64/${PACKAGE}`), "cached");
    assertEquals(await server.status("/"), 401);
    assertEquals(await server.status("/pkg/"), 401);
  }));

Deno.test("the banner has the address for pacman on this machine and on others", () =>
  withFiles({}, async (directory) => {
    const { server: { certificate, key } } = await makeCertificates();
    await Deno.writeTextFile(`${directory}/both.pem`, certificate + key);
    await Deno.writeTextFile(`${directory}/pacman.conf`, pacmanConf(directory, "", SOMEWHERE));
    const lan = Deno.networkInterfaces().some(({ family, address }) =>
      family === "IPv4" && !address.startsWith("127.")
    );
    for (
      const [words, origin, elsewhere] of [
        [[], "http://localhost", lan],
        [["-a", "127.0.0.1"], "http://localhost", false],
        [["-a", "127.0.0.2"], "http://127.0.0.2", false],
        [["-a", "127.0.0.1", "--ssl", "--certfile", "both.pem"], "https://localhost", false],
      ] as const
    ) {
      const all = ["--pacman-conf", "pacman.conf", ...words];
      await using server = await Served.start("pacserve", all, { directory });
      const line = await server.program.line(/or in pacman\.conf: /);
      assertStringIncludes(line, `Server = ${origin}:${server.port}/pacman/$repo/$arch`);
      // A request is logged after the whole banner.
      const request = ["curl", "-sk", "-o", "/dev/null", `${origin}:${server.port}/`];
      assertEquals((await run(request)).code, 0);
      await server.program.line(/"GET \/ /);
      assertEquals(server.program.output.includes("on other machines: "), elsewhere);
      const about = ["curl", "-sk", `${origin}:${server.port}/?page=about`];
      const said = /Use it with pacman on another machine.*\n.*\n/.exec((await run(about)).stdout);
      assertEquals(said !== null, elsewhere);
      if (said !== null) {
        assertMatch(said[0], /Server = https?:\/\/(?!127\.|localhost)[\d.]+:\d+\//);
      }
    }
  }));

Deno.test("--pacman-conf: the error about a missing or wrong file names it", () =>
  withFiles({ "broken": "[options\n" }, async (directory) => {
    for (const path of [`${directory}/gone`, `${directory}/broken`]) {
      const { code, stderr } = await runCommand("pacserve", ["--pacman-conf", path, "-p", "0"]);
      assertEquals(code, 1);
      assertMatch(stderr, /^pacserve: [^\n]+\n$/);
      assertStringIncludes(stderr, path);
    }
    assert((await runCommand("quickserve", ["--trust-pacserve-peers"])).code === 2);
  }));

Deno.test("http_proxy: the warning about an unusable proxy has no password, and pacman is redirected to the mirror", () =>
  withFiles({ "cache/x": "" }, async (directory) => {
    const text = pacmanConf(directory, "cache", "Server = http://mirror.invalid/$repo");
    await Deno.writeTextFile(`${directory}/pacman.conf`, text);
    const environment = { "http_proxy": "socks5://user:secret@127.0.0.1:9" };
    const words = ["--pacman-conf", "pacman.conf"];
    await using server = await Served.start("pacserve", words, { directory, environment });
    assertMatch(server.program.output, /warning: the proxy .* http: mirrors .*http_proxy/);
    assert(!server.program.output.includes("secret"));
    const answer = await fetch(`${server.address}/pacman/core/x86_64/${PACKAGE}`, {
      redirect: "manual",
    });
    await answer.body?.cancel();
    assertEquals(answer.status, 307);
    assertEquals(answer.headers.get("Location"), `http://mirror.invalid/core/${PACKAGE}`);
  }));
