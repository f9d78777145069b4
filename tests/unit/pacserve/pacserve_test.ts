import { assert, assertEquals, assertMatch } from "../../assert.ts";
import type { Reply } from "../../../src/http/exchange.ts";
import { createPacserveMemory } from "../../../src/pacserve/memory.ts";
import { SILENT } from "../../log.ts";
import { readText } from "../../reply.ts";
import { inScratch, writeFiles } from "../../scratch.ts";
import { type Host, makeHost, peerWith, repositoryWith } from "./host.ts";
import { closedServer, startMirror, startMirrorWith, startRaw } from "./mirror.ts";
import { startProxy } from "./proxy.ts";

const PACKAGE = "foo-1:2.0+r1-1-x86_64.pkg.tar.zst";
const SIGNATURE = `${PACKAGE}.sig`;
const PEER = "http://10.0.0.2:15678/";
const ON_PEER = "http://10.0.0.2:15678/pkg/foo-1:2.0+r1-1-x86_64%2Epkg.tar.zst";

const PEER_SOURCE = "peer http://10.0.0.2:15678";

/** Returns the status, the `Location` and the source of a reply. */
function gist(reply: Reply | null): readonly unknown[] {
  return [reply?.status, reply?.headers["Location"] ?? null, reply?.source ?? null];
}

Deno.test("Pacserve.answer: sends a package in any cache, for each form of URL", async () => {
  await inScratch(async (directory) => {
    writeFiles(directory, { [`one/other`]: "", [`two/${PACKAGE}`]: "content" });
    const host = makeHost({ caches: [`${directory}/one`, `${directory}/two`] });
    for (
      const address of [
        `/pacman/core/x86_64/${PACKAGE}`,
        `/request/core/x86_64/${encodeURIComponent(PACKAGE)}`,
        `/pkg/?repo=core&arch=x86_64&file=/${PACKAGE}`,
        `/pkg/${PACKAGE.replace(".pkg", "%2Epkg")}`,
        `/pacman/unknown/aarch64/${PACKAGE}`,
      ]
    ) {
      const reply = await host.get(address, { from: "192.0.2.9" });
      assert(reply !== null);
      assertEquals([reply.status, reply.source, await readText(reply)], [200, "cache", "content"]);
    }
    assertEquals(host.searched, []);
  });
});

Deno.test("Pacserve.answer: returns null for other URLs than pacman's, and for other methods", async () => {
  await inScratch(async (directory) => {
    writeFiles(directory, { "cache/sub/x": "" });
    const host = makeHost({ caches: [`${directory}/cache`] });
    for (const target of ["/", "/pkg/", "/pkg", "/pkg/sub", "/a/b", "/pkg/?page=peers"]) {
      assertEquals(await host.get(target), null);
    }
    assertEquals(await host.get(`/pacman/core/x86_64/${PACKAGE}`, { method: "POST" }), null);
  });
});

Deno.test("Pacserve.answer: redirects to a peer that has the package, and does not ask the mirror", async () => {
  await using mirror = startMirrorWith(PACKAGE);
  const host = makeHost({
    repositories: [repositoryWith([mirror.server])],
    findPeer: peerWith(PEER, PACKAGE, SIGNATURE),
  });
  const reply = await host.get(`/pacman/core/x86_64/${PACKAGE}`);
  assertEquals(gist(reply), [307, ON_PEER, "peer http://10.0.0.2:15678"]);
  assertEquals(gist(await host.get(`/pacman/core/x86_64/${SIGNATURE}`))[1], `${ON_PEER}.sig`);
  assertEquals(mirror.asked, []);
});

Deno.test("Pacserve.answer: redirects to the first mirror that has the file, if no peer has it", async () => {
  await using lacks = startMirrorWith();
  await using has = startMirrorWith(PACKAGE, "core.db");
  const host = makeHost({
    repositories: [repositoryWith([closedServer(), lacks.server, has.server])],
  });
  const source = `mirror ${has.origin}`;
  assertEquals(gist(await host.get(`/pacman/core/x86_64/${PACKAGE}`)), [
    307,
    `${has.server}/${PACKAGE}`,
    source,
  ]);
  assertEquals(gist(await host.get("/pacman/core/x86_64/core.db")), [
    307,
    `${has.server}/core.db`,
    source,
  ]);
  assertEquals(host.searched, [`pkg/${PACKAGE}`]);
});

