/**
 * Tests, under a real systemd, the service with all kinds of paths in pacman.conf, and pacman after the
 * package was removed.
 */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { ArchMachine, cache } from "../lan/arch.ts";
import { Network } from "../lan/network.ts";
import { eventually } from "../lan/process.ts";
import { sharedRepository } from "../lan/repository.ts";
import { Workshop } from "../package/workshop.ts";
import { Container } from "./container.ts";
import { Services } from "./services.ts";

/** The default of each path option, as pacman-conf prints it. */
const DEFAULTS: Readonly<Record<string, string>> = {
  RootDir: "/",
  DBPath: "/var/lib/pacman/",
  CacheDir: `${cache}/`,
  HookDir: "/etc/pacman.d/hooks/",
  GPGDir: "/etc/pacman.d/gnupg/",
  LogFile: "/var/log/pacman.log",
};

/** Other directories, in several notations; `/srv/link` is a link, `/srv/missing` does not exist. */
const ELSEWHERE = ["/srv/second", "/srv/second/", "/srv/link", "/srv/missing", "/home/alice/pkg"];

const FILE = "inside-1-1-any.pkg.tar.zst";

Deno.test("pacserve.service: works with the paths in pacman.conf", async (t) => {
  const repository = await sharedRepository();
  using workshop = await Workshop.create();
  const files = [
    await workshop.standInForDeno(),
    await workshop.makepkg(await workshop.clone("clone")),
  ];
  await using lan = await Network.create();
  await using container = await Container.boot(
    await lan.host("alder"),
    [workshop.directory, repository.directory],
  );
  const service = new Services(container);
  await container.script(
    `rm -rf /etc/pacman.d/gnupg; mkdir -p ${cache} /etc/pacman.d/hooks /srv/second /srv/third
    mkdir -p /home/alice/pkg /root/pkg /tmp/pkg; ln -s /srv/third /srv/link
    for place in second third; do echo "$place" > "/srv/$place/${FILE}"; done
    for place in /home/alice /root /tmp; do echo "$place" > "$place/pkg/${FILE}"; done`,
  );
  const machine = await ArchMachine.setUp(container, repository, {
    mirrors: ["http://127.0.0.1:9"],
  });
  const plain = await Deno.readTextFile(container.path("/etc/pacman.conf"));
  const withOptions = (...lines: readonly string[]): Promise<void> =>
    container.write(
      "/etc/pacman.conf",
      plain.replace("[options]", ["[options]", ...lines].join("\n")),
    );
  await container.write("/tmp/unsigned.conf", plain.replace(/^SigLevel.*/m, "SigLevel = Never"));
  const install = async (): Promise<void> => {
    const words = ["-U", "--needed", "--config", "/tmp/unsigned.conf", ...files];
    const { code, stdout, stderr } = await machine.pacman(words);
    assertEquals(code, 0, stdout + stderr);
  };
  await install();
  const get = (): Promise<{ status: number; body: string }> =>
    service.get(`http://localhost:15678/pkg/${FILE}`);

  await t.step("it starts with each path option in each notation", async () => {
    const options = Object.keys(DEFAULTS).filter((option) => option !== "CacheDir");
    for (const path of ELSEWHERE) {
      // All options together, for speed: if it failed, the journal would name the option.
      await withOptions(...options.map((option) => `${option} = ${path}`));
      assertEquals(await service.warnings(), "", path);
    }
    await withOptions(...Object.entries(DEFAULTS).map(([option, path]) => `${option} = ${path}`));
    assertEquals(await service.warnings(), "");
    await withOptions(...ELSEWHERE.map((path) => `CacheDir = ${path}`));
    assertEquals((await service.warnings()).split("\n").length, 4);
  });

  await t.step(
    "for another CacheDir, the log names the setting that makes it visible",
    async () => {
      for (const path of ["/srv/second", "/srv/link", "/home/alice/pkg", "/root/pkg"]) {
        await withOptions(`CacheDir = ${cache}`, `CacheDir = ${path}`);
        await service.configure("--quiet");
        assertStringIncludes(await service.warnings(), `BindReadOnlyPaths=${path} `);
        assertEquals((await get()).status, 404);
        await service.configure("--quiet", `BindReadOnlyPaths=${path}`);
        assertEquals(await service.warnings(), "");
        assertEquals((await get()).status, 200, path);
      }
    },
  );

  await t.step(
    "the same for a CacheDir in /tmp, although the service has a private /tmp",
    async () => {
      await withOptions("CacheDir = /tmp/pkg");
      await service.configure("--quiet");
      const before = (await service.journal()).length;
      await container.run(["systemctl", "restart", "pacserve.service"]);
      const said = (await service.journal()).slice(before);
      assertStringIncludes(said, "BindReadOnlyPaths=/tmp/pkg ");
      await service.configure("--quiet", "BindReadOnlyPaths=/tmp/pkg");
      await service.restart();
      assertEquals(await get(), { status: 200, body: "/tmp\n" });
    },
  );

  await t.step(
    "the drop-ins in the manual work together with the directories of pacman.conf",
    async () => {
      await container.script("mkdir -p /var/lib/pacman/sync /srv/group; groupadd media");
      await container.script(`chgrp media /srv/group; chmod 750 /srv/group
      echo group > /srv/group/${FILE}`);
      const paths = [
        "DBPath = /var/lib/pacman/",
        "HookDir = /srv",
        "GPGDir = /etc/pacman.d/gnupg/",
      ];
      await withOptions(...paths);
      for (
        const [options, dropIn, path] of [
          ["/var/lib/pacman/sync", "BindReadOnlyPaths=/var/lib/pacman/sync", "/sync/"],
          ["/srv/second", "BindReadOnlyPaths=/srv/second", `/second/${FILE}`],
          [
            "/srv/group",
            "BindReadOnlyPaths=/srv/group\nSupplementaryGroups=media",
            `/group/${FILE}`,
          ],
          ["--upload /var/lib/pacserve", "StateDirectory=pacserve", "/"],
        ] as const
      ) {
        await service.configure(`--quiet ${options}`, dropIn);
        assertEquals(await service.warnings(), "", dropIn);
        assertEquals((await service.get(`http://localhost:15678${path}`)).status, 200, dropIn);
      }
    },
  );

  await t.step(
    "after a change of an included file, the log names the setting for its new CacheDir",
    async () => {
      await service.configure("--quiet");
      await container.write("/etc/pacman.d/more.conf", "[options]\n");
      await withOptions("Include = /etc/pacman.d/more*.conf");
      await service.restart();
      const before = (await service.journal()).length;
      await container.write("/etc/pacman.d/more.conf", "[options]\nCacheDir = /srv/third\n");
      // The error of pacman-conf names the setting, too, but only this is the warning.
      const warning =
        /warning: the package cache [/]srv[/]third: .*BindReadOnlyPaths=[/]srv[/]third /;
      await eventually("the log names the setting", async () => {
        return warning.test((await service.journal()).slice(before));
      }, 60_000);
      await service.becomes("pacserve.service", "active");
    },
  );

  await t.step(
    "no change is missed, however quickly files change one after the other",
    async () => {
      const copy = container.path("/run/pacserve/root/etc/pacman.conf");
      for (let round = 1; round <= 10; round++) {
        for (const change of ["a", "b", "c"]) {
          const text = `${plain}# ${round} ${change}\n`;
          await container.write("/etc/pacman.conf", text);
          if (change === "b") continue;
          await eventually(
            "the copy is renewed",
            async () => await Deno.readTextFile(copy) === text,
            5_000,
          );
        }
      }
    },
  );

  await t.step(
    "it sees databases, although pacman downloads the first ones after the start",
    async () => {
      await container.write("/etc/pacman.conf", plain);
      await service.configure("--quiet");
      await container.must(["rm", "-r", "/var/lib/pacman/sync"]);
      await service.restart();
      await container.script("mkdir -p /var/lib/pacman/sync; touch /var/lib/pacman/sync/new.db");
      const root = `/proc/${await service.mainPid()}/root`;
      await container.must(["test", "-e", `${root}/var/lib/pacman/sync/new.db`]);
      await container.must(["rm", "/var/lib/pacman/sync/new.db"]);
    },
  );

  await t.step("pacsrv can store its copy in a home directory with any name", async () => {
    await container.write("/etc/pacman.conf", plain);
    await service.configure("--quiet");
    await service.restart();
    const names = ["a&b", "two words", "back\\slash", "*?[x]", "quo'te\"s", "line\nbreak", "$HOME"];
    for (const name of names) {
      const home = `/srv/homes/${name}`;
      await container.must(["install", "-d", "--owner=65534", home]);
      const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      const { stdout, stderr } = await container.run(
        [...user, "env", `HOME=${home}`, "PACMAN=echo", "pacsrv", "-Q"],
      );
      assertEquals(stderr, "", name);
      const copy = `${home}/.cache/pacserve/%2Fetc%2Fpacman.conf`;
      assertEquals(stdout, `--config ${copy} -Q\n`);
      const text = await Deno.readTextFile(container.path(copy));
      assertStringIncludes(text, "Include = /");
    }
  });

  await t.step(
    "after pacman -R and -Rn, pacman works although pacman.conf includes the package's file",
    async () => {
      await container.must(["rm", "-rf", "/etc/systemd/system/pacserve.service.d"]);
      const address = "/etc/pacman.d/pacserve";
      for (const options of ["-R", "-Rn"]) {
        await container.write(
          "/etc/pacman.conf",
          plain.replace("[core]", `[core]\nInclude = ${address}`),
        );
        const shipped = await Deno.readTextFile(container.path(address));
        const { code, stdout, stderr } = await machine.pacman([options, "pacserve"]);
        assertEquals(code, 0, stdout + stderr);
        assertStringIncludes(stdout, "/etc/pacman.conf:");
        assertStringIncludes(stdout, `Include = ${address}`);
        const outcome = await machine.pacman(["-Q", "deno"]);
        assertEquals(outcome.code, 0, outcome.stderr);
        assert(!(await container.must(["pacman-conf"])).includes("15678"));
        await install();
        assertEquals(await Deno.readTextFile(container.path(address)), shipped);
      }
      await container.write("/etc/pacman.conf", plain);
      await machine.pacman(["-Rn", "pacserve"]);
      assertEquals((await container.run(["test", "-e", address])).code, 1);
    },
  );
});
