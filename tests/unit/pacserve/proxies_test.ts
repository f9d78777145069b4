/** Tests that mirrors are reached through the proxies of the environment, and peers are not. */

import { type ProxyVariables, proxyVariables } from "../../../src/pacman/proxy_environment.ts";
import { createPacserveMemory } from "../../../src/pacserve/memory.ts";
import { FileClient, Unreachable } from "../../../src/pacserve/relay/http_client.ts";
import { parseProxy, Proxies } from "../../../src/pacserve/relay/proxies.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { SILENT } from "../../log.ts";
import { makeCertificates } from "../../certificates.ts";
import { readText } from "../../reply.ts";
import { type Host, makeHost, repositoryWith } from "./host.ts";
import { closedServer, startMirror, type TestMirror } from "./mirror.ts";
import { startProxy } from "./proxy.ts";

const PACKAGE = "foo-1-1-any.pkg.tar.zst";

const DIRECT: ProxyVariables = { http: "", https: "", exceptions: "" };

/** Returns the proxy of a URL: `host:port`, `unusable`, or null. */
function chosen(variables: Record<string, string>, address: string): string | null {
  const read = proxyVariables({ get: (name) => variables[name] });
  const proxy = read === null ? null : new Proxies(read).for(new URL(address));
  return proxy === null || proxy === "unusable" ? proxy : `${proxy.hostname}:${proxy.port}`;
}

/** Starts a mirror with the package. Only the proxy can resolve its name. */
function startHiddenMirror(): TestMirror & { readonly hidden: string } {
  const mirror = startMirror(() =>
    new Response("right", { headers: { "Content-Length": "5", "Connection": "close" } })
  );
  return { ...mirror, hidden: mirror.server.replace("127.0.0.1", "mirror.invalid") };
}

/** Downloads a file like the relay. */
async function get(
  address: string,
  variables: Partial<ProxyVariables>,
  authorities: readonly string[] = [],
): Promise<string> {
  const client = new FileClient(new Proxies({ ...DIRECT, ...variables }));
  try {
    const answer = await client.request({
      method: "GET",
      url: new URL(address),
      headers: { "X-Own": "yes" },
      authorities,
      signal: new AbortController().signal,
    });
    const buffer = new Uint8Array(100);
    const count = await answer.read(buffer);
    return `${answer.status} ${new TextDecoder().decode(buffer.subarray(0, count ?? 0))}`;
  } finally {
    client.close();
  }
}

Deno.test("Proxies: the variables of curl(1) are used in its order", () => {
  const all = { "all_proxy": "all", ALL_PROXY: "ALL" };
  const [http, https] = ["http://mirror.lan/x", "https://mirror.lan/x"];
  assertEquals(chosen({ "http_proxy": "http://p:3128", ...all }, http), "p:3128");
  assertEquals(chosen({ HTTP_PROXY: "p" }, http), null);
  assertEquals(chosen({ HTTP_PROXY: "p", ...all }, http), "all:1080");
  assertEquals(chosen({ "http_proxy": "p" }, https), null);
  assertEquals(chosen({ "https_proxy": "p:80", HTTPS_PROXY: "P" }, https), "p:80");
  assertEquals(chosen({ "https_proxy": "", HTTPS_PROXY: "q" }, https), "q:1080");
  assertEquals(chosen({ ALL_PROXY: "p" }, https), "p:1080");
  assertEquals(chosen({ "no_proxy": "lan" }, https), null);
});

for (
  const [exceptions, excepted, others] of [
    ["lan, .arpa", "mirror.lan lan MIRROR.LAN. x.arpa", "mirrorlan lan.org arpan"],
    ["a.org b.org", "a.org b.org", "org"],
    ["*", "a 10.0.0.1 [::1]", ""],
    ["*,a", "a", "b"],
    ["10.0.0.1", "10.0.0.1", "10.0.0.10 1"],
    ["10.0.0.0/8,fd00::/8", "10.9.8.7 [fd12::3]", "11.0.0.1 [fe80::1] 10.org"],
    ["fd00::0:1", "[fd00::1]", "[fd00::2]"],
  ] as const
) {
  Deno.test(`Proxies: no_proxy=${exceptions} excludes the same hosts as in curl(1)`, () => {
    const isDirect = (host: string): boolean =>
      chosen({ "http_proxy": "p", "no_proxy": exceptions }, `http://${host}/`) === null;
    const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");
    assertEquals(words(excepted).filter((host) => !isDirect(host)), []);
    assertEquals(words(others).filter(isDirect), []);
  });
}

Deno.test("parseProxy: returns null for a text that is not an http: URL", () => {
  assertEquals(parseProxy("HTTP://[::1]:8080/")?.hostname, "::1");
  for (const text of ["socks5://p:1", "https://p", "http://", "http://p:x", "http://a b"]) {
    assertEquals(parseProxy(text), null, text);
  }
  assertEquals(chosen({ "all_proxy": "socks5h://p:1080" }, "http://mirror.lan/"), "unusable");
});

Deno.test("FileClient: an http: request to the proxy has the whole URL, and the credentials of the proxy", async () => {
  await using mirror = startHiddenMirror();
  await using proxy = startProxy();
  const http = `http://user:p%40ss@${proxy.address}`;
  assertEquals(await get(`${mirror.hidden}/x?y`, { http }), "200 right");
  assertEquals(proxy.asked, [`GET ${mirror.hidden}/x?y HTTP/1.1`]);
  assertEquals(proxy.credentials, [`Basic ${btoa("user:p@ss")}`]);
  assertEquals(mirror.headers.map((fields) => fields.get("proxy-authorization")), [null]);
  assertEquals(mirror.headers[0]?.get("host"), new URL(mirror.hidden).host);
});