Deno.test("Pacserve.answer: redirects another host to a mirror behind a proxy, too", async () => {
  // Only the proxy can resolve the name of the mirror.
  await using mirror = startMirrorWith("core.db");
  await using proxy = startProxy();
  const proxies = { http: proxy.address, https: "", exceptions: "" };
  const memory = createPacserveMemory({ log: SILENT, proxies });
  const server = mirror.server.replace("127.0.0.1", "mirror.invalid");
  await using host = makeHost({ repositories: [repositoryWith([server])], memory });
  const reply = await host.get("/pacman/core/x86_64/core.db", { from: "192.0.2.9" });
  assertEquals(gist(reply), [307, `${server}/core.db`, `mirror ${new URL(server).origin}`]);
});

Deno.test("Pacserve.answer: two servers that are each other's mirrors do not cause a loop of requests", async () => {
  await using mirror = startMirrorWith("core.db");
  let first: Host | null = null;
  let second: Host | null = null;
  await using one = startMirror((request) => serve(first, request));
  await using two = startMirror((request) => serve(second, request));
  const at = (origin: string): string => `${origin}/pacman/core/x86_64`;
  const port = (origin: string): number => Number(new URL(origin).port);
  first = makeHost({ port: port(one.origin), repositories: [repositoryWith([at(two.origin)])] });
  second = makeHost({
    port: port(two.origin),
    repositories: [repositoryWith([at(one.origin), mirror.server])],
  });

  const found = await first.get("/pacman/core/x86_64/core.db");
  assertEquals(gist(found), [307, `${at(two.origin)}/core.db`, `mirror ${two.origin}`]);
  const missing = await first.get("/pacman/core/x86_64/core.files");
  assertEquals(missing?.status, 404);
  assert(one.asked.length <= 2 && two.asked.length <= 2, `${one.asked} ${two.asked}`);
});

/** Sends the reply of a host over HTTP. */
async function serve(host: Host | null, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const reply = await host?.get(pathname + search, {
    method: request.method,
    headers: Object.fromEntries(request.headers),
  });
  const location = reply?.headers["Location"];
  return new Response(null, {
    status: reply?.status ?? 500,
    headers: typeof location === "string" ? { Location: location } : {},
  });
}

Deno.test("Pacserve.answer: a file that no source has is a 404, also without mirrors", async () => {
  await using mirror = startMirrorWith();
  const host = makeHost({ repositories: [repositoryWith([mirror.server])] });
  for (
    const address of [`core/x86_64/${PACKAGE}`, "core/x86_64/core.db", "other/x86_64/other.db"]
  ) {
    const reply = await host.get(`/pacman/${address}`);
    assertEquals(reply?.status, 404);
  }
  const alone = makeHost({ repositories: [repositoryWith([])] });
  assertEquals((await alone.get(`/pacman/core/x86_64/${PACKAGE}`))?.status, 404);
});

Deno.test("Pacserve.answer: databases come from a mirror, unless the peers are trusted", async () => {
  await using mirror = startMirrorWith("core.db", "core.files");
  const parts = {
    repositories: [repositoryWith([mirror.server])],
    findPeer: peerWith(PEER, "core.db", "core.files", "core.db.sig"),
  };
  const careful = makeHost(parts);
  for (const file of ["core.db", "core.files"]) {
    assertEquals(
      gist(await careful.get(`/pacman/core/x86_64/${file}`))[1],
      `${mirror.server}/${file}`,
    );
  }
  assertEquals((await careful.get("/pacman/core/x86_64/core.db.sig"))?.status, 404);
  assertEquals((await careful.get("/pkg/core.db"))?.status, 404);
  assertEquals(careful.searched, []);

  const trusting = makeHost({ ...parts, trustPeers: true });
  // Also the second time: a repeated request does not mean that the database was wrong.
  for (let time = 0; time < 2; time++) {
    assertEquals(
      gist(await trusting.get("/pacman/core/x86_64/core.db"))[1],
      "http://10.0.0.2:15678/pkg/core.db",
    );
  }
});

Deno.test("Pacserve.answer: a signature that pacman does not require never comes from a peer", async () => {
  await using mirror = startMirrorWith(PACKAGE, SIGNATURE);
  const host = makeHost({
    repositories: [
      repositoryWith([mirror.server], false, "third"),
      repositoryWith([], false, "alone"),
    ],
    findPeer: peerWith(PEER, PACKAGE, SIGNATURE),
  });
  assertEquals(gist(await host.get(`/pacman/third/x86_64/${PACKAGE}`))[1], ON_PEER);
  assertEquals(
    gist(await host.get(`/pacman/third/x86_64/${SIGNATURE}`))[1],
    `${mirror.server}/${SIGNATURE}`,
  );
  for (const address of ["/pacman/alone/x86_64/", "/pacman/unknown/x86_64/", "/pkg/"]) {
    const reply = await host.get(`${address}${SIGNATURE}`);
    assert(reply !== null && !String(reply.headers["Location"]).startsWith(PEER));
  }
});

