/**
 * `pacserve-status --check`: each check on a healthy machine, and on one with the problem that it finds. The
 * servers, pacman's files, the firewall and the network are real.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { makeCertificates } from "../certificates.ts";
import { Network } from "../lan/network.ts";
import { eventually, must } from "../lan/process.ts";
import { launched, runCommand } from "../program.ts";
import {
  CACHE,
  type Diagnosis,
  HEALTHY,
  Patient,
  startMirror,
  startNameServer,
  SYNC,
} from "./patient.ts";

const CHECKOUT = new URL("../../", import.meta.url).pathname;

/** Asserts that a check found a problem, with this text and this cure. */
function assertWrong({ checks }: Diagnosis, name: string, text: RegExp, cure: RegExp): void {
  const found = checks.get(name);
  assertEquals(found?.result, "wrong", `${name}: ${found?.text}`);
  assertMatch(found?.text ?? "", text);
  assertMatch(found?.cure ?? "", cure);
}

/** Asserts the result of a check. */
function assertFound(
  { checks }: Diagnosis,
  name: string,
  result: "well" | "unknown",
  text: RegExp,
): void {
  const found = checks.get(name);
  assertEquals(found?.result, result, `${name}: ${found?.text}`);
  assertMatch(found?.text ?? "", text);
}

