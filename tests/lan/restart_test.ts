/**
 * Servers that were restarted, have moved, or were away, and the others find each other at once: each finds the
 * other's packages within two seconds after the first announcement.
 */

import { assert } from "../assert.ts";
import { Pair } from "./pair.ts";
import { eventually } from "./process.ts";

/** Milliseconds from the start of a server to its first announcement, and from that until it must be found. */
const FIRST_ANNOUNCEMENT = 1_000;
const WITHIN = 2_000;

/** Milliseconds that a busy machine may need for the test's own work. */
const SLACK = 500;

function assertSoon(took: number): void {
  const most = FIRST_ANNOUNCEMENT + WITHIN + SLACK;
  assert(took < most, `${took} ms after the start, ${most} are allowed`);
}

for (const options of [["--multicast"], ["--mdns"]]) {
  for (const how of ["stop", "kill"] as const) {
    Deno.test(`${options}: a server is found at once after ${how} and a start, even right after a change`, async () => {
      await using pair = await Pair.create();
      const [, second] = await pair.start(options);
      // The other server has just requested this index, and would not request it again for a minute.
      await pair.birch.cachePackages([pair.scene.repository.package("harbour")]);
      await second?.[how]();
      await pair.scene.pacserve(pair.birch, options);
      assertSoon(await pair.find());
    });
  }

  Deno.test(`${options}: two servers that restart at the same time find each other`, async () => {
    await using pair = await Pair.create();
    const servers = await pair.start(options);
    await Promise.all(servers.map((server) => server.kill()));
    await Promise.all([
      pair.scene.pacserve(pair.alder, options),
      pair.scene.pacserve(pair.birch, options),
    ]);
    assertSoon(await pair.find());
  });

  Deno.test(`${options}: a server that restarts on another port is found there`, async () => {
    await using pair = await Pair.create();
    const [, second] = await pair.start(options);
    await second?.stop();
    await pair.scene.pacserve(pair.birch, [...options, "--port", "15700"]);
    assertSoon(await pair.find([15678, 15700]));
  });

  Deno.test(`${options}: a server whose worker was replaced is found at once`, async () => {
    await using pair = await Pair.create();
    const [, second] = await pair.start(options);
    const before = second?.program.lines.length ?? 0;
    await pair.birch.host.must(["mkdir", "-p", "/var/cache/more"]);
    await pair.birch.host.must([
      "sed",
      "-i",
      "s|^\\[options\\]|&\\nCacheDir = /var/cache/pacman/pkg/\\nCacheDir = /var/cache/more/|",
      "/etc/pacman.conf",
    ]);
    await second?.program.line(/configuration|settings|reload/i, before);
    assertSoon(await pair.find());
  });
}

Deno.test("--multicast: a server that was frozen until it was forgotten is found again at once", async () => {
  await using pair = await Pair.create();
  const options = ["--multicast", "--multicast-interval", "2"];
  const [first, second] = await pair.start(options);
  second?.program.signal("SIGSTOP");
  await eventually("the server is removed", async () => {
    const page = "http://localhost:15678/?page=peers&mimetype=application/json";
    const text = await pair.alder.host.must(["curl", "-s", page]);
    return !text.includes(pair.scene.address(pair.birch));
  }, 30_000);
  second?.program.signal("SIGCONT");
  assertSoon(await pair.find());
  await first?.stop();
});

for (const options of [["--multicast"], ["--mdns"]]) {
  Deno.test(`${options}: a server whose interface was down is found again`, async () => {
    await using pair = await Pair.create();
    await pair.start(options);
    await pair.birch.host.must(["ip", "link", "set", "eth0", "down"]);
    await pair.birch.host.must(["ip", "link", "set", "eth0", "up"]);
    await pair.birch.host.run(["ip", "route", "append", "224.0.0.0/4", "dev", "eth0"]);
    assertSoon(await pair.find());
  });
}
