/** Requests that only programs on the server's own host may send. */

import { ReceivedPackages } from "../../../src/pacserve/received_packages.ts";
import { OwnHost } from "../../../src/server/own_host.ts";
import type { Reply } from "../../../src/http/exchange.ts";
import { assertEquals, assertMatch } from "../../assert.ts";
import { makeRequest, type RequestParts } from "../../request.ts";

const own = { remoteAddress: "127.0.0.1" };
const network = { isOwn: (address: string): boolean => address === "127.0.0.1" };

/** A server whose pacman received 3 of 4 MiB of the package foo from the LAN. */
function ownHost(): OwnHost {
  const received = new ReceivedPackages();
  received.add("foo-1-1-any.pkg.tar.zst", { lan: 3 << 20, total: 4 << 20 }, false);
  return new OwnHost(network, received, () => Promise.resolve({ version: "1" }));
}

async function answer(parts: RequestParts, host = ownHost()): Promise<Reply | null> {
  return await host.answer(makeRequest({ method: "POST", connection: own, ...parts }));
}

function textOf(reply: Reply | null): string {
  return reply?.body instanceof Uint8Array ? new TextDecoder().decode(reply.body) : "";
}

const names = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];

Deno.test("POST /?page=received: a line about the packages that are named, and then 204", async () => {
  const host = ownHost();
  const request = { target: "/?page=received" };
  const none = await answer({ ...request, body: names("bar\nfoobar\n") }, host);
  assertEquals([none?.status, none?.body], [204, null]);
  const reply = await answer({ ...request, body: names("bar\nfoo\n") }, host);
  assertEquals(reply?.status, 200);
  assertEquals(textOf(reply), "pacserve: 3.0 of 4.0 MiB came from the LAN\n");
  assertEquals((await answer({ ...request, body: names("foo\n") }, host))?.status, 204);
});

Deno.test("POST /?page=received: names that come in pieces, and more of them than there can be", async () => {
  const request = { target: "/?page=received" };
  const reply = await answer({ ...request, body: [..."foo\n"].flatMap(names) });
  assertEquals(reply?.status, 200);
  const endless = await answer({ ...request, body: names("x".repeat(2 << 20)) });
  assertEquals(endless?.status, 413);
});

Deno.test("POST /?page=check: what the server says of itself", async () => {
  const reply = await answer({ target: "/?page=check" });
  assertEquals([reply?.status, textOf(reply)], [200, '{"version":"1"}\n']);
});

Deno.test("a neighbour, a proxy on the host and a page in its browser get 403", async () => {
  const strangers: RequestParts[] = [
    { connection: { remoteAddress: "192.168.7.7" } },
    { headers: { "x-forwarded-for": "192.168.7.7" } },
    { headers: { "via": "1.1 proxy" } },
    { headers: { "sec-fetch-site": "cross-site" } },
  ];
  for (const target of ["/?page=check", "/?page=received"]) {
    for (const stranger of strangers) {
      const reply = await answer({ target, body: names("foo\n"), ...stranger });
      assertEquals(reply?.status, 403, JSON.stringify(stranger));
      assertMatch(textOf(reply), /own host/);
    }
  }
});

Deno.test("other requests are not for here", async () => {
  assertEquals(await answer({ target: "/" }), null);
  assertEquals(await answer({ target: "/?page=check", method: "GET" }), null);
  assertEquals(await answer({ target: "/?page=received&x", method: "POST" }), null);
});

Deno.test("POST /?page=received: the unit is that of the whole", async () => {
  for (
    const [bytes, line] of [
      [{ lan: 30_723_277, total: 31_771_853 }, "pacserve: 29.3 of 30.3 MiB came from the LAN\n"],
      [{ lan: 0, total: 41_300 }, "pacserve: 0 of 40 KiB came from the LAN\n"],
    ] as const
  ) {
    const received = new ReceivedPackages();
    received.add("foo-1-1-any.pkg.tar.zst", bytes, false);
    const host = new OwnHost(network, received, () => Promise.resolve(null));
    const reply = await answer({ target: "/?page=received", body: names("foo\n") }, host);
    assertEquals(textOf(reply), line);
  }
});