Deno.test("pacserve-status --check", async (t) => {
  await using lan = await Network.create();
  const far = await lan.host("far");
  const mirror = `http://${lan.addressOf(far)}:8080`;
  const alder = await Patient.create(lan, "alder", mirror);
  const birch = await Patient.create(lan, "birch", mirror);
  const [own, other] = [lan.addressOf(alder.host), lan.addressOf(birch.host)];
  await startMirror(far, alder);
  await startMirror(far, alder, 7_200, 8081);
  await birch.start();
  const server = await alder.start();
  await server.line(new RegExp(`found peer http://${other}:`));

  await t.step("healthy machine: all results are well, and the exit status is 0", async () => {
    const diagnosis = await alder.diagnosis();
    const others = [...diagnosis.checks.values()].filter(({ result }) => result !== "well");
    assertEquals(others, []);
    assertEquals(diagnosis.status, 0);
    assertFound(diagnosis, "service", "well", /answers at http:\/\/localhost:15678/);
    assertFound(diagnosis, "port", "well", new RegExp(own));
    assertFound(diagnosis, "name", "well", /alder/);
    assertFound(diagnosis, "announcement", "well", new RegExp(`multicast on ${own}.*DNS on eth0`));
    assertFound(diagnosis, "peers", "well", new RegExp(`http://${other}:15678/ in `));
    assertFound(diagnosis, "firewall", "well", new RegExp(`peer ${other} connected`));
    assertFound(diagnosis, "pacman.conf", "well", /first in core and extra/);
    assertFound(diagnosis, "cache", "well", /shares 1 package in/);
    assertFound(diagnosis, "clock", "well", /agrees with 2 others$/);
    assertMatch(await alder.report(), /^well +service .*\n[^]*\n\nNothing is wrong\.\n$/);
  });

  await t.step("pacman.conf, signatures, mirrors and clock", async () => {
    const [dead, late] = [`http://alice:secret@${other}:9`, `http://${lan.addressOf(far)}:8081`];
    await alder.host.write(
      "/etc/pacman.conf",
      alder.pacmanConf("Never")
        .replace("[core]\n", `[core]\nServer = ${dead}/$repo\n`)
        .replaceAll(":8080", ":8081").replace(
          "[extra]\n",
          "[extra]\nSigLevel = TrustAll Required\n",
        ),
    );
    const diagnosis = await alder.diagnosis();
    assertEquals(diagnosis.status, 1);
    assertWrong(
      diagnosis,
      "pacman.conf",
      /^in core a mirror precedes pacserve/,
      /first line there/,
    );
    assertWrong(
      diagnosis,
      "signatures",
      /core \(Never\); any key is accepted in extra/,
      /Required/,
    );
    assertWrong(diagnosis, "mirrors", /:9 for core: refuses/, /mirror list/);
    assert(!JSON.stringify([...diagnosis.checks]).includes("secret"));
    assertWrong(diagnosis, "clock", /early|late/, /timedatectl/);
    assertStringIncludes(diagnosis.checks.get("clock")?.text ?? "", "2 hours");
    assertStringIncludes(diagnosis.checks.get("clock")?.text ?? "", late);
  });

  await t.step(
    "pacman.conf, signatures: a file:// repository needs neither pacserve nor signatures",
    async () => {
      await alder.host.must(["cp", `${SYNC}/core.db`, `${SYNC}/own.db`]);
      const own = "[own]\nSigLevel = Optional TrustAll\nServer = file:///srv/own\n";
      await alder.host.write("/etc/pacman.conf", alder.pacmanConf() + own);
      const diagnosis = await alder.diagnosis();
      assertFound(diagnosis, "pacman.conf", "well", /first in core and extra$/);
      assertFound(diagnosis, "signatures", "well", /in core and extra$/);
    },
  );

  await t.step(
    "pacman.conf, signatures: a repository without pacserve, optional signatures, an invalid file",
    async () => {
      const text = alder.pacmanConf("Optional");
      await alder.host.write("/etc/pacman.conf", `${text}[third]\nServer = ${mirror}/$repo\n`);
      const diagnosis = await alder.diagnosis();
      assertWrong(
        diagnosis,
        "pacman.conf",
        /uses pacserve in core and extra, but not in third$/,
        /Include = /,
      );
      assertWrong(diagnosis, "signatures", /not required in core, extra and third/, /Required/);
      assertWrong(diagnosis, "databases", /no database of third/, /-Sy/);
      await alder.host.write("/etc/pacman.conf", `${text}SigLevel = Nonsense\n`);
      const invalid = await alder.diagnosis();
      assertWrong(invalid, "pacman.conf", /line \d+: invalid value/, /pacman fails/);
      // The reason is shown once only.
      for (const name of ["signatures", "databases", "mirrors", "clock"]) {
        assertFound(invalid, name, "unknown", /^it needs a valid pacman\.conf$/);
      }
    },
  );

  await t.step(
    "pacman.conf: CacheServer lines that do not suit the version of pacman",
    async () => {
      await alder.configure();
      const file = "/etc/pacman.d/pacserve";
      const text = await Deno.readTextFile(alder.host.path(file));
      const isOld = text.includes("\n#CacheServer");
      await alder.host.write(file, text.replace(/^#?CacheServer/m, isOld ? "CacheServer" : "#"));
      const diagnosis = await alder.diagnosis();
      assertWrong(
        diagnosis,
        "pacman.conf",
        isOld ? /warns of/ : /has no CacheServer/,
        /CacheServer/,
      );
    },
  );

  await t.step("address file", async () => {
    const file = "/etc/pacman.d/pacserve";
    await alder.host.write(file, "Server = http://localhost:15999/$repo\n");
    assertWrong(await alder.diagnosis(), "address file", /names http:\S+15999/, /15678/);
    await alder.host.write(file, "# nothing\n");
    assertWrong(await alder.diagnosis(), "address file", /names no server/, /Server = /);
    await alder.host.must(["rm", file]);
    assertWrong(await alder.diagnosis(), "address file", /no such file/, /reinstall/);
    await alder.configure();
  });

  await t.step("name", async () => {
    const hosts = await Deno.readTextFile(alder.host.path("/etc/hosts"));
    await alder.host.write("/etc/hosts", `${hosts}${own} alder.example.org # us\n`);
    const diagnosis = await alder.diagnosis();
    assertWrong(diagnosis, "name", /alder\.example\.org/, /--server-name alder\.example\.org/);
    await alder.start([...["--server-name", "alder.example.org"], "--multicast"]);
    assertFound(await alder.diagnosis(), "name", "well", /alder\.example\.org/);
    await alder.host.write("/etc/hosts", hosts);
    // The router gives the machine a name in a public domain.
    const router = await startNameServer(alder.host, "alder.fritz.box");
    const called = await alder.diagnosis();
    assertWrong(
      called,
      "name",
      /refuses alder\.fritz\.box,/,
      /--server-name alder\.fritz/,
    );
    await router.stop();
  });

  await t.step("cache, databases and disk", async () => {
    const spoil = `chmod 000 ${CACHE}/foo-* ${SYNC}/core.db
      mount -t tmpfs -o size=50M tmpfs /srv/spool`;
    await alder.host.must(["sh", "-ec", spoil]);
    await alder.start(["--multicast"]);
    const diagnosis = await alder.diagnosis();
    assertWrong(diagnosis, "cache", /foo-\S+: permission denied/, /chmod a\+rX/);
    assertWrong(diagnosis, "databases", /cannot read the database of core,/, /chmod a\+rX/);
    assertWrong(diagnosis, "disk", /less than 1 GiB is free in \/srv\/spool/, /paccache/);
    // The server reads the file again without a restart.
    const mend = `chmod 644 ${CACHE}/foo-* ${SYNC}/core.db`;
    await alder.host.must(["sh", "-ec", mend]);
    const mended = await alder.diagnosis();
    assertFound(mended, "cache", "well", /shares 1 package in/);
    assertFound(mended, "databases", "well", /core and extra/);
    await alder.host.must(["sh", "-ec", `cp ${SYNC}/core.db /srv; echo x > ${SYNC}/core.db`]);
    assertWrong(await alder.diagnosis(), "databases", /of core is damaged,/, /-Syy/);
    await alder.host.must(["mv", "/srv/core.db", `${SYNC}/core.db`]);
    await alder.host.must(["umount", "-l", "/srv/spool"]);
  });

  await t.step("announcement, peers and firewall", async () => {
    await birch.stop();
    await alder.nft(`table inet filter { chain input {
      type filter hook input priority filter; policy drop;
      iif lo accept; ct state established,related accept;
    }; }`);
    await alder.start(["--multicast", "--mdns", "--peer", `http://${other}:9/`]);
    await alder.server?.line(new RegExp(`peer http://${other}:9/: `));
    const diagnosis = await alder.diagnosis();
    assertWrong(diagnosis, "announcement", new RegExp(`by multicast on ${own}`), /UDP 15679/);
    assertWrong(diagnosis, "peers", /no peer answers: http:\S+:9\//, /on those machines/);
    assertWrong(diagnosis, "firewall", /tcp 15678, udp 15679, igmp and udp 5353/, /pacserve-ports/);
    await alder.host.must([...launched("pacserve-ports"), "open"]);
    const open = await alder.diagnosis();
    assertFound(open, "announcement", "well", /multicast on/);
    assertFound(open, "firewall", "well", /^the ports are open in nftables chain/);
    await alder.host.must([...launched("pacserve-ports"), "close"]);
    await alder.nft("insert rule inet filter input tcp dport 15678 accept");
    assertFound(
      await alder.diagnosis(),
      "firewall",
      "unknown",
      /a rule of your own names port 15678/,
    );
    const command = [...launched("pacserve-status"), "--check", "--json"];
    // Only root can read Deno's cache: keep root's files, but drop the right to read the firewall.
    const { stdout } = await alder.host.run(["unshare", "--user", "--map-user=1000", ...command]);
    assertMatch(stdout, /only root can read the firewall/);
    await alder.nft("flush ruleset");
  });

  await t.step("peers: discovery is off, or has no interface", async () => {
    await alder.start([]);
    const diagnosis = await alder.diagnosis();
    assertWrong(diagnosis, "peers", /discovery is off/, /--multicast --mdns/);
    assertFound(diagnosis, "announcement", "unknown", /does not announce itself/);
    await alder.start(["--multicast", "--multicast-ignore", "eth0"]);
    const left = await alder.diagnosis();
    assertWrong(left, "peers", /--multicast-ignore matches eth0$/, /--multicast-interface eth0/);
  });

  await t.step("port: a second server, and a server that other machines cannot reach", async () => {
    await alder.start(["--address", "127.0.0.1", "--multicast"]);
    assertWrong(await alder.diagnosis(), "port", /answers at 127\.0\.0\.1 only/, /--address/);
    const words = ["python3", "-um", "http.server", "--bind", own, "15678"];
    await using second = alder.host.spawn(words);
    await second.line(/Serving/);
    const diagnosis = await alder.diagnosis();
    assertWrong(
      diagnosis,
      "port",
      new RegExp(`another server has port 15678 of ${own}`),
      /ss -ltnp/,
    );
  });

  await t.step("a server with TLS gets the same checks", async () => {
    const { authority, server } = await makeCertificates();
    const files = { authority, certificate: server.certificate, key: server.key };
    for (const [name, text] of Object.entries(files)) await alder.host.write(`/srv/${name}`, text);
    const tls = ["--ssl", "--certfile", "/srv/certificate", "--keyfile", "/srv/key"];
    await alder.start([...HEALTHY, ...tls]);
    const file = "/etc/pacman.d/pacserve";
    const text = await Deno.readTextFile(alder.host.path(file));
    await alder.host.write(file, text.replaceAll("http://", "https://"));
    const diagnosis = await alder.diagnosis({ DENO_CERT: "/srv/authority" });
    assertFound(diagnosis, "service", "well", /answers at https:\/\/localhost:15678/);
    for (const name of ["version", "port", "name", "announcement", "address file", "cache"]) {
      assertFound(diagnosis, name, "well", /./);
    }
    await alder.configure();
  });

  await t.step(
    "service: exit status 3 when no pacserve runs, or another server has its port",
    async () => {
      await alder.stop();
      const diagnosis = await alder.diagnosis();
      assertEquals(diagnosis.status, 3);
      assertWrong(diagnosis, "service", /no pacserve answers/, /systemctl enable --now/);
      assertFound(diagnosis, "peers", "unknown", /does not run/);
      assertFound(diagnosis, "port", "unknown", /does not run/);
      assertFound(diagnosis, "mirrors", "well", /answers$/);
      await using second = alder.host.spawn(["python3", "-um", "http.server", "15678"]);
      await second.line(/Serving/);
      const taken = await alder.diagnosis();
      assertEquals(taken.status, 3);
      assertWrong(taken, "port", /another server has port 15678 of/, /ss -ltnp/);
    },
  );

  await t.step("version: pacserve was not restarted after an upgrade", async () => {
    const copy = await alder.host.must(["mktemp", "-d", "-p", "/srv"]);
    const place = copy.trim();
    await must(["cp", "-r", `${CHECKOUT}src`, `${CHECKOUT}deno.lock`, alder.host.path(place)]);
    const manifest = await Deno.readTextFile(`${CHECKOUT}deno.json`);
    const older = manifest.replace(/"version": "[^"]+"/, '"version": "2026.10.0"');
    await alder.host.write(`${place}/deno.json`, older);
    await alder.start(["--multicast"], `${place}/`);
    const diagnosis = await alder.diagnosis();
    assertWrong(diagnosis, "version", /^version 2026\.10\.0 of pacserve runs/, /systemctl restart/);
  });

  await t.step("ipv6: a machine with IPv6 only", async () => {
    const script = `ip -4 address flush dev eth0; ip -6 address add fd00:9::7/64 dev eth0 nodad`;
    await alder.host.must(["sh", "-ec", script]);
    await alder.start(["--multicast"]);
    const diagnosis = await alder.diagnosis();
    assertWrong(diagnosis, "ipv6", /does not listen on it/, /--ipv6 and --mdns/);
    await alder.start();
    await eventually("the ipv6 check has a result of well", async () => {
      const { result } = (await alder.diagnosis()).checks.get("ipv6") ?? {};
      assert(result !== "unknown");
      return result === "well";
    });
  });
});

Deno.test("pacserve-status --check: other options with it are wrong usage", async () => {
  for (const words of [["--watch"], ["--interval", "2"], ["localhost:15678"]]) {
    const { code, stderr } = await runCommand("pacserve-status", ["--check", ...words]);
    assertEquals(code, 2);
    assertMatch(stderr, /^pacserve-status: --check [^\n]+\n$/);
  }
});
