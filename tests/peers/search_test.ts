import { assert, assertEquals, assertMatch } from "../assert.ts";
import {
  find,
  post,
  serve,
  serveOriginal,
  servePeer,
  serveSilence,
  type TestServer,
  until,
} from "./lan.ts";
import { Network } from "../../src/http/network.ts";
import { makeRequest } from "../request.ts";

const PACKAGE = "pkg/foo-1:2.0+r1-1-any.pkg.tar.zst";

Deno.test("Finder: a file is found on the peer that has it", async () => {
  await using one = await servePeer([PACKAGE]);
  await using two = await serveOriginal(["pkg/other"]);
  await using asking = await servePeer([], { staticPeers: [one.base, two.base] });
  assertEquals(await find(asking, PACKAGE), one.base + PACKAGE);
  assertEquals(await find(asking, "pkg/other"), two.base + "pkg/other");
  assertEquals(await find(asking, "pkg/nowhere"), null);
});

Deno.test("Finder: peers that do not answer delay one search until the time limit, and later ones not at all", async () => {
  using silent = serveSilence();
  using mute = serveSilence();
  await using slow = await serveOriginal([], 200);
  await using asking = await servePeer([], {
    staticPeers: [silent.base, mute.base, slow.base],
    searchTimeout: 3000,
  });
  const start = performance.now();
  assertEquals(await find(asking, PACKAGE), null);
  const first = performance.now() - start;
  assert(first < 5500, `${first} ms`);
  await until(() => asking.peers.rows().filter(({ state }) => state === "backoff").length === 2);
  const again = performance.now();
  assertEquals(await find(asking, PACKAGE), null);
  assert(performance.now() - again < 2500, "waited for peers that are in backoff");
});

Deno.test("a search that may take long waits for a peer that needs 2.1 s for each answer", async () => {
  await using slow = await serveOriginal([PACKAGE], 2_100);
  await using asking = await servePeer([], { staticPeers: [slow.base], searchTimeout: 9000 });
  assertEquals(await find(asking, PACKAGE), slow.base + PACKAGE);
});

Deno.test("a peer that has the file is not kept waiting by dead ones", async () => {
  using silent = serveSilence();
  await using peer = await serveOriginal([PACKAGE]);
  await using asking = await servePeer([], {
    staticPeers: [silent.base, peer.base],
    searchTimeout: 5000,
  });
  const start = performance.now();
  assertEquals(await find(asking, PACKAGE), peer.base + PACKAGE);
  assert(performance.now() - start < 4000, "waited for the peer that is silent");
});

Deno.test("Finder: peers that answer garbage are treated as if they had no files", async () => {
  const garbage = ["", "null", "true", "[]", "<html>", "\xff\xfe", '{"pkg/a":7}', "{".repeat(9999)];
  for (const text of garbage) {
    await using bad = await serve((_, response) => void response.end(text));
    await using asking = await servePeer([], { staticPeers: [bad.base] });
    assertEquals(await find(asking, "pkg/a"), null, text.slice(0, 20));
  }
});

Deno.test("Finder: a peer that is not an HTTP server is treated as dead", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("SSH-2.0-Hello\r\n"));
      connection.close();
    }
  })();
  await using asking = await servePeer([], {
    staticPeers: [`http://127.0.0.1:${listener.addr.port}/`],
  });
  assertEquals(await find(asking, PACKAGE), null);
  listener.close();
  await serving;
});

Deno.test("Finder: no redirect of a peer is followed", async () => {
  await using target = await serveOriginal([PACKAGE]);
  await using bad = await serve((_, response) =>
    void response.writeHead(307, { Location: target.base }).end()
  );
  await using asking = await servePeer([], { staticPeers: [bad.base] });
  assertEquals(await find(asking, PACKAGE), null);
  assertEquals(target.requests, []);
});

Deno.test("Finder: an endless answer is cut off", async () => {
  let sent = 0;
  let ended = false;
  await using bad = await serve((_, response) => {
    const chunk = new Uint8Array(65536).fill(0x20);
    response.on("close", () => ended = true);
    const more = (): void => {
      if (ended) return;
      sent += chunk.length;
      response.write(chunk, () => setTimeout(more, 0));
    };
    more();
  });
  await using asking = await servePeer([], { staticPeers: [bad.base] });
  assertEquals(await find(asking, PACKAGE), null);
  await until(() => ended);
  assert(sent < 64 << 20, `${sent} bytes`);
});

Deno.test("Finder: a peer that confirms a file and serves 404 is not used", async () => {
  await using liar = await serve((request, response) => {
    if (request.method === "HEAD") response.writeHead(404).end();
    else response.end(JSON.stringify({ [PACKAGE]: PACKAGE }));
  });
  await using honest = await serveOriginal([PACKAGE], 20);
  await using asking = await servePeer([], { staticPeers: [liar.base, honest.base] });
  assertEquals(await find(asking, PACKAGE), honest.base + PACKAGE);
});

