import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ask, isNotListening, timeOf } from "../../../src/pacserve/ask.ts";
import { assertEquals, assertRejects } from "../../assert.ts";

/** A server that answers with the method, the target and the name that it was asked by. */
async function withServer(
  body: (address: URL) => Promise<void>,
  silent: boolean = false,
): Promise<void> {
  const server = createServer((request, response) => {
    if (!silent) response.end(`${request.method} ${request.url} ${request.headers.host}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await body(new URL(`http://localhost:${port}`));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("ask: localhost is both loopback addresses, and the Host field is what is wanted", async () => {
  await withServer(async (address) => {
    const { status, text } = await ask(address, { target: "/x", headers: { Host: "alder.lan" } });
    assertEquals([status, text], [200, "GET /x alder.lan"]);
  });
});

Deno.test("ask: why there is no answer, in plain words and in time", async () => {
  await withServer(async (address) => {
    const begun = performance.now();
    const failure = await assertRejects(() => ask(address, { timeout: 200 }), Error);
    assertEquals(failure.message, "does not answer within 0.2 s");
    assertEquals(performance.now() - begun < 1500, true);
  }, true);
  const closed = await assertRejects(() => ask(new URL("http://127.0.0.1:9")), Error);
  assertEquals([closed.message, isNotListening(closed)], ["refuses connections", true]);
});

Deno.test("timeOf: Date, later by what a cache says in Age", () => {
  const at = (date: string, age?: string): number | null =>
    timeOf(new Map([["date", date], ...(age === undefined ? [] : [["age", age] as const])]));
  const date = "Thu, 26 Nov 2026 17:00:00 GMT";
  assertEquals(at(date), Date.UTC(2026, 10, 26, 17));
  assertEquals(at(date, "60"), Date.UTC(2026, 10, 26, 17, 1));
  assertEquals(at(date, "soon"), Date.UTC(2026, 10, 26, 17));
  assertEquals([timeOf(new Map()), at("yesterday")], [null, null]);
});
