import { assert, assertEquals } from "../assert.ts";
import { Scratch } from "../scratch.ts";
import {
  find,
  serve,
  serveOriginal,
  servePeer,
  serveSilence,
  type TestPeer,
  type TestServer,
  until,
  verdictOf,
} from "./lan.ts";

/** Starts a peer that shares its own directory. */
async function serveDirectory(names: readonly string[]): Promise<TestPeer & { directory: string }> {
  const scratch = new Scratch();
  const { directory } = scratch;
  for (const name of names) await Deno.writeTextFile(`${directory}/${name}`, name);
  const exists = (segments: readonly string[]): boolean => {
    try {
      return segments[0] === "pkg" && Deno.statSync(`${directory}/${segments[1]}`).isFile;
    } catch {
      return false;
    }
  };
  const files = { has: (path: string): boolean => exists(path.split("/")) };
  const peer = await servePeer([], {}, {
    has: exists,
    index: {
      directories: [directory],
      names: () => Promise.resolve([...Deno.readDirSync(directory)].map(({ name }) => name)),
    },
  }, { files });
  return {
    ...peer,
    directory,
    async [Symbol.asyncDispose](): Promise<void> {
      await peer[Symbol.asyncDispose]();
      scratch[Symbol.dispose]();
    },
  };
}

const checks = (server: TestServer): number =>
  server.requests.filter((line) => line === "POST /").length;
const indexes = (server: TestServer): number =>
  server.requests.filter((line) => line.startsWith("GET /?index")).length;

/** Starts a server that has fetched the indexes of these peers. */
async function serveInformed(...peers: TestPeer[]): Promise<TestPeer> {
  await until(() => peers.every((peer) => peer.peers.replyHeaders()["Pacserve-Index"] === "1"));
  const asking = await servePeer([], { staticPeers: peers.map(({ base }) => base) });
  await until(() => peers.every(({ base }) => verdictOf(asking, base, "nothing") === "no"));
  return asking;
}

Deno.test("index: a file in an index needs one question to one peer", async () => {
  await using one = await serveDirectory(["a", "b"]);
  await using two = await serveDirectory(["c"]);
  await using asking = await serveInformed(one, two);
  one.requests.length = two.requests.length = 0;
  assertEquals(await find(asking, "pkg/b"), one.base + "pkg/b");
  assertEquals(one.requests, ["HEAD /pkg/b"]);
  assertEquals(two.requests, []);
});

Deno.test("index: a file that is in no index needs no question", async () => {
  await using one = await serveDirectory(["a"]);
  await using asking = await serveInformed(one);
  one.requests.length = 0;
  assertEquals(await find(asking, "pkg/zzz"), null);
  assertEquals(one.requests, []);
});

Deno.test("index: peers are asked for files that indexes do not contain", async () => {
  await using one = await serveDirectory(["a"]);
  await using asking = await serveInformed(one);
  one.requests.length = 0;
  assertEquals(await find(asking, "other/a"), null);
  assertEquals(one.requests, ["POST /"]);
});

Deno.test("index: peers without an index are asked when no index has the file", async () => {
  await using one = await serveDirectory(["a"]);
  await using original = await serveOriginal(["pkg/a", "pkg/old"]);
  await until(() => one.peers.replyHeaders()["Pacserve-Index"] === "1");
  await using asking = await servePeer([], { staticPeers: [one.base, original.base] });
  await until(() => verdictOf(asking, one.base, "a") === "yes" && checks(original) === 1);
  assertEquals(await find(asking, "pkg/a"), one.base + "pkg/a");
  assertEquals(checks(original), 1);
  const before = checks(one);
  assertEquals(await find(asking, "pkg/old"), original.base + "pkg/old");
  assertEquals([checks(one), checks(original)], [before, 2]);
});

Deno.test("index: changes in the directory reach the peers soon, and only as differences", async () => {
  await using one = await serveDirectory(["a", "b"]);
  await using asking = await serveInformed(one);
  one.requests.length = 0;
  await Deno.writeTextFile(`${one.directory}/new`, "new");
  await until(() => verdictOf(asking, one.base, "new") === "yes");
  await Deno.remove(`${one.directory}/a`);
  await until(() => verdictOf(asking, one.base, "a") === "no");
  assertEquals(verdictOf(asking, one.base, "b"), "yes");
  const fetched = one.requests.filter((line) => line.startsWith("GET /?index"));
  assert(fetched.every((line) => /&since=.+\.\d+$/.test(line)), String(fetched));
  assertEquals(await find(asking, "pkg/new"), one.base + "pkg/new");
});

