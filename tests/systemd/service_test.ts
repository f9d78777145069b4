/**
 * Tests the package under a real systemd, with real pacman: two machines on a LAN, each with a firewall
 * that drops incoming packets, so that they can share only with pacserve-ports.service.
 */

import type { Snapshot } from "../../src/status/snapshot.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { makeCertificates } from "../certificates.ts";
import { ArchMachine, cache } from "../lan/arch.ts";
import { Mirror } from "../lan/mirror.ts";
import { Network } from "../lan/network.ts";
import { eventually } from "../lan/process.ts";
import { sharedRepository } from "../lan/repository.ts";
import { Workshop } from "../package/workshop.ts";
import { Container } from "./container.ts";
import { DROP, Services } from "./services.ts";

const SERVICE = "pacserve.service";
const PORTS = "pacserve-ports.service";

Deno.test("pacserve.service, pacserve-ports.service: two machines with systemd share packages", async (t) => {
  const repository = await sharedRepository();
  using workshop = await Workshop.create();
  const files = [
    await workshop.standInForDeno(),
    await workshop.makepkg(await workshop.clone("clone")),
  ];
  await using lan = await Network.create();
  await using mirror = await Mirror.start(lan, "mirror", repository, "today");
  const shown = [workshop.directory, repository.directory];
  const [alderHost, birchHost] = [await lan.host("alder"), await lan.host("birch")];
  await using alder = await Container.boot(alderHost, shown);
  await using birch = await Container.boot(birchHost, shown);
  const [one, other] = [new Services(alder), new Services(birch)];
  for (const container of [alder, birch]) {
    await container.script(
      "rm -rf /etc/pacman.d/gnupg; mkdir -p /etc/pacman.d /var/cache/pacman/pkg",
    );
    await container.write("/etc/firewall", DROP);
    await container.must(["nft", "-f", "/etc/firewall"]);
  }
  const options = { mirrors: [mirror.server] };
  const alderMachine = await ArchMachine.setUp(alder, repository, options);
  const birchMachine = await ArchMachine.setUp(birch, repository, options);
  const closed = await one.firewall();
  const address = `http://${lan.addressOf(alderHost)}:15678/`;

  /** True when alder's server can be reached from birch. */
  const reachable = async (): Promise<boolean> =>
    (await other.get("--connect-timeout", "1", address)).status === 200;

  await t.step(
    "the message after the installation says in five lines what to enable",
    async () => {
      for (const machine of [alderMachine, birchMachine]) {
        // The packages that the test has built are not signed.
        const unsigned =
          "sed 's/^SigLevel.*/SigLevel = Never/' /etc/pacman.conf > /tmp/unsigned.conf";
        await machine.host.script(unsigned);
        const { code, stdout, stderr } = await machine.pacman(
          ["-U", "--config", "/tmp/unsigned.conf", ...files],
        );
        assertEquals(code, 0, stdout + stderr);
        const said = /installing pacserve\.\.\.\n((?:.*\n)*?)Optional/.exec(stdout)?.[1] ?? stdout;
        assertEquals(said.trimEnd().split("\n").length, 5, said);
        assertStringIncludes(said, "systemctl enable --now pacserve.service");
      }
    },
  );

  await t.step("the ports are closed until pacserve-ports.service opens them", async () => {
    await one.systemctl("enable", "--now", SERVICE);
    assertEquals((await one.get("http://localhost:15678/")).status, 200);
    assertEquals(await reachable(), false);
    await one.systemctl("enable", "--now", PORTS);
    assertEquals(await reachable(), true);
    await other.systemctl("enable", "--now", SERVICE, PORTS);
  });

  await t.step(
    "the runtime's cache of its analysis of the program is kept for the next start",
    async () => {
      const kept = "/var/cache/private/pacserve-deno/dep_analysis_cache_v2";
      await alder.must(["test", "-s", kept]);
      await one.restart();
      await alder.must(["test", "-s", kept]);
    },
  );

  await t.step("pacsrv -Syu installs packages from the other machine", async () => {
    const names = ["glacier", "harbour", "kelp"];
    await birchMachine.installFromFiles("yesterday", names);
    const packages = names.map((name) => repository.package(name));
    await alderMachine.cachePackages(packages);
    await eventually("birch knows that alder is there", async () => {
      const page = "http://localhost:15678/?page=peers&mimetype=application/json";
      const { peers } = JSON.parse((await other.get(page)).body) as {
        peers: { url: string; state: string }[];
      };
      return peers.some(({ url, state }) => url === address && state === "alive");
    });
    const { code, stdout, stderr } = await birchMachine.pacman(["-Syu"], ["pacsrv"]);
    assertEquals(code, 0, stdout + stderr);
    const installed = await birchMachine.installed();
    for (const { name, version } of packages) assertEquals(installed[name], version);
    const bytes = packages.reduce((sum, { size }) => sum + size, 0);
    const amount = (bytes / 1048576).toFixed(1);
    assertStringIncludes(stdout, `pacserve: ${amount} of ${amount} MiB came from the LAN\n`);
    // Signatures come from mirrors.
    const signatures = packages.map(({ fileName }) => `${fileName}.sig`).sort();
    assertEquals(await mirror.packagesFetchedBy(birchHost), signatures);
  });

  await t.step("pacserve-status --check examines the service in its sandbox", async () => {
    /** The results of the checks, and the exit status. */
    const examined = async (): Promise<Record<string, string>> => {
      const { code, stdout } = await birch.run(["pacserve-status", "--check", "--json"]);
      const { checks } = JSON.parse(stdout) as {
        checks: { name: string; result: string; text: string; cure?: string }[];
      };
      const texts = checks.map(({ name, result, text, cure = "" }) => [
        name,
        `${result}: ${text}: ${cure}`,
      ]);
      return { ...Object.fromEntries(texts), status: String(code) };
    };
    // Another directory with the same name: the service still has the removed one.
    await birch.script("cd /var/lib/pacman; cp -r sync new; rm -r sync; mv new sync");
    const hiding = await examined();
    assertMatch(hiding["databases"] ?? "", /does not see .*: systemctl restart pacserve$/);
    await other.restart();
    const healthy = await examined();
    for (const name of ["service", "cache", "databases", "firewall", "disk", "announcement"]) {
      assertMatch(healthy[name] ?? "", /^well: /, name);
    }
    const configuration = await Deno.readTextFile(birch.path("/etc/pacman.conf"));
    const elsewhere = "[options]\nCacheDir = /srv/second\nCacheDir = /var/cache/pacman/pkg";
    await birch.script(`mkdir -p /srv/second; cp ${cache}/kelp-7* /srv/second`);
    await birch.write("/etc/pacman.conf", configuration.replace("[options]", elsewhere));
    const hidden = await eventually("the other CacheDir is known", async () => {
      const { cache = "" } = await examined();
      return cache.startsWith("wrong") ? cache : null;
    });
    assertMatch(hidden, /\/srv\/second: .*: .*BindReadOnlyPaths=\/srv\/second/);
    await birch.write("/etc/pacman.conf", configuration);
    await other.systemctl("stop", SERVICE);
    const stopped = await examined();
    assertEquals(stopped["status"], "3");
    const toStart = /^wrong: .* is enabled, but does not run: systemctl start/;
    assertMatch(stopped["service"] ?? "", toStart);
    await other.systemctl("disable", SERVICE);
    const disabled = /^wrong: .* does not run: systemctl enable --now/;
    assertMatch((await examined())["service"] ?? "", disabled);
    await other.systemctl("enable", SERVICE);
    await birch.script("sed -i 's/--multicast/--no-such-option/' /etc/conf.d/pacserve");
    await birch.run(["systemctl", "start", SERVICE]);
    const failed = /^wrong: .* does not start \(exit-code\): journalctl/;
    assertMatch((await examined())["service"] ?? "", failed);
    await birch.script("sed -i 's/--no-such-option/--multicast/' /etc/conf.d/pacserve");
    await other.restart();
    await birch.write("/etc/systemd/system/pacserve.service.d/test.conf", "[Unit]\n");
    const changed = /^wrong: .*unit was changed.*: systemctl daemon-reload/;
    assertMatch((await examined())["service"] ?? "", changed);
    await birch.script("rm /etc/systemd/system/pacserve.service.d/test.conf");
    await other.systemctl("daemon-reload");
  });

  await t.step(
    "a link out of the shares is not served, even with --follow-links",
    async () => {
      const secret = "/etc/everybody-may-read-this";
      const secrets = [secret, "/home/alice/notes", "/root/notes", "/run/user/notes"];
      for (const path of secrets) await alder.write(path, "outside\n");
      await alder.script(`ln -s ${secret} ${cache}/outside-1-1-any.pkg.tar.zst
      echo inside > ${cache}/inside
      ln -s inside ${cache}/inside-1-1-any.pkg.tar.zst`);
      await one.configure("--follow-links");
      await one.restart();
      const inside = await one.get("http://localhost:15678/pkg/inside-1-1-any.pkg.tar.zst");
      assertEquals(inside, { status: 200, body: "inside\n" });
      const outside = await one.get("http://localhost:15678/pkg/outside-1-1-any.pkg.tar.zst");
      assertEquals(outside.status, 404);
      // The server's process could not read the files anyway: they do not exist in its root directory.
      const root = `/proc/${await one.mainPid()}/root`;
      const { stdout } = await alder.run(["cat", ...secrets.map((path) => root + path)]);
      assertEquals(stdout, "");
      await one.configure("--multicast");
      await one.restart();
    },
  );

  await t.step(
    "when the service is killed, the ports close, and open again when it restarts",
    async () => {
      await one.becomes(PORTS, "active");
      const opened = await one.firewall();
      assert(opened.includes("15678"), opened);
      const before = await one.mainPid();
      await one.systemctl("kill", "--signal=KILL", SERVICE);
      await eventually("the ports are closed", async () => await one.firewall() === closed);
      await one.becomes(SERVICE, "active");
      await one.becomes(PORTS, "active");
      assert(await one.mainPid() !== before);
      assertEquals(await one.firewall(), opened);
      assertEquals(await reachable(), true);
    },
  );

  await t.step(
    "when the service is stopped, the ports close, and a short transfer finishes within two seconds",
    async () => {
      // More than the kernel buffers for a slow client.
      const size = 24 << 20;
      await alder.must(["truncate", `--size=${size}`, `${cache}/short`]);
      const curl = ["curl", "--silent", "--limit-rate", `${1.5 * size}`, "--output", "/tmp/short"];
      await using transfer = alder.spawn([...curl, "http://localhost:15678/pkg/short"]);
      const received = async (): Promise<number> =>
        (await Deno.stat(alder.path("/tmp/short"))).size;
      await eventually("the transfer has begun", async () => await received() > 0);
      const start = performance.now();
      await one.systemctl("stop", SERVICE);
      assert(performance.now() - start < 2000);
      assertEquals((await transfer.ended).code, 0);
      assertEquals(await received(), size);
      assertEquals(await one.state(PORTS), "inactive");
      assertEquals(await one.state("pacserve-root.path"), "inactive");
      assertEquals(await one.firewall(), closed);
      await one.systemctl("start", SERVICE);
      await one.becomes(PORTS, "active");
      assertEquals(await reachable(), true);
    },
  );

  await t.step("changes of pacman.conf are noticed, even when the file is replaced", async () => {
    const pid = await one.mainPid();
    const before = (await one.journal()).length;
    const said = async (): Promise<string> => (await one.journal()).slice(before);
    const text = await Deno.readTextFile(alder.path("/etc/pacman.conf"));
    await alder.write("/etc/pacman.conf", text + "\n[broken\nInclude = /nowhere\n");
    await eventually("the error is in the log", async () => {
      return /pacman\.conf.*stays in force/.test(await said());
    });
    await alder.must(["mkdir", "/srv/c"]);
    await alder.write(
      "/etc/pacman.conf",
      text.replace("[options]", "[options]\nCacheDir = /srv/c"),
    );
    // The message is from pacman-conf or from us: not every version of pacman refuses a missing directory.
    await eventually("the missing directory is in the log", async () => {
      return /^.*\/srv\/c\b/m.test(await said());
    });
    await alder.write("/srv/mirrors", `Server = ${mirror.server}\n`);
    await alder.write("/etc/pacman.conf", text + "\n[more]\nInclude = /srv/mirrors\n");
    await eventually("the file that cannot be included is in the log", async () => {
      return /pacman\.conf.*BindReadOnlyPaths=\/srv\/mirrors .*stays in force/.test(await said());
    });
    await alder.write("/etc/pacman.conf", text);
    await eventually("the configuration was read again", async () => {
      return (await one.get("http://localhost:15678/pkg/inside")).status === 200;
    });
    assertEquals(await one.mainPid(), pid);
  });

  await t.step("reload reads files again", async () => {
    const before = (await one.journal()).length;
    await one.systemctl("reload", SERVICE);
    await eventually("the log says so", async () => {
      return (await one.journal()).slice(before).includes("the configuration was read again");
    });
  });

  await t.step("drop-in: another directory, also below /home", async () => {
    for (const directory of ["/srv/more", "/home/alice/more"]) {
      await alder.write(`${directory}/file`, "shared\n");
      await one.configure(directory);
      assertStringIncludes(await one.failure(), `BindReadOnlyPaths=${directory} `);
      await one.configure(directory, `BindReadOnlyPaths=${directory}`);
      await one.restart();
      const { body } = await one.get("http://localhost:15678/more/file");
      assertEquals(body, "shared\n");
    }
  });

  await t.step("drop-in: files that options name", async () => {
    await alder.write("/srv/motd", "welcome\n");
    await alder.must(["cp", "/etc/pacman.conf", "/srv/other.conf"]);
    for (const [option, file] of [["--motd", "/srv/motd"], ["--pacman-conf", "/srv/other.conf"]]) {
      await one.configure(`${option} ${file}`);
      assertStringIncludes(await one.failure(), `BindReadOnlyPaths=${file} `);
      await one.configure(`${option} ${file}`, `BindReadOnlyPaths=${file}`);
      await one.restart();
    }
  });

  await t.step("drop-in: a group that may read a directory that others may not", async () => {
    await alder.write("/srv/films/film", "moving\n");
    await alder.write("/etc/pacman.d/list.json", '{ "films": ["/srv/films"] }');
    await alder.script("groupadd media; chgrp media /srv/films; chmod 750 /srv/films");
    const list = "--filelist /etc/pacman.d/list.json";
    const url = "http://localhost:15678/films/film";
    for (
      const [dropIn, cure] of [
        ["", "BindReadOnlyPaths=/srv/films "],
        ["BindReadOnlyPaths=/srv/films", "SupplementaryGroups="],
      ] as const
    ) {
      await one.configure(list, dropIn);
      assertStringIncludes(await one.warnings(), cure);
      assertEquals((await one.get(url)).status, 404);
    }
    await one.configure(list, "BindReadOnlyPaths=/srv/films\nSupplementaryGroups=media");
    assertEquals(await one.warnings(), "");
    assertEquals(await one.get(url), { status: 200, body: "moving\n" });
  });

  await t.step("drop-in: a directory for uploads", async () => {
    await one.configure("--upload /srv/uploads");
    assertStringIncludes(await one.failure(), "StateDirectory=pacserve");
    await alder.must(["mkdir", "--mode=777", "/srv/uploads"]);
    await one.configure("--upload /srv/uploads", "BindReadOnlyPaths=/srv/uploads");
    assertMatch(await one.warnings(), /\/srv\/uploads: .*read-only \(.*StateDirectory=pacserve/);
    await one.configure("--upload /var/lib/pacserve", "StateDirectory=pacserve");
    assertEquals(await one.warnings(), "");
    const { status } = await one.get("--form", "file=@/etc/hostname", "http://localhost:15678/");
    assertEquals(status, 201);
    assertEquals(
      await Deno.readTextFile(alder.path("/var/lib/private/pacserve/hostname")),
      await Deno.readTextFile(alder.path("/etc/hostname")),
    );
  });

  await t.step(
    "drop-in: passwords, a certificate and its key in files that only root can read",
    async () => {
      const { server, authority } = await makeCertificates();
      const secrets = { users: "alice\nsecret\n", cert: server.certificate, key: server.key };
      for (const [name, text] of Object.entries(secrets)) {
        await alder.write(`/etc/pacserve/${name}`, text);
        await Deno.chmod(alder.path(`/etc/pacserve/${name}`), 0o600);
      }
      await alder.write("/etc/authority", authority);
      await one.configure("--authfile /etc/pacserve/users");
      assertStringIncludes(await one.failure(), "LoadCredential=<name>:/etc/pacserve/users");
      const place = `/run/credentials/${SERVICE}`;
      await one.configure(
        `--authfile ${place}/users --ssl \\
          --certfile ${place}/cert --keyfile ${place}/key`,
        Object.keys(secrets).map((name) => `LoadCredential=${name}:/etc/pacserve/${name}`).join(
          "\n",
        ),
      );
      await one.restart();
      const url = ["--cacert", "/etc/authority", "https://localhost:15678/"];
      assertEquals((await one.get(...url)).status, 401);
      assertEquals((await one.get("--digest", "--user", "alice:secret", ...url)).status, 200);
      assert(!(await one.journal()).includes("warning: --authfile"));
    },
  );

  await t.step(
    "an upgrade of the package restarts the server and keeps its configuration",
    async () => {
      await one.configure("--quiet");
      await one.restart();
      const pid = await one.mainPid();
      const { code, stdout, stderr } = await alderMachine.pacman(
        ["-U", "--config", "/tmp/unsigned.conf", ...files.slice(1)],
      );
      assertEquals(code, 0, stdout + stderr);
      assert(await one.mainPid() !== pid);
      await one.becomes(PORTS, "active");
      const { stdout: running } = await alder.run(["cat", `/proc/${await one.mainPid()}/cmdline`]);
      assertMatch(running, /\0pacserve\0--quiet\0$/);
    },
  );

  await t.step("removing the package leaves no process, open port or file behind", async () => {
    await one.configure("--multicast --quiet");
    await one.restart();
    await one.becomes(PORTS, "active");
    await alder.must(["rm", "-r", "/etc/systemd/system/pacserve.service.d", "/etc/pacserve"]);
    await alder.must(["rm", "-r", "/var/lib/private/pacserve", "/var/lib/pacserve"]);
    const pid = await one.mainPid();
    const { code, stdout, stderr } = await alderMachine.pacman(["-R", "pacserve"]);
    assertEquals(code, 0, stdout + stderr);
    assertEquals((await alder.run(["test", "-e", `/proc/${pid}`])).code, 1);
    assertEquals(await one.firewall(), closed);
    const find = ["find", "/etc", "/run", "/usr", "/var", "-iname", "*pacserve*"];
    const left = (await alder.must(find)).trim().split("\n");
    assertEquals(left, ["/etc/conf.d/pacserve.pacsave"]);
    assertMatch(await one.state(SERVICE), /inactive|unknown/);
  });

  await t.step("pacserve-status knows what came from where, also after restarts", async () => {
    const sizes = ["glacier", "harbour", "kelp"].map((name) => repository.package(name).size);
    const bytes = sizes.reduce((sum, size) => sum + size);
    for (let starts = 0; starts < 2; starts++) {
      await other.restart();
      const { stdout } = await birch.run(["pacserve-status", "--json"]);
      const { counters }: Snapshot = JSON.parse(stdout);
      assertEquals(counters.sinceInstallation.received.peer, { files: 3, bytes });
      assertEquals(counters.kept, true);
    }
    // The directory is the service's own (DynamicUser), and every user may ask.
    await birch.must(["test", "-s", "/var/lib/private/pacserve-status/counters.json"]);
    const { stdout } = await birch.run(["runuser", "-u", "nobody", "pacserve-status"]);
    assertMatch(stdout, /^ {2}since start +-/m);
    await other.systemctl("stop", SERVICE);
    assertEquals((await birch.run(["pacserve-status"])).code, 3);
  });
});
