import { assert, assertEquals } from "../assert.ts";
import { find, post, serve, serveOriginal, servePeer, serveSilence, until } from "./lan.ts";

const message = (value: unknown): string => "json=" + encodeURIComponent(JSON.stringify(value));

Deno.test("Peers: messages get the same answers as from the original", async () => {
  await using peer = await servePeer(["pkg/foo", "__proto__"]);
  const cases: [string, number, string][] = [
    [message({ type: "nudge", uri: "http://ungabunga:9/" }), 200, "true"],
    [
      message({ type: "file check", paths: ["pkg/foo", "pkg/bar", "../x"], hops: 0 }),
      200,
      '{"pkg/foo":"pkg/foo"}',
    ],
    [
      message({ type: "file check", paths: ["__proto__", "toString"], hops: 0 }),
      200,
      '{"__proto__":"__proto__"}',
    ],
    [
      message({ type: "directory listing", path: "/pkg/", hops: 0 }),
      200,
      '{"foo":[{"href":"/pkg/foo","size":1,"mtime":2,"dir":false}]}',
    ],
    [message({ type: "directory listing", path: "/none/", hops: 0 }), 200, "null"],
    [message({ type: "shutdown" }), 200, "null"],
    [message({ type: "file check", paths: 7 }), 200, "null"],
  ];
  for (const [body, status, answer] of cases) {
    assertEquals(await post(peer, body), [status, answer], decodeURIComponent(body));
  }
  for (const body of ["", "json=", "json=[]", "json={}", "x=y", message("nudge")]) {
    assertEquals((await post(peer, body))[0], 400, body);
  }
  assertEquals((await post(peer, "json=" + "9".repeat(2 << 20)))[0], 413);
});

Deno.test("Peers: a server that sends a nudge is probed, and then is a peer", async () => {
  await using asking = await servePeer([]);
  await using other = await serveOriginal(["pkg/foo"]);
  const [, answer] = await post(
    asking,
    message({ type: "nudge", uri: `http://ungabunga:${other.port}/` }),
  );
  assertEquals(answer, "true");
  await until(() => asking.peers.registry.all().length === 1);
  assertEquals(await find(asking, "pkg/foo"), other.base + "pkg/foo");
  assertEquals(asking.log, [`found peer ${other.base}`]);
});

Deno.test("Peers: of two servers, one nudge is enough for both to know each other", async () => {
  await using one = await servePeer(["pkg/one"]);
  await using two = await servePeer(["pkg/two"], { staticPeers: [one.base] });
  await until(() =>
    one.peers.registry.all().length === 1 && two.peers.rows()[0]?.lastSeen !== null
  );
  assertEquals(await find(one, "pkg/two"), two.base + "pkg/two");
  assertEquals(await find(two, "pkg/one"), one.base + "pkg/one");
});

Deno.test("Peers: a nudge makes no peer if no server answers the probe", async () => {
  await using asking = await servePeer([], {});
  using silent = serveSilence();
  const { port } = new URL(silent.base);
  await using other = await serveOriginal([]);
  const withPath = `http://x:${other.port}/latest/meta-data/`;
  const uris = [withPath, `http://x:${port}/`, "http://x:1/", "http://[::1]:1/", "nonsense", ""];
  for (const uri of uris) {
    await post(asking, message({ type: "nudge", uri }));
  }
  assertEquals(asking.peers.registry.all().length, 0);
  // No probe is sent to a path that the sender chose.
  assertEquals(other.requests, []);
});

Deno.test("Peers: a flood of nudges causes at most 120 probes, and a known peer is still heard", async () => {
  await using asking = await servePeer([]);
  await using known = await servePeer(["pkg/foo"], { staticPeers: [asking.base] });
  await until(() =>
    asking.peers.registry.all().length === 1 && known.peers.rows()[0]?.lastSeen !== null
  );
  let answers = 0;
  // The sender never becomes a peer, therefore each of its nudges would cause a probe.
  await using stranger = await serve((request, response) => {
    request.resume();
    answers++;
    response.writeHead(404).end();
  });
  const start = performance.now();
  for (let nudge = 0; nudge < 400; nudge++) {
    await post(asking, message({ type: "nudge", uri: `http://x:${stranger.port}/` }));
  }
  const seconds = (performance.now() - start) / 1000;
  assert(answers <= 100 + 20 * seconds + 1, `${answers} answers in ${seconds} s`);
  assertEquals(await find(asking, "pkg/foo"), known.base + "pkg/foo");
});