Deno.test("index: a file that was added after the index was built is found before it is built again", async () => {
  await using one = await serveDirectory(["a"]);
  await using asking = await serveInformed(one);
  // The start of a download is the first change; the file gets its name when it is complete.
  await Deno.writeTextFile(`${one.directory}/late.part`, "late");
  await until(() => verdictOf(asking, one.base, "late") === "unknown");
  await Deno.rename(`${one.directory}/late.part`, `${one.directory}/late`);
  one.requests.length = 0;
  assertEquals(await find(asking, "pkg/late"), one.base + "pkg/late");
  await until(() => verdictOf(asking, one.base, "late") === "yes");
});

Deno.test("index: peers ask for a file that is being written when the index is built; it is in the index once complete", async () => {
  using scratch = new Scratch();
  const { directory } = scratch;
  let isGrowing = true;
  await using one = await servePeer(["pkg/late"], {}, {
    index: {
      directories: [directory],
      names: () => Promise.resolve(isGrowing ? ["a"] : ["a", "late"]),
      isGrowing: () => isGrowing,
    },
  });
  await until(() => one.peers.replyHeaders()["Pacserve-Index"] === "1");
  await using asking = await servePeer([], { staticPeers: [one.base] });
  await until(() => verdictOf(asking, one.base, "a") === "yes");
  assertEquals(verdictOf(asking, one.base, "late"), "unknown");
  assertEquals(await find(asking, "pkg/late"), one.base + "pkg/late");
  isGrowing = false;
  // There is no event for this: writing the last byte does not change the directory.
  await until(() => verdictOf(asking, one.base, "late") === "yes");
  assertEquals(verdictOf(asking, one.base, "b"), "no");
});

Deno.test("index: if a directory is missing, peers still ask for files that are not in the index", async () => {
  await using one = await servePeer(["pkg/a"], {}, {
    index: { directories: ["/nonexistent-directory"], names: () => Promise.resolve(["a"]) },
  });
  await until(() => one.peers.replyHeaders()["Pacserve-Index"] === "1");
  await using asking = await servePeer([], { staticPeers: [one.base] });
  await until(() => verdictOf(asking, one.base, "a") === "yes");
  assertEquals(verdictOf(asking, one.base, "b"), "unknown");
});

Deno.test("index: many changes cause few generations", async () => {
  await using one = await serveDirectory([]);
  await using asking = await serveInformed(one);
  const before = indexes(one);
  for (let i = 0; i < 300; i++) await Deno.writeTextFile(`${one.directory}/p${i}`, "");
  await until(() => verdictOf(asking, one.base, "p299") === "yes");
  assert(indexes(one) - before <= 4, `${indexes(one) - before} fetches`);
});

Deno.test("index: the pause between requests grows while a peer builds its index", async () => {
  const names = ["a"];
  let pause = 0;
  await using one = await servePeer(["pkg/b"], {}, {
    index: {
      directories: [],
      names: async () => {
        await new Promise((resolve) => setTimeout(resolve, pause));
        return [...names];
      },
    },
  });
  await using asking = await serveInformed(one);
  const before = indexes(one);
  pause = 3000;
  names.push("b");
  one.reload();
  await until(() => verdictOf(asking, one.base, "b") === "unknown");
  assertEquals(await find(asking, "pkg/b"), one.base + "pkg/b");
  await until(() => verdictOf(asking, one.base, "b") === "yes");
  assert(indexes(one) - before <= 4, `${indexes(one) - before} questions`);
});

Deno.test("index: a file that becomes readable is soon in the index", async () => {
  using scratch = new Scratch();
  const { directory } = scratch;
  await Deno.writeTextFile(`${directory}/a`, "a", { mode: 0o600 });
  const names = (): Promise<string[]> =>
    Promise.resolve(
      [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) => {
        return ((Deno.statSync(`${directory}/${name}`).mode ?? 0) & 0o004) !== 0;
      }),
    );
  await using one = await servePeer([], {}, { index: { directories: [directory], names } });
  await using asking = await serveInformed(one);
  assertEquals(verdictOf(asking, one.base, "a"), "no");
  await Deno.chmod(`${directory}/a`, 0o644);
  await until(() => verdictOf(asking, one.base, "a") === "yes", 40);
});

