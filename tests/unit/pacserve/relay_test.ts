import { assert, assertEquals, assertRejects } from "../../assert.ts";
import type { Reply } from "../../../src/http/exchange.ts";
import { relay } from "../../../src/pacserve/relay.ts";
import { readText } from "../../reply.ts";
import { makeRequest } from "../../request.ts";
import { closedServer, startMirror, startRaw, type TestMirror } from "./mirror.ts";

function pass(
  server: string,
  request = makeRequest({}),
): Promise<Reply | null> {
  const choice = { url: `${server}/x`, origin: "http://m", hasCredentials: true, verified: true };
  return relay(choice, request, "1.1 test", () => false);
}

function startTruncated(): TestMirror {
  return startRaw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin");
}

Deno.test("a file that breaks off at the mirror breaks off for pacman", async () => {
  const mirror = startTruncated();
  const reply = await pass(mirror.server);
  assert(reply !== null);
  assertEquals(reply.headers["Content-Length"], "1000");
  assertEquals(reply.headers["Content-Security-Policy"], "sandbox");
  const reading = assertRejects(() => readText(reply));
  await mirror[Symbol.asyncDispose]();
  await reading;
});

Deno.test("when pacman goes away, the mirror is let go", async () => {
  await using mirror = startTruncated();
  const client = new AbortController();
  const reply = await pass(mirror.server, makeRequest({ signal: client.signal }));
  assert(reply !== null);
  const reading = assertRejects(() => readText(reply));
  client.abort();
  await reading;
});

Deno.test("conditions reach the mirror, and its 304 reaches pacman; cookies do not", async () => {
  await using mirror = startMirror((request) =>
    request.headers.has("If-Modified-Since") && !request.headers.has("Cookie")
      ? new Response(null, { status: 304, headers: { "Set-Cookie": "a=b" } })
      : new Response("whole")
  );
  const headers = { "if-modified-since": "Sun, 22 Nov 2026 10:00:00 GMT", "cookie": "c=d" };
  const reply = await pass(mirror.server, makeRequest({ headers }));
  assertEquals([reply?.status, reply?.headers["Set-Cookie"]], [304, undefined]);
});

Deno.test("what a mirror refuses, or a mirror that is down, is no reply", async () => {
  for (const status of [401, 403, 404, 500]) {
    await using mirror = startMirror(() => new Response("no", { status }));
    assertEquals(await pass(mirror.server), null);
  }
  assertEquals(await pass(closedServer()), null);
});