Deno.test("Pacserve.answer: redirects a client to a peer only if the client can get the signature afterwards", async () => {
  const findPeer = peerWith(PEER, PACKAGE, SIGNATURE);
  const from = "192.0.2.9";
  // The first URL is that of a NAS without pacman, the second one has a repository that is not configured.
  for (const address of [`/pkg/${PACKAGE}`, `/pacman/core/x86_64/${PACKAGE}`]) {
    assertEquals(gist(await makeHost({ findPeer }).get(address, { from })), [404, null, "nowhere"]);
    const trusting = makeHost({ findPeer, trustPeers: true });
    assertEquals(gist(await trusting.get(address, { from })), [307, ON_PEER, PEER_SOURCE]);
    const repositories = [repositoryWith(["http://mirror.invalid/core"], false)];
    const reply = await makeHost({ findPeer, repositories }).get(address, { from });
    assertEquals(gist(reply), [307, ON_PEER, PEER_SOURCE]);
  }
});

Deno.test("Pacserve.answer: a host that shares its databases itself gets them from a mirror", async () => {
  await using mirror = startMirrorWith("core.db");
  await inScratch(async (directory) => {
    writeFiles(directory, {
      "db/sync/core.db": "database",
      [`db/cache/${PACKAGE}`]: "package",
    });
    const host = makeHost({
      caches: [`${directory}/db/sync`, `${directory}/db/cache`],
      repositories: [repositoryWith([mirror.server])],
      pacman: { databasePath: `${directory}/db` },
      findPeer: peerWith(PEER, "core.db"),
      trustPeers: true,
    });
    for (const from of ["127.0.0.1", "10.0.0.1"]) {
      const own = await host.get("/pacman/core/x86_64/core.db", { from });
      assertEquals(gist(own)[1], `${mirror.server}/core.db`);
    }
    // The same is true when the share is a link to the databases.
    Deno.symlinkSync("db/sync", `${directory}/link`);
    const linked = makeHost({
      caches: [`${directory}/link`],
      repositories: [repositoryWith([mirror.server])],
      pacman: { databasePath: `${directory}/db` },
    });
    assertEquals(
      gist(await linked.get("/pacman/core/x86_64/core.db"))[1],
      `${mirror.server}/core.db`,
    );
    const other = await host.get("/pacman/core/x86_64/core.db", { from: "10.0.0.7" });
    assert(other !== null);
    assertEquals([other.status, await readText(other)], [200, "database"]);
    const again = await host.get("/pacman/core/x86_64/core.db", {
      from: "10.0.0.7",
      headers: { "if-modified-since": String(other.headers["Last-Modified"]) },
    });
    assertEquals(again?.status, 304);
    // The database would be wrong for another architecture.
    const arm = await host.get("/pacman/core/aarch64/core.db", { from: "10.0.0.7" });
    assert(arm?.status !== 200);
    // A package below the database path is shared like any other.
    const found = await host.get(`/pacman/core/x86_64/${PACKAGE}`);
    assert(found !== null);
    assertEquals([found.status, await readText(found)], [200, "package"]);
  });
});

Deno.test("Pacserve.answer: files of a mirror with credentials are relayed to this host, and not to others", async () => {
  // curl ignores the credentials in the URL of a redirect.
  await using mirror = startMirror((request) => {
    if (request.headers.get("Authorization") !== `Basic ${btoa("user:secret")}`) {
      return new Response("no", { status: 401 });
    }
    if (!request.url.endsWith(PACKAGE)) return new Response("no", { status: 404 });
    return request.headers.get("Range") === "bytes=2-"
      ? new Response("ckage", { status: 206, headers: { "Content-Range": "bytes 2-6/7" } })
      : new Response("package", { headers: { "Content-Length": "7", "Set-Cookie": "a=b" } });
  });
  const server = mirror.server.replace("//", "//user:secret@");
  const host = makeHost({ repositories: [repositoryWith([server, closedServer()])] });
  const address = `/pacman/core/x86_64/${PACKAGE}`;

  const own = await host.get(address);
  assert(own !== null);
  assertEquals([own.status, own.headers["Content-Length"], own.headers["Set-Cookie"]], [
    200,
    "7",
    undefined,
  ]);
  assertEquals(own.source, `mirror ${mirror.origin}`);
  assertEquals(await readText(own), "package");
  const resumed = await host.get(address, { headers: { range: "bytes=2-" } });
  assert(resumed !== null);
  assertEquals([resumed.status, resumed.headers["Content-Range"]], [206, "bytes 2-6/7"]);
  assertEquals(await readText(resumed), "ckage");
  assertEquals((await host.get("/pacman/core/x86_64/core.db"))?.status, 404);

  const asked = mirror.asked.length;
  assertEquals((await host.get(address, { from: "192.0.2.9" }))?.status, 404);
  assertEquals(mirror.asked.length, asked);
  assert(!host.log.join().includes("secret"));
});