Deno.test("index: an entry is dropped at once when the peer no longer has the file", async () => {
  await using stale = await serveDirectory(["a"]);
  await using good = await serveDirectory(["a"]);
  await using asking = await serveInformed(stale, good);
  // Clients get 404 for the file while it is still in the index.
  stale.files.has = () => false;
  for (let i = 0; i < 20; i++) assertEquals(await find(asking, "pkg/a"), good.base + "pkg/a");
  const tries = stale.requests.filter((line) => line.startsWith("HEAD")).length;
  assert(tries <= 1, `${tries} tries`);
});

Deno.test("index: a file that was missing and is back is found again", async () => {
  await using one = await serveDirectory(["a"]);
  await using asking = await serveInformed(one);
  await Deno.rename(`${one.directory}/a`, `${one.directory}/.a`);
  assertEquals(await find(asking, "pkg/a"), null);
  await Deno.rename(`${one.directory}/.a`, `${one.directory}/a`);
  await until(() => verdictOf(asking, one.base, "a") === "yes");
  assertEquals(await find(asking, "pkg/a"), one.base + "pkg/a");
});

Deno.test("index: an entry is kept when the peer refuses the file, and dropped when it answers 404", async () => {
  const files = { has: (): boolean => false, refusal: 403 };
  await using one = await servePeer([], {}, {
    index: { directories: [], names: () => Promise.resolve(["a"]) },
  }, { files });
  await using asking = await serveInformed(one);
  for (const [refusal, verdict] of [[403, "yes"], [429, "yes"], [410, "no"]] as const) {
    files.refusal = refusal;
    assertEquals(await find(asking, "pkg/a"), null);
    assertEquals(verdictOf(asking, one.base, "a"), verdict, String(refusal));
  }
});

Deno.test("index: a peer that is gone is skipped, and another one is used", async () => {
  await using good = await serveDirectory(["a"]);
  const dead = await serveDirectory(["a"]);
  await using asking = await serveInformed(dead, good);
  await dead[Symbol.asyncDispose]();
  for (let i = 0; i < 5; i++) assertEquals(await find(asking, "pkg/a"), good.base + "pkg/a");
});

Deno.test("index: dead peers do not delay files that are in an index", async () => {
  await using good = await serveDirectory(["a"]);
  using silent = serveSilence();
  await until(() => good.peers.replyHeaders()["Pacserve-Index"] === "1");
  await using asking = await servePeer([], {
    staticPeers: [silent.base, good.base],
    searchTimeout: 5000,
  });
  await until(() => verdictOf(asking, good.base, "a") === "yes");
  const start = performance.now();
  assertEquals(await find(asking, "pkg/a"), good.base + "pkg/a");
  assert(performance.now() - start < 4000, "waited for the peer that is silent");
});

Deno.test("index: the index of a restarted peer is fetched again", async () => {
  const old = await serveDirectory(["a"]);
  await using asking = await serveInformed(old);
  await old[Symbol.asyncDispose]();
  assertEquals(await find(asking, "pkg/a"), null);
  // Another server answers at the same URL, with another instance and another index.
  await using anew = await servePeer(["pkg/b"], { staticPeers: [asking.base] }, {
    index: { directories: [], names: () => Promise.resolve(["b"]) },
  }, { port: old.port });
  await until(() => verdictOf(asking, anew.base, "b") === "yes");
  assertEquals(verdictOf(asking, anew.base, "a"), "no");
});

/** Starts a peer that records the generations of another one's index that it is told about. */
async function serveListener(): Promise<
  TestServer & { readonly told: string[]; readonly answers: { delay: number } }
> {
  const told: string[] = [];
  const answers = { delay: 0 };
  const server = await serve(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const isNudge = new URLSearchParams(body).get("json")?.includes('"nudge"');
    if (isNudge) told.push(String(request.headers["pacserve-index"]));
    if (answers.delay > 0) await new Promise((resolve) => setTimeout(resolve, answers.delay));
    response.writeHead(200, { "Pacserve-Instance": "an-instance-of-its-own" });
    response.end(isNudge ? "true" : "{}");
  });
  return { ...server, told, answers };
}

/** Starts a peer whose index can change, and that has told another one about it. */
async function serveChanging(
  listener: TestServer & { readonly told: readonly string[] },
): Promise<TestPeer & { readonly add: (name: string) => void }> {
  const names = ["a"];
  const peer = await servePeer([], { staticPeers: [listener.base], searchTimeout: 5000 }, {
    index: { directories: [], names: () => Promise.resolve(names) },
  });
  await until(() => listener.told.at(-1) === "1" && peer.peers.rows()[0]?.lastSeen !== null);
  return {
    ...peer,
    add: (name) => {
      names.push(name);
      peer.reload();
    },
  };
}