Deno.test("Peers: a nudge never makes a peer of the host in its URI", async () => {
  await using asking = await servePeer([]);
  await using other = await serveOriginal([]);
  // The host is replaced with the sender's, where no server listens at port 9.
  await post(asking, message({ type: "nudge", uri: `http://192.0.2.1:${other.port}/` }));
  await until(() => asking.peers.registry.all().length === 1);
  assertEquals(asking.peers.rows().map(({ url }) => url), [other.base]);
});

Deno.test("Peers: a server that is not allowed never becomes a peer", async () => {
  await using other = await serveOriginal([]);
  await using asking = await servePeer([], {}, { allowsPeer: () => false });
  await post(asking, message({ type: "nudge", uri: `http://x:${other.port}/` }));
  assertEquals(asking.peers.registry.all().length, 0);
  assertEquals(other.requests, []);
});

Deno.test("Peers: a server is not its own peer, under any name", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using asking = await servePeer([], { staticPeers: [`http://127.0.0.1:${port}/`] });
  // A TCP relay gives the server a second address.
  const relaying = (async () => {
    for await (const connection of listener) {
      const inner = await Deno.connect({ hostname: "127.0.0.1", port: asking.port });
      connection.readable.pipeTo(inner.writable).catch(() => undefined);
      inner.readable.pipeTo(connection.writable).catch(() => undefined);
    }
  })();
  await until(() => asking.log.some((line) => line.includes("is this server itself")));
  assertEquals(asking.peers.registry.all().length, 0);
  await post(asking, message({ type: "nudge", uri: `http://x:${port}/` }));
  await post(asking, message({ type: "nudge", uri: `http://x:${asking.port}/` }));
  assertEquals(asking.peers.registry.all().length, 0);
  assertEquals(asking.requests.filter((line) => line === "POST /").length, 3);
  listener.close();
  await relaying;
});

Deno.test("Peers: a peer that failed is used again when it sends a nudge", async () => {
  await using other = await servePeer(["pkg/foo"]);
  await using asking = await servePeer([], { staticPeers: [other.base] });
  const [peer] = asking.peers.registry.all();
  assert(peer !== undefined);
  // Wait for the answer to the first question, which would otherwise end the backoff.
  await until(() => peer.state === "alive");
  asking.peers.registry.failed(peer, "broke off");
  assertEquals(await find(asking, "pkg/foo"), null);
  await post(asking, message({ type: "nudge", uri: `http://x:${other.port}/` }));
  await until(() => asking.peers.rows()[0]?.state === "alive");
  // A search waits only 50 ms for a peer that failed. A busy machine may need more than one search.
  let found: string | null = null;
  for (let search = 0; search < 20 && found === null; search++) {
    found = await find(asking, "pkg/foo");
  }
  assertEquals(found, other.base + "pkg/foo");
});

Deno.test("Peers: importState restores the peers of the previous worker", async () => {
  await using other = await serveOriginal(["pkg/foo"]);
  await using one = await servePeer([]);
  await post(one, message({ type: "nudge", uri: `http://x:${other.port}/` }));
  await until(() => one.peers.registry.all().length === 1);
  await using two = await servePeer([]);
  two.peers.importState(structuredClone(one.peers.exportState()));
  assertEquals(await find(two, "pkg/foo"), other.base + "pkg/foo");
});

Deno.test("Peers: the trouble of a peer that does not run is a sentence for people", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  const staticPeers = [`http://127.0.0.1:${listener.addr.port}/`];
  await using asking = await servePeer([], { staticPeers });
  await until(() => asking.peers.rows()[0]?.state === "backoff");
  assertEquals(asking.peers.rows()[0]?.trouble, "refuses connections");
});
