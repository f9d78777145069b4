/** Tests that pacserve itself sends a file to pacman on this host, whatever its source is. */

import { createHash } from "node:crypto";
import type { Reply } from "../../../src/http/exchange.ts";
import type { ExpectedFile } from "../../../src/pacserve/expected_files.ts";
import { createPacserveMemory } from "../../../src/pacserve/memory.ts";
import { RELAY_TIMES } from "../../../src/pacserve/relay/times.ts";
import { assert, assertEquals, assertMatch } from "../../assert.ts";
import { KeptLog } from "../../log.ts";
import { readText } from "../../reply.ts";
import { inScratch, Scratch, writeFiles } from "../../scratch.ts";
import { type HostParts, makeHost, repositoryWith } from "./host.ts";
import {
  closedServer,
  startMirror,
  startRaw,
  startUnreachable,
  type TestMirror,
} from "./mirror.ts";

const PACKAGE = "foo-1:2.0+r1-1-x86_64.pkg.tar.zst";
const ADDRESS = `/pacman/core/x86_64/${PACKAGE}`;

/** A signature: one packet of a binary document, version 4, Ed25519, SHA-512, no subpackets, zeros. */
const SIGNATURE = Uint8Array.from([0xc2, 74, 4, 0, 27, 10, ...new Array(70).fill(0)]);

/** Starts a mirror or a peer that has files with these contents. */
function serverOf(files: Readonly<Record<string, string>>): TestMirror {
  return startMirror((request) => {
    const name = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1) ?? "");
    const content = files[name];
    if (content === undefined) return new Response("no", { status: 404 });
    return new Response(content, {
      headers: {
        "Content-Length": String(content.length),
        "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT",
      },
    });
  });
}

function describing(content: string): ReadonlyMap<string, ExpectedFile> {
  const sha256 = createHash("sha256").update(content).digest();
  return new Map([[PACKAGE, { size: content.length, sha256 }]]);
}

/** Returns a search that finds the package at this server. */
function onPeer(server: TestMirror, size: number | null): NonNullable<HostParts["findPeer"]> {
  const url = `${server.origin}/pkg/${PACKAGE}`;
  return (place) =>
    Promise.resolve(
      place === `pkg/${PACKAGE}` ? { peer: `${server.origin}/`, url, size } : null,
    );
}

async function gist(reply: Reply | null): Promise<readonly unknown[]> {
  assert(reply !== null);
  return [reply.status, reply.source ?? null, reply.status === 307 ? "" : await readText(reply)];
}

Deno.test("RelayedFiles: a peer's package is relayed, its digest is requested, and the mirror is not used", async () => {
  await using peer = serverOf({ [PACKAGE]: "right" });
  await using mirror = serverOf({ [PACKAGE]: "right" });
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([mirror.server], false)],
    findPeer: onPeer(peer, 5),
    expected: describing("right"),
  });
  const reply = await host.get(ADDRESS);
  assertEquals(reply?.headers["Content-Length"], "5");
  assertEquals(reply?.headers["Last-Modified"], "Sun, 22 Nov 2026 10:00:00 GMT");
  assertEquals(await gist(reply), [200, `peer ${peer.origin}`, "right"]);
  const [headers] = peer.headers;
  assertEquals(headers?.get("Pacserve-Instance"), "this-very-server");
  assertMatch(headers?.get("Pacserve-Digest") ?? "", /^sha256=[0-9a-f]{64}$/);
  assertEquals(mirror.asked.filter((line) => line.startsWith("GET")), []);
});

Deno.test("RelayedFiles: a peer with another build of the same name is ignored or replaced", async () => {
  await using mirror = serverOf({ [PACKAGE]: "right" });
  for (const content of ["wrong", "longer than right"]) {
    await using peer = serverOf({ [PACKAGE]: content });
    await using host = makeHost({
      redirect: false,
      repositories: [repositoryWith([mirror.server], false)],
      findPeer: onPeer(peer, content.length),
      expected: describing("right"),
    });
    assertEquals(await gist(await host.get(ADDRESS)), [200, `mirror ${mirror.origin}`, "right"]);
    const gets = peer.asked.filter((line) => line.startsWith("GET")).length;
    assertEquals(gets, content.length === "right".length ? 1 : 0);
  }
});