Deno.test("Pacserve.answer: this server is not used as a mirror, and a request that comes back gets 508", async () => {
  const memory = createPacserveMemory({ log: SILENT });
  const host = makeHost({
    repositories: [repositoryWith(["http://box:15678/pacman/core/x86_64"])],
    memory,
  });
  assertEquals((await host.get("/pacman/core/x86_64/core.db"))?.status, 404);
  const looped = await host.get("/pacman/core/x86_64/core.db", {
    headers: { via: `1.1 ${memory.instance}, 1.1 other` },
  });
  assertEquals(looped?.status, 508);
  // A mirror might refuse such a `Via`, as if it did not have the file.
  const hops = Array.from({ length: 20 }, () => "1.1 x").join(", ");
  for (const via of [hops, `1.1 ${"x".repeat(5000)}`, "1.1 \u00e9\u20ac"]) {
    const far = await host.get("/pacman/core/x86_64/core.db", { headers: { via } });
    assertEquals(far?.status, 508, via.slice(0, 20));
  }
});

Deno.test("Pacserve.answer: serves a repository of file: servers from its directories, and no other files in them", async () => {
  await inScratch(async (directory) => {
    writeFiles(directory, {
      [`a/${PACKAGE}`]: "package",
      "a/private.txt": "private",
      "a/local.db.tar.gz": "database",
      "secret/bar-1-1-any.pkg.tar.zst": "elsewhere",
    });
    await Deno.symlink("local.db.tar.gz", `${directory}/a/local.db`);
    await Deno.symlink(
      "../secret/bar-1-1-any.pkg.tar.zst",
      `${directory}/a/bar-1-1-any.pkg.tar.zst`,
    );
    const host = makeHost({
      repositories: [
        repositoryWith([`file://${directory}/a`, `file://${directory}/b`], false, "local"),
      ],
    });
    const get = async (file: string): Promise<readonly unknown[]> => {
      const reply = await host.get(`/pacman/local/x86_64/${file}`, { from: "192.0.2.9" });
      assert(reply !== null);
      return [reply.status, reply.source, reply.status === 200 ? await readText(reply) : ""];
    };
    assertEquals(await get(PACKAGE), [200, "file repository", "package"]);
    assertEquals(await get("local.db"), [200, "file repository", "database"]);
    for (const file of ["private.txt", "local.db.sig", "local.files", "bar-1-1-any.pkg.tar.zst"]) {
      assertEquals((await get(file))[0], 404, file);
    }
  });
});

Deno.test("Pacserve.answer: a package of a URL without repository comes from the mirrors of any repository", async () => {
  await using core = startMirrorWith();
  await using extra = startMirrorWith(PACKAGE);
  const host = makeHost({
    repositories: [
      repositoryWith([core.server]),
      repositoryWith([extra.server], true, "extra"),
    ],
  });
  const reply = await host.get(`/pkg/${PACKAGE}`, { from: "192.0.2.9" });
  assertEquals(reply?.status, 404, "another host was redirected to our loopback interface");
  assertEquals(gist(await host.get(`/pkg/${PACKAGE}`))[1], `${extra.server}/${PACKAGE}`);
});

Deno.test("Pacserve.answer: peers and mirrors that do not answer delay a reply by at most half a second", async () => {
  await using silent = startRaw("");
  const host = makeHost({
    repositories: [repositoryWith([silent.server])],
    findPeer: async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return null;
    },
  });
  const started = performance.now();
  const reply = await host.get(`/pacman/core/x86_64/${PACKAGE}`);
  const took = performance.now() - started;
  // Allow some time for a busy machine. The mirror itself would never answer.
  assert(took < 3000, `took ${took} ms`);
  assertEquals(reply?.status, 307);
  assertMatch(reply?.source ?? "", /^mirror http:\S+ \(not verified\)$/);
});

Deno.test("Pacserve.answer: if the search among peers fails, the package comes from a mirror", async () => {
  await using mirror = startMirrorWith(PACKAGE);
  const host = makeHost({
    repositories: [repositoryWith([mirror.server])],
    findPeer: () => Promise.reject(new Error("broken")),
  });
  assertEquals(
    (await host.get(`/pacman/core/x86_64/${PACKAGE}`))?.source,
    `mirror ${mirror.origin}`,
  );
  assertEquals(host.log.length, 1);
});
