import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { type MirrorChoice, Mirrors, type MirrorsOptions } from "../../../src/pacserve/mirrors.ts";
import { SILENT } from "../../log.ts";
import {
  client,
  closedServer,
  mirrorsAt,
  nobody,
  startMirror,
  startMirrorWith,
  startRaw,
} from "./mirror.ts";

function create(options: Partial<MirrorsOptions> = {}): Mirrors {
  return new Mirrors({ client, log: SILENT, checkTimeout: 1_000, ...options });
}

function choose(
  mirrors: Mirrors,
  file: string,
  servers: readonly string[],
  optional = false,
  neighbour: string | null = null,
): Promise<MirrorChoice | null> {
  return mirrors.choose({
    mirrors: mirrorsAt(...servers),
    file,
    optional,
    via: "1.1 test",
    self: nobody,
    neighbour,
  });
}

Deno.test("the first is down, the second lacks the file, the third has it", async () => {
  await using second = startMirrorWith("other");
  await using third = startMirrorWith("x.pkg.tar.zst");
  const lines: string[] = [];
  const mirrors = create({ log: { warn: (sentence) => lines.push(sentence) } });
  const down = closedServer().replace("//", "//user:secret@");
  const choice = await choose(mirrors, "x.pkg.tar.zst", [down, second.server, third.server]);
  assertEquals(choice, {
    url: `${third.server}/x.pkg.tar.zst`,
    origin: third.origin,
    hasCredentials: false,
    verified: true,
    isSetAside: false,
  });
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0] ?? "", "refuses connections");
  assert(!lines.join().includes("secret"));
});

Deno.test("an answer is remembered briefly, and one question at a time is enough", async () => {
  // Not 0, which the cache takes for "no time".
  let now = 1;
  await using mirror = startMirrorWith("a");
  const mirrors = create({ now: () => now });
  const answers = await Promise.all([1, 2, 3].map(() => choose(mirrors, "a", [mirror.server])));
  assertEquals(answers.map((answer) => answer?.verified), [true, true, true]);
  await choose(mirrors, "a", [mirror.server]);
  assertEquals(await choose(mirrors, "b", [mirror.server]), null);
  assertEquals(await choose(mirrors, "b", [mirror.server]), null);
  assertEquals(mirror.asked.length, 2);
  now += 15_001;
  assertEquals(await choose(mirrors, "b", [mirror.server]), null);
  await choose(mirrors, "a", [mirror.server]);
  assertEquals(mirror.asked.length, 3);
  now += 60_001;
  await choose(mirrors, "a", [mirror.server]);
  assertEquals(mirror.asked.length, 4);
});

Deno.test("that a mirror would ask us is true of one request, and is not remembered", async () => {
  let loops = true;
  await using mirror = startMirror(() => new Response(null, { status: loops ? 508 : 200 }));
  const mirrors = create();
  assertEquals(await choose(mirrors, "a", [mirror.server]), null);
  loops = false;
  assertEquals((await choose(mirrors, "a", [mirror.server]))?.verified, true);
});

Deno.test("a dead mirror is asked last until its pause is over", async () => {
  let now = 0;
  let dead = true;
  await using first = startMirror(() => new Response(null, { status: dead ? 503 : 200 }));
  await using second = startMirrorWith("a", "b", "c");
  const mirrors = create({ now: () => now });
  const servers = [first.server, second.server];
  assertEquals((await choose(mirrors, "a", servers))?.origin, second.origin);
  dead = false;
  assertEquals((await choose(mirrors, "b", servers))?.origin, second.origin);
  assertEquals(first.asked.length, 1);
  // What only it has is still found there.
  assertEquals((await choose(mirrors, "z", servers))?.origin, first.origin);
  now = 10_001;
  assertEquals((await choose(mirrors, "c", servers))?.origin, first.origin);
});

Deno.test("for an optional file the first live mirror's no is the answer", async () => {
  await using lacks = startMirrorWith();
  await using has = startMirrorWith("core.db.sig");
  const servers = [closedServer(), lacks.server, has.server];
  assertEquals(await choose(create(), "core.db.sig", servers, true), null);
  assertEquals(has.asked, []);
});

Deno.test("mirrors that never answer cost less than half a second, then one is tried", async () => {
  await using first = startRaw("");
  await using second = startRaw("");
  const started = performance.now();
  const choice = await choose(create(), "a", [first.server, second.server]);
  const took = performance.now() - started;
  // Half a second, and what a busy machine adds; a wait for either mirror would last for seconds.
  assert(took < 3000, `took ${took} ms`);
  assertEquals(choice, {
    url: `${first.server}/a`,
    origin: first.origin,
    hasCredentials: false,
    verified: false,
    isSetAside: false,
  });
});

Deno.test("a slow first mirror gives way to the second", async () => {
  await using slow = startRaw("");
  await using second = startMirrorWith("a");
  const started = performance.now();
  const choice = await choose(create(), "a", [slow.server, second.server]);
  const took = performance.now() - started;
  assertEquals(choice?.origin, second.origin);
  assert(took < 3000, `took ${took} ms`);
});

Deno.test("no mirrors have nothing", async () => {
  assertEquals(await choose(create(), "a", []), null);
});

Deno.test("a neighbour who asks for what nobody has makes 600 checks, and no more at once", async () => {
  await using mirror = startMirrorWith("a");
  const mirrors = create();
  for (let index = 0; index < 700; index++) {
    await choose(mirrors, `absent${index}`, [mirror.server], false, "10.0.0.9");
  }
  // At ten a second, some came back meanwhile.
  assert(mirror.asked.length >= 600 && mirror.asked.length < 690, `${mirror.asked.length} checks`);

  // The neighbour is sent to the mirror unchecked, as pacman would have gone without us.
  const unchecked = await choose(mirrors, "more", [mirror.server], false, "10.0.0.9");
  assertEquals([unchecked?.url, unchecked?.verified], [`${mirror.server}/more`, false]);
  // Others, and this host, are served as before.
  for (const other of ["10.0.0.8", null]) {
    const choice = await choose(mirrors, "a", [mirror.server], false, other);
    assertEquals(choice?.verified, true, `for ${other}`);
  }
});

Deno.test("all neighbours together make 3,000 checks at once, and this host as many as it likes", async () => {
  let now = 1;
  await using mirror = startMirrorWith("a");
  const mirrors = create({ now: () => now });
  const neighbours = Array.from({ length: 70 }, (_, index) => `10.0.1.${index}`);
  for (const [number, neighbour] of neighbours.entries()) {
    await Promise.all(Array.from({ length: 20 }, async (_, index) => {
      for (const part of ["x", "y", "z"]) {
        await choose(mirrors, `${number}-${index}${part}`, [mirror.server], false, neighbour);
      }
    }));
  }
  assertEquals(mirror.asked.length, 3_000);
  assertEquals((await choose(mirrors, "a", [mirror.server]))?.verified, true);
  assertEquals(mirror.asked.length, 3_001);
  // A minute of an upgrade without pacserve goes through: 300 packages, each with its signature.
  now += 60_000;
  for (let index = 0; index < 600; index++) {
    await choose(mirrors, `late${index}`, [mirror.server], false, "10.0.0.7");
  }
  assertEquals(mirror.asked.length, 3_601);
});