Deno.test("Redirects: another host is redirected only to a copy with the expected length", async () => {
  await using mirror = serverOf({ [PACKAGE]: "right" });
  await using peer = serverOf({ [PACKAGE]: "right" });
  // Other hosts are not redirected to a mirror on this host's loopback interface.
  for (const [size, source] of [[5, `peer ${peer.origin}`], [6, "nowhere"]]) {
    await using host = makeHost({
      redirect: false,
      repositories: [repositoryWith([mirror.server])],
      findPeer: onPeer(peer, Number(size)),
      expected: describing("right"),
    });
    const reply = await host.get(ADDRESS, { from: "192.0.2.9" });
    assertEquals(reply?.source, source);
  }
});

Deno.test("Pacserve.answer: a file in the cache whose size differs from the database is not sent", async () => {
  await using mirror = serverOf({ [PACKAGE]: "right" });
  await inScratch(async (directory) => {
    writeFiles(directory, { [PACKAGE]: "" });
    await using host = makeHost({
      redirect: false,
      caches: [directory],
      repositories: [repositoryWith([mirror.server], false)],
      expected: describing("right"),
    });
    assertEquals(await gist(await host.get(ADDRESS)), [200, `mirror ${mirror.origin}`, "right"]);
    assertMatch(host.log.join("\n"), /is not used: it has 0 bytes, which differs/);
    const elsewhere = await host.get(ADDRESS, { from: "192.0.2.9" });
    assertEquals(elsewhere?.status, 404);
  });
});

Deno.test("Pacserve.answer: a malformed signature in the cache is sent only if there is no other one", async () => {
  await using mirror = startMirror((request) =>
    request.url.endsWith(".sig")
      ? new Response(SIGNATURE, { headers: { "Content-Length": String(SIGNATURE.length) } })
      : new Response(null, { status: 404 })
  );
  for (const broken of ["", "garbage"]) {
    await inScratch(async (directory) => {
      writeFiles(directory, { [`${PACKAGE}.sig`]: broken });
      const parts = { redirect: false, caches: [directory] };
      await using host = makeHost({
        ...parts,
        repositories: [repositoryWith([mirror.server], false)],
      });
      const reply = await host.get(`${ADDRESS}.sig`);
      assertEquals([reply?.source, reply?.body], [`mirror ${mirror.origin}`, SIGNATURE]);
      assertMatch(host.log.join("\n"), /is not used: it is not a signature/);
      await using alone = makeHost({ ...parts, repositories: [repositoryWith([])] });
      assertEquals(await gist(await alone.get(`${ADDRESS}.sig`)), [200, "cache", broken]);
    });
  }
});

Deno.test("RelayedFiles: an empty database of a mirror is not used if another mirror has one", async () => {
  await using empty = serverOf({ "core.db": "" });
  await using other = serverOf({ "core.db": "right" });
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([empty.server, other.server], false)],
  });
  const reply = await host.get("/pacman/core/x86_64/core.db");
  assertEquals(await gist(reply), [200, `mirror ${other.origin}`, "right"]);
});

Deno.test("Pacserve.answer: pacman gets the correct file although its broken one is newer", async () => {
  await inScratch(async (directory) => {
    writeFiles(directory, { [PACKAGE]: "rig" });
    await using mirror = serverOf({ [PACKAGE]: "right" });
    await using host = makeHost({
      redirect: false,
      caches: [directory],
      repositories: [repositoryWith([mirror.server], false)],
      expected: describing("right"),
    });
    const headers = { "if-modified-since": new Date().toUTCString() };
    const reply = await host.get(ADDRESS, { headers });
    assertEquals(await gist(reply), [200, `mirror ${mirror.origin}`, "right"]);
    // With this field, libcurl would refuse the correct file, because it is older.
    assertEquals(reply?.headers["Last-Modified"], undefined);
  });
});

Deno.test("Pacserve.answerPeer: a peer gets 404 for the digest of another build, and the file for the same build", async () => {
  await inScratch(async (directory) => {
    writeFiles(directory, { [PACKAGE]: "right" });
    await using host = makeHost({ caches: [directory], expected: describing("right") });
    const ask = (content: string): number | undefined => {
      const digest = createHash("sha256").update(content).digest("hex");
      return host.getAsPeer(`/pkg/${PACKAGE}`, { "pacserve-digest": `sha256=${digest}` })?.status;
    };
    assertEquals(ask("wrong"), 404);
    // The file server answers these requests.
    assertEquals([ask("right"), host.getAsPeer(`/pkg/${PACKAGE}`)], [undefined, null]);
    await using unknown = makeHost({ caches: [directory] });
    const headers = { "pacserve-digest": `sha256=${"0".repeat(64)}` };
    assertEquals(unknown.getAsPeer(`/pkg/${PACKAGE}`, headers), null);
  });
});