Deno.test("FileClient: https: goes through a tunnel of the proxy, and the mirror's certificate is verified", async () => {
  const { authority, server: { certificate: cert, key } } = await makeCertificates();
  const seen: (string | null)[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen(): void {} },
    (request) => {
      seen.push(request.headers.get("proxy-authorization"));
      return new Response("right", { headers: { "Content-Length": "5" } });
    },
  );
  await using proxy = startProxy();
  const https = `http://user:pass@${proxy.address}`;
  const { port } = server.addr;
  assertEquals(await get(`https://localhost:${port}/x`, { https }, [authority]), "200 right");
  assertEquals(proxy.asked, [`CONNECT localhost:${port} HTTP/1.1`]);
  assertEquals(proxy.credentials, [`Basic ${btoa("user:pass")}`]);
  assertEquals(seen, [null]);
  // The certificate is not valid for this name.
  await assertRejects(
    () => get(`https://mirror.invalid:${port}/x`, { https }, [authority]),
    Unreachable,
    "has an invalid certificate",
  );
});

Deno.test("FileClient: a host in no_proxy is reached directly", async () => {
  await using mirror = startHiddenMirror();
  await using proxy = startProxy();
  const variables = { http: proxy.address, exceptions: "127.0.0.0/8" };
  assertEquals(await get(`${mirror.server}/x`, variables), "200 right");
  assertEquals(proxy.asked, []);
});

for (const [scheme, status] of [["http", 407], ["https", 407], ["https", 503]] as const) {
  Deno.test(`FileClient: a proxy that answers ${status} to ${scheme}: leaves the mirror unreachable`, async () => {
    await using proxy = startProxy({ status });
    const reason = status === 407 ? "requires other credentials" : "answers 503";
    const variables = { [scheme]: proxy.address };
    const asking = (): Promise<string> => get(`${scheme}://mirror.invalid:1/x`, variables);
    await assertRejects(asking, Unreachable, reason);
    assertEquals(proxy.asked.length, 1);
  });
}

for (const scheme of ["http", "https"]) {
  Deno.test(`FileClient: a proxy for ${scheme}: that is down leaves the mirror unreachable`, async () => {
    const down = new URL(closedServer()).host;
    const asking = (): Promise<string> => get(`${scheme}://mirror.invalid/x`, { [scheme]: down });
    await assertRejects(asking, Unreachable, "a proxy that cannot be reached");
  });
}

Deno.test("FileClient: a signal aborts a TLS handshake in a tunnel", async () => {
  await using silent = startProxy();
  // The proxy connects to a server that never answers the TLS handshake.
  await using mute = startMirror(() => new Promise(() => {}));
  const abort = new AbortController();
  const client = new FileClient(new Proxies({ ...DIRECT, https: silent.address }));
  const { port } = new URL(mute.origin);
  const asking = client.request({
    method: "GET",
    url: new URL(`https://mirror.invalid:${port}/`),
    headers: {},
    signal: abort.signal,
  });
  setTimeout(() => abort.abort(), 50);
  await assertRejects(() => asking, Unreachable);
});

/** Creates a host that reaches the mirror through a proxy. */
function behind(http: string, mirror: string, peer: TestMirror | null = null): Host {
  return makeHost({
    redirect: false,
    repositories: [repositoryWith([mirror])],
    memory: createPacserveMemory({ log: SILENT, proxies: { ...DIRECT, http } }),
    findPeer: (place) =>
      Promise.resolve(
        peer === null ? null : { peer: `${peer.origin}/`, url: `${peer.origin}/${place}`, size: 5 },
      ),
  });
}

Deno.test("Pacserve: HEAD and GET to a mirror go through the proxy, and requests to a peer do not", async () => {
  await using mirror = startHiddenMirror();
  await using proxy = startProxy();
  await using host = behind(proxy.address, mirror.hidden);
  const reply = await host.get(`/pacman/core/x86_64/core.db`);
  assert(reply !== null);
  assertEquals([reply.status, await readText(reply)], [200, "right"]);
  const database = `${mirror.hidden}/core.db HTTP/1.1`;
  assertEquals(proxy.asked, [`HEAD ${database}`, `GET ${database}`]);

  await using peer = startHiddenMirror();
  await using other = behind(proxy.address, mirror.hidden, peer);
  const relayed = await other.get(`/pacman/core/x86_64/${PACKAGE}`);
  assert(relayed !== null);
  assertEquals([relayed.status, await readText(relayed)], [200, "right"]);
  assert(peer.asked.includes(`GET /pkg/${PACKAGE}`), peer.asked.join("\n"));
});

for (const status of [407, null]) {
  Deno.test(`Pacserve: if the proxy ${status === null ? "is down" : `answers ${status}`}, pacman is redirected to the mirror`, async () => {
    await using proxy = startProxy(status === null ? {} : { status });
    const address = status === null ? new URL(closedServer()).host : proxy.address;
    await using host = behind(address, "http://mirror.invalid/core");
    for (const file of ["core.db", PACKAGE]) {
      const reply = await host.get(`/pacman/core/x86_64/${file}`);
      assertEquals(reply?.status, 307);
      assertEquals(reply?.headers["Location"], `http://mirror.invalid/core/${file}`);
    }
  });
}
