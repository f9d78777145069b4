/** What a worker counts: replies to others, what its pacman gets from the cache, and when it is told. */

import type { FileSource } from "../../../src/http/exchange.ts";
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
    readonly fileSource?: FileSource;
    readonly length?: number;
  },
): FinishedExchange {
  const { status = 200, method = "GET", fileSource = "cache", bytesSent = 10 } = parts;
  const { aborted = false, length = bytesSent } = parts;
  return {
    request: makeRequest({ method }),
    reply: { status, headers: {}, body: new Uint8Array(length), fileSource },
    bytesSent,
    durationMs: 1,
    aborted,
  };
}

Deno.test("LiveCounters: replies with files count by who got them, and others do not", () => {
  const { live } = makeCounters();
  live.sent(exchange({}), false, true);
  live.sent(exchange({ status: 206, fileSource: "inFlight" }), false, true);
  live.sent(exchange({}), true, true);
  // This host's pacman gets it from a download, which is counted where it comes from.
  live.sent(exchange({ fileSource: "mirror" }), true, true);
  live.sent(exchange({ method: "HEAD", bytesSent: 0 }), false, true);
  live.sent(exchange({ status: 304, bytesSent: 0 }), false, true);
  const { total } = live.state();
  const one = { files: 1, bytes: 10 };
  const none = { files: 0, bytes: 0 };
  assertEquals(total.served, { cache: one, peer: none, inFlight: one, mirror: none });
  assertEquals(total.received, { cache: one, peer: none, inFlight: none, mirror: none });
});

Deno.test("LiveCounters: of a reply that broke off the bytes count, and no file", () => {
  const { live } = makeCounters();
  live.sent(exchange({ aborted: true, length: 11 }), false, true);
  assertEquals(live.state().total.served.cache, { files: 0, bytes: 10 });
  // The client had all of it.
  live.sent(exchange({ aborted: true, length: 10 }), false, true);
  assertEquals(live.state().total.served.cache, { files: 1, bytes: 20 });
});

Deno.test("LiveCounters: a reply that takes long is counted as it goes, and nothing of it twice", () => {
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

Deno.test("LiveCounters tells what was counted once, soon, and the rest at the end", async () => {
  const { live, told } = makeCounters();
  live.count("received", "peer", 5, 1);
  live.count("received", "peer", 7, 1);
  assertEquals(told, []);
  await until(() => told.length > 0, "it is told");
  assertEquals(told, [flowsOf("received", "peer", 12, 2)]);
  live.close();
  assertEquals(told.length, 1);
  live.count("served", "cache", 3, 1);
  live.close();
  assertEquals(told.slice(1), [flowsOf("served", "cache", 3)]);
});

Deno.test("LiveCounters: what another worker counted is added, and not told again", () => {
  const { live, told } = makeCounters();
  live.add(flowsOf("received", "mirror", 9));
  assertEquals(live.state().total.received.mirror.bytes, 9);
  assertEquals(told, []);
});