Deno.test("Pacserve.answerPeer: a peer gets 404 for a file in the cache whose size differs from the database", async () => {
  await inScratch(async (directory) => {
    writeFiles(directory, { [PACKAGE]: "" });
    await using host = makeHost({ caches: [directory], expected: describing("right") });
    assertEquals(host.getAsPeer(`/pkg/${PACKAGE}`)?.status, 404);
  });
});

Deno.test("RelayedFiles: a database and its signature come from the same mirror", async () => {
  const files = { "core.db": "new", "core.db.sig": "its signature" };
  await using first = serverOf({ "core.db.sig": "another" });
  await using second = startMirror((request) => {
    if (request.headers.get("Authorization") !== `Basic ${btoa("user:secret")}`) {
      return new Response("no", { status: 401 });
    }
    const content = files[new URL(request.url).pathname.split("/").at(-1) as "core.db"];
    return new Response(content, { headers: { "Content-Length": String(content.length) } });
  });
  const server = second.server.replace("//", "//user:secret@");
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([first.server, server])],
  });
  const database = await host.get("/pacman/core/x86_64/core.db");
  assertEquals(await gist(database), [200, `mirror ${second.origin}`, "new"]);
  const signature = await host.get("/pacman/core/x86_64/core.db.sig");
  assertEquals(await gist(signature), [200, `mirror ${second.origin}`, "its signature"]);
  assert(!host.log.join().includes("secret"));
});

Deno.test("RelayedFiles: if two mirrors are requested for a database, its signature comes from the one that sent it", async () => {
  const give = (text: string): Response =>
    new Response(text, { headers: { "Content-Length": String(text.length) } });
  await using slow = startMirror(async ({ url, method }) => {
    if (url.endsWith(".sig")) return give("right");
    if (method === "GET") await new Promise((resolve) => setTimeout(resolve, 1_000));
    return give("a database");
  });
  await using silent = startMirror(({ url, method }) => {
    if (url.endsWith(".sig")) return give("wrong");
    if (method === "HEAD") return give("a database");
    // Send the head and no bytes.
    const body = new ReadableStream({ pull: () => new Promise<void>(() => {}) });
    return new Response(body, { headers: { "Content-Length": "10" } });
  });
  const times = { ...RELAY_TIMES, hedge: { after: 200, every: 100 } };
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([slow.server, silent.server])],
    memory: createPacserveMemory({ log: new KeptLog(), times }),
  });
  assertEquals(await gist(await host.get("/pacman/core/x86_64/core.db")), [
    200,
    `mirror ${slow.origin}`,
    "a database",
  ]);
  assertMatch(silent.asked.join(), /GET [^,]*core\.db/);
  assertEquals((await gist(await host.get("/pacman/core/x86_64/core.db.sig")))[2], "right");
});

Deno.test("RelayedFiles: a database that is not newer gets 304", async () => {
  await using mirror = startMirror((request) =>
    request.headers.has("If-Modified-Since")
      ? new Response(null, { status: 304 })
      : new Response("database", { headers: { "Content-Length": "8" } })
  );
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([mirror.server])],
  });
  const headers = { "if-modified-since": "Sun, 22 Nov 2026 10:00:00 GMT" };
  assertEquals((await host.get("/pacman/core/x86_64/core.db", { headers }))?.status, 304);
  assertEquals(await gist(await host.get("/pacman/core/x86_64/core.db")), [
    200,
    `mirror ${mirror.origin}`,
    "database",
  ]);
});

Deno.test("RelayedFiles: pacman is redirected to a mirror that this server cannot reach, the next time at once", async () => {
  using silent = await startUnreachable();
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([silent.server])],
  });
  const first = await host.get("/pacman/core/x86_64/core.db");
  assertEquals([first?.status, first?.headers["Location"]], [307, `${silent.server}/core.db`]);
  const begun = performance.now();
  const second = await host.get("/pacman/core/x86_64/core.files");
  assertEquals([second?.status, second?.headers["Location"]], [
    307,
    `${silent.server}/core.files`,
  ]);
  assert(performance.now() - begun < 2000, "the server waited for the mirror again");
});

