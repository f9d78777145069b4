import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { type MirrorChoice, Mirrors } from "../../../src/pacserve/mirrors.ts";
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

function create(options: Partial<ConstructorParameters<typeof Mirrors>[0]> = {}): Mirrors {
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

Deno.test("Mirrors.choose: the first mirror is down, the second lacks the file, and the third is chosen", async () => {
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

Deno.test("Mirrors.choose: an answer is stored for a short time, and simultaneous checks of a file share one request", async () => {
  // The cache treats 0 as "no time".
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

Deno.test("Mirrors.choose: a 508 of a mirror is not stored, because the next request may not be a loop", async () => {
  let loops = true;
  await using mirror = startMirror(() => new Response(null, { status: loops ? 508 : 200 }));
  const mirrors = create();
  assertEquals(await choose(mirrors, "a", [mirror.server]), null);
  loops = false;
  assertEquals((await choose(mirrors, "a", [mirror.server]))?.verified, true);
});

Deno.test("Mirrors.choose: a mirror that failed is asked last until its backoff is over", async () => {
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
  // A file that only this mirror has is still found.
  assertEquals((await choose(mirrors, "z", servers))?.origin, first.origin);
  now = 10_001;
  assertEquals((await choose(mirrors, "c", servers))?.origin, first.origin);
});

Deno.test('Mirrors.choose: for an optional file, a "not found" of the first working mirror is used', async () => {
  await using lacks = startMirrorWith();
  await using has = startMirrorWith("core.db.sig");
  const servers = [closedServer(), lacks.server, has.server];
  assertEquals(await choose(create(), "core.db.sig", servers, true), null);
  assertEquals(has.asked, []);
});

Deno.test("Mirrors.choose: if no mirror answers within half a second, the first one is chosen unverified", async () => {
  await using first = startRaw("");
  await using second = startRaw("");
  const started = performance.now();
  const choice = await choose(create(), "a", [first.server, second.server]);
  const took = performance.now() - started;
  // Half a second, and some time for a busy machine. A check of a mirror may take longer.
  assert(took < 3000, `took ${took} ms`);
  assertEquals(choice, {
    url: `${first.server}/a`,
    origin: first.origin,
    hasCredentials: false,
    verified: false,
    isSetAside: false,
  });
});

Deno.test("Mirrors.choose: the second mirror is chosen when the first one is slow", async () => {
  await using slow = startRaw("");
  await using second = startMirrorWith("a");
  const started = performance.now();
  const choice = await choose(create(), "a", [slow.server, second.server]);
  const took = performance.now() - started;
  assertEquals(choice?.origin, second.origin);
  assert(took < 3000, `took ${took} ms`);
});

Deno.test("Mirrors.choose: returns null without mirrors", async () => {
  assertEquals(await choose(create(), "a", []), null);
});

Deno.test("Mirrors.choose: a neighbour can cause 600 checks at once", async () => {
  await using mirror = startMirrorWith("a");
  const mirrors = create();
  for (let index = 0; index < 700; index++) {
    await choose(mirrors, `absent${index}`, [mirror.server], false, "10.0.0.9");
  }
  // Ten more are allowed each second.
  assert(mirror.asked.length >= 600 && mirror.asked.length < 690, `${mirror.asked.length} checks`);

  // The neighbour is redirected to the mirror without a check: without us, pacman would use it, too.
  const unchecked = await choose(mirrors, "more", [mirror.server], false, "10.0.0.9");
  assertEquals([unchecked?.url, unchecked?.verified], [`${mirror.server}/more`, false]);
  // The checks for other neighbours and for this host continue.
  for (const other of ["10.0.0.8", null]) {
    const choice = await choose(mirrors, "a", [mirror.server], false, other);
    assertEquals(choice?.verified, true, `for ${other}`);
  }
});

Deno.test("Mirrors.choose: all neighbours together can cause 3,000 checks at once; this host has no limit", async () => {
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
  // After a minute, an upgrade of a neighbour with 300 packages and their signatures is possible.
  now += 60_000;
  for (let index = 0; index < 600; index++) {
    await choose(mirrors, `late${index}`, [mirror.server], false, "10.0.0.7");
  }
  assertEquals(mirror.asked.length, 3_601);
});