Deno.test("Finder: a peer that confirms a file and then hangs is not used", async () => {
  await using liar = await serve((request, response) => {
    if (request.method === "POST") response.end(JSON.stringify({ [PACKAGE]: PACKAGE }));
  });
  await using honest = await serveOriginal([PACKAGE], 20);
  await using asking = await servePeer([], { staticPeers: [liar.base, honest.base] });
  assertEquals(await find(asking, PACKAGE), honest.base + PACKAGE);
});

Deno.test("Finder: a location on another server is ignored", async () => {
  await using other = await serveOriginal([PACKAGE]);
  await using bad = await serve((_, response) =>
    void response.end(JSON.stringify({ [PACKAGE]: other.base + PACKAGE }))
  );
  await using asking = await servePeer([], { staticPeers: [bad.base] });
  assertEquals(await find(asking, PACKAGE), null);
  assertEquals(other.requests, []);
});

Deno.test("Finder: simultaneous questions need few messages", async () => {
  const files = Array.from({ length: 300 }, (_, i) => `pkg/p${i}`);
  await using one = await serveOriginal(files.slice(0, 150));
  await using two = await serveOriginal(files.slice(150));
  await using asking = await servePeer([], {
    staticPeers: [one.base, two.base],
    searchTimeout: 3000,
  });
  await until(() => one.requests.length + two.requests.length === 2);
  const found = await Promise.all(files.map((file) => find(asking, file)));
  assertEquals(found, files.map((file, i) => (i < 150 ? one : two).base + file));
  for (const peer of [one, two]) {
    const checks = peer.requests.filter((line) => line === "POST /").length - 1;
    assert(checks <= 3, `${checks} messages`);
  }
});

Deno.test("Finder: a path that is too long for a file is not asked, and puts no peer in backoff", async () => {
  await using peer = await servePeer([PACKAGE]);
  await using asking = await servePeer([], { staticPeers: [peer.base] });
  await until(() => asking.peers.rows()[0]?.lastSeen !== null);
  peer.requests.length = 0;
  const paths = ["a/" + "b/".repeat(2100), "a/" + "é".repeat(128), "ü/".repeat(1500)];
  for (const path of paths) {
    assertEquals(await find(asking, path), null);
    assertEquals(await asking.peers.finder.list(path.split("/"), makeRequest()), []);
  }
  assertEquals(peer.requests, []);
  assertEquals(asking.peers.rows().map(({ state }) => state), ["alive"]);
});

Deno.test("Finder: many long paths are split into messages that a peer accepts", async () => {
  const name = '"'.repeat(250);
  const files = Array.from({ length: 60 }, (_, i) => `${i}/${`${name}/`.repeat(15)}x`);
  await using peer = await servePeer(files);
  await using asking = await servePeer([], { staticPeers: [peer.base], searchTimeout: 5000 });
  await until(() => asking.peers.rows()[0]?.lastSeen !== null);
  const found = await Promise.all(files.map((file) => find(asking, file)));
  assertEquals(found.map((url) => url !== null), files.map(() => true));
  assertEquals(asking.peers.rows().map(({ state }) => state), ["alive"]);
});

Deno.test("Finder: a peer that refuses a long message is not put in backoff", async () => {
  const answers: readonly (readonly [number, string])[] = [[200, "null"], [413, "too long\n"]];
  for (const [status, text] of answers) {
    let nudged = false;
    await using strict = await serve((request, response) => {
      request.resume();
      // It accepts the nudge, which comes first.
      response.writeHead(nudged ? status : 200).end(nudged ? text : "true");
      nudged = true;
    });
    await using asking = await servePeer([], { staticPeers: [strict.base] });
    await until(() => asking.peers.rows()[0]?.lastSeen !== null);
    assertEquals(await find(asking, PACKAGE), null);
    assertEquals(asking.peers.rows().map(({ state }) => state), ["alive"], text);
  }
});

Deno.test("Finder: two simultaneous requests for a file share one search", async () => {
  await using peer = await serveOriginal([PACKAGE]);
  await using asking = await servePeer([], { staticPeers: [peer.base] });
  await Promise.all(Array.from({ length: 10 }, () => find(asking, PACKAGE)));
  assertEquals(peer.requests.filter((line) => line.startsWith("HEAD")).length, 1);
});

Deno.test("Finder: clients on other hosts are not redirected to a peer on a loopback address", async () => {
  await using peer = await serveOriginal([PACKAGE]);
  const network = new Network();
  const elsewhere = {
    networkOf: () => "10.0.0.1/24",
    reaches: (client: string | null, host: string) => network.reaches(client, host),
  };
  await using asking = await servePeer([], { staticPeers: [peer.base] }, elsewhere);
  assertEquals(await find(asking, PACKAGE), null);
});