Deno.test("RelayedFiles: if no mirror begins to send, pacman is redirected to one that has confirmed the file", async () => {
  await using silent = startRaw("");
  // This mirror confirms the file, but does not begin to send it.
  await using slow = startMirror((request) =>
    request.method === "HEAD"
      ? new Response(null, { headers: { "Content-Length": "5" } })
      : new Promise<Response>((resolve) => {
        request.signal.addEventListener("abort", () => resolve(new Response()));
      })
  );
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([silent.server, slow.server], false)],
    expected: describing("right"),
  });
  const begun = performance.now();
  const reply = await host.get(ADDRESS);
  assertEquals(reply?.status, 307);
  assert(String(reply?.headers["Location"]).startsWith(slow.server));
  // pacman gives up after ten seconds without an answer. A redirect gives it another ten seconds.
  assert(performance.now() - begun < 9_500, "pacman has already given up");
});

Deno.test("RelayedFiles: if no mirror confirms the file in time, pacman is redirected to one that accepts connections", async () => {
  using dead = await startUnreachable();
  await using slow = startRaw("");
  const log = new KeptLog();
  const times = { ...RELAY_TIMES, hedge: { after: 500, every: 100 }, lastMoment: 5_000 };
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([dead.server, slow.server], false)],
    expected: describing("right"),
    memory: createPacserveMemory({ log, times }),
  });
  const reply = await host.get(ADDRESS);
  assertEquals(reply?.status, 307);
  assert(String(reply?.headers["Location"]).startsWith(slow.server));
});

Deno.test("RelayedFiles: a file that no source has is a 404, although another mirror is down", async () => {
  await using mirror = serverOf({});
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([closedServer(), mirror.server])],
  });
  assertEquals((await host.get(ADDRESS))?.status, 404);
});

Deno.test("RelayedFiles: if a mirror does not send a signature, that of the next mirror is used", async () => {
  await using page = startMirror(() => {
    const text = "<html>not found</html>";
    return new Response(text, { headers: { "Content-Length": String(text.length) } });
  });
  await using good = startMirror(() =>
    new Response(SIGNATURE, { headers: { "Content-Length": String(SIGNATURE.length) } })
  );
  await using host = makeHost({
    redirect: false,
    repositories: [repositoryWith([page.server, good.server])],
  });
  const reply = await host.get(`${ADDRESS}.sig`);
  assertEquals([reply?.status, reply?.source, reply?.body], [
    200,
    `mirror ${good.origin}`,
    SIGNATURE,
  ]);
});

Deno.test("RelayedFiles: a file whose mirrors are for this host only is neither tracked nor shared", async () => {
  await using mirror = serverOf({ [PACKAGE]: "right" });
  using scratch = new Scratch();
  const spool = scratch.directory;
  // The second URL does not look like one of this host, so other hosts might reach it.
  const shared = mirror.server.replace("127.0.0.1", "0.0.0.0");
  for (const [servers, isShared] of [[[mirror.server], false], [[shared], true]] as const) {
    const wanted: string[] = [];
    await using host = makeHost({
      redirect: false,
      repositories: [repositoryWith(servers, false)],
      expected: describing("right"),
      spool,
      wants: {
        instance: "this-very-server",
        ask: ({ file }) => {
          wanted.push(file);
          return {
            soon: () => Promise.resolve(null),
            late: Promise.resolve(null),
            confirm: () => {},
          };
        },
        peerOf: () => null,
      },
    });
    const reply = await host.get(ADDRESS);
    assert(reply !== null);
    // Request the in-flight file like a relay, and then the verified file with and without the digest.
    const sha256 = createHash("sha256").update("right").digest("hex");
    const fields = {
      "pacserve-instance": "another-server",
      "pacserve-digest": `sha256=${sha256}`,
    };
    assertEquals(host.getAsPeer(`/pkg/${PACKAGE}`, fields)?.status === 200, isShared);
    assertEquals(await readText(reply), "right");
    for (const headers of [fields, { "pacserve-instance": "another-server" }]) {
      assertEquals(host.getAsPeer(`/pkg/${PACKAGE}`, headers)?.status === 200, isShared);
    }
    assertEquals(wanted.length > 0, isShared);
  }
});