Deno.test("index: a peer that is being probed is told about an index that is built meanwhile", async () => {
  await using slow = await serveListener();
  slow.answers.delay = 500;
  const names = async (): Promise<string[]> => {
    await until(() => slow.told.length > 0);
    return ["a"];
  };
  await using starting = await servePeer([], { staticPeers: [slow.base], searchTimeout: 5000 }, {
    index: { directories: [], names },
  });
  await until(() => slow.told.at(-1) === "1");
  assertEquals([slow.told[0], starting.peers.registry.all().length], ["undefined", 1]);
});

Deno.test("index: a peer that answers slowly is told about changes meanwhile", async () => {
  await using slow = await serveListener();
  await using changing = await serveChanging(slow);
  slow.answers.delay = 1500;
  changing.add("b");
  await until(() => slow.told.at(-1) === "2");
  let etag = "";
  while (!etag.endsWith('.2"')) {
    const index = await fetch(changing.base + "?index=pkg");
    etag = index.headers.get("ETag") ?? "";
    await index.body?.cancel();
  }
  slow.answers.delay = 0;
  changing.add("c");
  await until(() => slow.told.at(-1) === "3");
});

Deno.test("index: a peer in backoff is told about a change when it answers again", async () => {
  await using away = await serveListener();
  await using changing = await serveChanging(away);
  const known = changing.peers.registry.get(away.base);
  assert(known !== undefined);
  changing.peers.registry.failed(known, "broke off");
  changing.add("b");
  // When its backoff ends it is asked as the others are.
  while (changing.peers.rows()[0]?.state !== "alive") {
    await find(changing, "other/file");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until(() => away.told.at(-1) === "2");
});

Deno.test("index: a peer with a malformed or endless index is treated as one without an index", async () => {
  const bodies: ((request: string) => Uint8Array)[] = [
    () => new Uint8Array(),
    () => new TextEncoder().encode("<html>"),
    () => new Uint8Array(5 << 20),
  ];
  for (const body of bodies) {
    await using bad = await serve((request, response) => {
      const headers = {
        "Pacserve-Instance": "an-instance-of-its-own",
        "Pacserve-Index": "999999999",
        "ETag": '"an-instance-of-its-own.1"',
      };
      response.writeHead(200, headers);
      response.end(request.method === "GET" ? body(request.url ?? "") : '{"pkg/a":"pkg/a"}');
    });
    await using asking = await servePeer([], { staticPeers: [bad.base] });
    await until(() => indexes(bad) === 1);
    for (let i = 0; i < 5; i++) await find(asking, "pkg/a");
    assertEquals(verdictOf(asking, bad.base, "a"), "unknown");
    assertEquals(indexes(bad), 1);
  }
});

Deno.test("index: 300 packages on peers with indexes need one question each", async () => {
  const names = Array.from({ length: 300 }, (_, i) => `p${i}`);
  await using one = await serveDirectory(names.slice(0, 100));
  await using two = await serveDirectory(names.slice(100, 200));
  await using three = await serveDirectory(names.slice(200));
  const peers = [one, two, three];
  await using asking = await serveInformed(...peers);
  for (const peer of peers) peer.requests.length = 0;
  for (let i = 0; i < names.length; i += 5) {
    const part = names.slice(i, i + 5).map((name) => find(asking, "pkg/" + name));
    assert((await Promise.all(part)).every((url) => url !== null));
  }
  const messages = peers.reduce((sum, { requests }) => sum + requests.length, 0);
  assert(messages <= 320, `${messages} messages`);
});

Deno.test("index: conditional requests get 304, and 404 before it is built", async () => {
  await using one = await serveDirectory(["a"]);
  await until(() => one.peers.replyHeaders()["Pacserve-Index"] === "1");
  const first = await fetch(one.base + "?index=pkg");
  const etag = first.headers.get("ETag") ?? "";
  assertEquals([first.status, (await first.bytes()).length > 5], [200, true]);
  const second = await fetch(one.base + "?index=pkg", { headers: { "If-None-Match": etag } });
  assertEquals([second.status, (await second.text()).length], [304, 0]);
  const third = await fetch(one.base + "?index=pkg&since=" + "nonsense.7");
  assertEquals([third.status, (await third.bytes())[4]], [200, 2]);
  await using without = await servePeer([]);
  const none = await fetch(without.base + "?index=pkg");
  assertEquals([none.status, await none.text()], [404, ""]);
});