Deno.test("Finder: a search ends when all its clients have left", async () => {
  using silent = serveSilence();
  await using asking = await servePeer([], { staticPeers: [silent.base], searchTimeout: 60_000 });
  const interest = new AbortController();
  const found = asking.peers.finder.find(["a"], makeRequest({ signal: interest.signal }));
  interest.abort();
  assertEquals(await found, null);
});

Deno.test("Finder.list: listings are merged, slow peers are skipped, and URLs are made from names", async () => {
  using silent = serveSilence();
  await using one = await servePeer(["pkg/a b", "pkg/c"]);
  await using bad = await serve((_, response) =>
    void response.end('{"evil":[{"href":"javascript:alert(1)","size":1,"mtime":1,"dir":true}]}')
  );
  await using asking = await servePeer([], { staticPeers: [silent.base, one.base, bad.base] });
  const entries = await asking.peers.finder.list(["pkg"], makeRequest());
  assertEquals(
    entries.map(({ href }) => href).sort(),
    [
      one.base + "pkg/a%20b",
      one.base + "pkg/c",
      bad.base + "pkg/evil/",
    ].sort(),
  );
});

/** Starts a server that answers a nudge as a peer does, and everything else with a listing. */
function serveListing(listing: string): Promise<TestServer> {
  return serve((request, response) => {
    let message = "";
    request.on("data", (piece) => message += piece).on("end", () => {
      response.end(decodeURIComponent(message).includes('"nudge"') ? "true" : listing);
    });
  });
}

Deno.test("Finder.list: names that no URL can contain, and too many names, do no harm", async () => {
  const names = '{"\\ud800":[{"href":"x"}],"good":[{"href":"good"}],"a/b":[{"href":"x"}]}';
  await using odd = await serveListing(names);
  const many = Array.from({ length: 90_000 }, (_, index) => `"${index}":[{"href":"x"}]`).join(",");
  await using crowded = await serveListing(`{${many}}`);
  const staticPeers = [odd.base, crowded.base, `http://localhost:${crowded.port}/`];
  await using asking = await servePeer([], { staticPeers, searchTimeout: 60_000 });
  const entries = await asking.peers.finder.list(["pkg"], makeRequest());
  assertEquals(entries.length, 100_000);
  assertEquals(entries.filter(({ peer }) => peer === odd.base).map(({ name }) => name), ["good"]);
  for (const type of ["file check", "directory listing"]) {
    const asked = { type, path: "\ud800", paths: ["\ud800", "pkg/\udfff"], hops: 1 };
    const reply = await fetch(asking.base, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: `json=${encodeURIComponent(JSON.stringify(asked))}`,
    });
    assertEquals([type, reply.status], [type, 200]);
    assertMatch(await reply.text(), /^(\{\}|null)$/);
  }
});

Deno.test("file check: hops make a server ask its peers, and give absolute URLs", async () => {
  await using far = await servePeer(["pkg/far"]);
  await using near = await servePeer(["pkg/near"], { staticPeers: [far.base] });
  const check = (hops: number): Promise<[number, string]> => {
    const message = { type: "file check", paths: ["pkg/far", "pkg/near", "pkg/no"], hops };
    return post(near, "json=" + encodeURIComponent(JSON.stringify(message)));
  };
  assertEquals(await check(0), [200, '{"pkg/near":"pkg/near"}']);
  const [status, body] = await check(1);
  assertEquals(status, 200);
  assertEquals(JSON.parse(body), { "pkg/near": "pkg/near", "pkg/far": far.base + "pkg/far" });
});

Deno.test("Finder.list: a peer that cannot list directories is still asked for packages", async () => {
  await using odd = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk).on("end", () => {
      // An original does this if the path ends with a slash.
      if (body.includes("directory")) request.socket.destroy();
      else response.end(JSON.stringify({ [PACKAGE]: PACKAGE }));
    });
  });
  await using asking = await servePeer([], { staticPeers: [odd.base] });
  await until(() => asking.peers.rows()[0]?.lastSeen !== null);
  assertEquals(await asking.peers.finder.list(["pkg"], makeRequest()), []);
  assertEquals(asking.peers.rows().map(({ state }) => state), ["alive"]);
  assertEquals(await find(asking, PACKAGE), odd.base + PACKAGE);
});

Deno.test("Finder.list: the path in the message has no slash at its end", async () => {
  const bodies: string[] = [];
  await using peer = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk).on("end", () => {
      bodies.push(decodeURIComponent(body));
      response.end("true");
    });
  });
  await using asking = await servePeer([], { staticPeers: [peer.base] });
  await until(() => bodies.length === 1);
  for (const segments of [[], ["pkg"], ["pkg", "sub"]]) {
    await asking.peers.finder.list(segments, makeRequest());
  }
  const paths = bodies.map((body) => /"path":"([^"]*)"/.exec(body)?.[1]).slice(1);
  assertEquals(paths, ["/", "/pkg", "/pkg/sub"]);
});
