/** The counts of a worker: replies to others, this host's files from the cache, and when they are reported. */

import type { FileSource, ReplyHeaders } from "../../../src/http/exchange.ts";
import type { FinishedExchange } from "../../../src/http/listener.ts";
import { Counters, emptyCounters } from "../../../src/status/counters.ts";
import { LiveCounters } from "../../../src/status/live_counters.ts";
import type { Flows } from "../../../src/status/traffic.ts";
import { assertEquals } from "../../assert.ts";
import { until } from "../../listening.ts";
import { makeRequest } from "../../request.ts";
import { flowsOf } from "./flows.ts";

function makeCounters(): { live: LiveCounters; told: Flows[] } {
  const told: Flows[] = [];
  const live = new LiveCounters(new Counters(emptyCounters()));
  live.on("counted", (flows) => told.push(flows));
  return { live, told };
}

function exchange(
  parts: Partial<Pick<FinishedExchange, "bytesSent" | "aborted">> & {
    readonly status?: number;
    readonly method?: string;
    readonly target?: string;
    readonly headers?: ReplyHeaders;
    readonly fileSource?: FileSource;
    readonly length?: number;
  },
): FinishedExchange {
  const { status = 200, method = "GET", target = "/pkg/a-1-1-any.pkg.tar.zst" } = parts;
  const { headers = {}, fileSource = "cache", bytesSent = 10 } = parts;
  const { aborted = false, length = bytesSent } = parts;
  return {
    request: makeRequest({ method, target }),
    reply: { status, headers, body: new Uint8Array(length), fileSource },
    bytesSent,
    durationMs: 1,
    aborted,
  };
}

Deno.test("LiveCounters: counts replies with files by their receiver, and no other replies", () => {
  const { live } = makeCounters();
  live.sent(exchange({}), false, true);
  live.sent(exchange({ fileSource: "inFlight" }), false, true);
  live.sent(exchange({}), true, true);
  // The download of this file for this host is counted separately.
  live.sent(exchange({ fileSource: "mirror" }), true, true);
  live.sent(exchange({ method: "HEAD", bytesSent: 0 }), false, true);
  live.sent(exchange({ status: 304, bytesSent: 0 }), false, true);
  const { total } = live.state();
  const one = { files: 1, bytes: 10 };
  const none = { files: 0, bytes: 0 };
  assertEquals(total.served, { cache: one, peer: none, inFlight: one, mirror: none });
  assertEquals(total.received, { cache: one, peer: none, inFlight: none, mirror: none });
});

Deno.test("LiveCounters: counts the bytes of a broken reply, but no file", () => {
  const { live } = makeCounters();
  live.sent(exchange({ aborted: true, length: 11 }), false, true);
  assertEquals(live.state().total.served.cache, { files: 0, bytes: 10 });
  // The client received all bytes.
  live.sent(exchange({ aborted: true, length: 10 }), false, true);
  assertEquals(live.state().total.served.cache, { files: 1, bytes: 20 });
});

Deno.test("LiveCounters: of a file that is sent in parts, only the part with the end counts as a file", () => {
  const { live } = makeCounters();
  for (const range of ["bytes 0-9/30", "bytes 10-19/30", "bytes 20-29/30"]) {
    live.sent(exchange({ status: 206, headers: { "Content-Range": range } }), false, true);
  }
  // A reply with several ranges has no such field.
  live.sent(exchange({ status: 206 }), false, true);
  assertEquals(live.state().total.served.cache, { files: 1, bytes: 40 });
});

Deno.test("LiveCounters: does not count signatures", () => {
  const { live } = makeCounters();
  for (const target of ["/pkg/a-1-1-any.pkg.tar.zst.sig", "/pacman/core/x86_64/core.db.sig?a=b"]) {
    live.sent(exchange({ target }), false, true);
  }
  assertEquals(live.state().total.served.cache, { files: 0, bytes: 0 });
  live.sent(exchange({ target: "/pkg/a.sig/b?c=.sig" }), false, true);
  assertEquals(live.state().total.served.cache, { files: 1, bytes: 10 });
});

Deno.test("LiveCounters: counts a long reply while it is sent, and no byte twice", () => {
  const { live } = makeCounters();
  const begun = exchange({ bytesSent: 30 });
  const look = (): void => live.sent(begun, false, false);
  live.on("look", look);
  live.state();
  assertEquals(live.state().total.served.cache, { files: 0, bytes: 30 });
  live.off("look", look);
  live.sent({ ...begun, bytesSent: 100 }, false, true);
  assertEquals(live.state().total.served.cache, { files: 1, bytes: 100 });
});

Deno.test("LiveCounters: reports each count once and soon, and the rest on close", async () => {
  const { live, told } = makeCounters();
  live.count("received", "peer", 5, 1);
  live.count("received", "peer", 7, 1);
  assertEquals(told, []);
  await until(() => told.length > 0, "it is reported");
  assertEquals(told, [flowsOf("received", "peer", 12, 2)]);
  live.close();
  assertEquals(told.length, 1);
  live.count("served", "cache", 3, 1);
  live.close();
  assertEquals(told.slice(1), [flowsOf("served", "cache", 3)]);
});

Deno.test("LiveCounters: adds the counts of another worker, and does not report them again", () => {
  const { live, told } = makeCounters();
  live.add(flowsOf("received", "mirror", 9));
  assertEquals(live.state().total.received.mirror.bytes, 9);
  assertEquals(told, []);
});
