import { ConcurrencyLimit, NeighbourLimit, TokenBucket } from "../../../src/http/rate_limit.ts";
import { assertEquals } from "../../assert.ts";

const count = (tries: number, take: () => boolean): number =>
  Array.from({ length: tries }, take).filter((taken) => taken).length;

Deno.test("TokenBucket: gives its burst, then its rate, and never holds more than its burst", () => {
  let now = 0;
  const bucket = new TokenBucket({ burst: 5, perSecond: 2 }, () => now);
  assertEquals(count(9, () => bucket.take()), 5);
  now += 1_000;
  assertEquals(count(9, () => bucket.take()), 2);
  now += 3_600_000;
  assertEquals(count(9, () => bucket.take()), 5);
});

Deno.test("NeighbourLimit: each IPv4 address and IPv6 /64 has a bucket, and all share one", () => {
  let now = 0;
  const limit = new NeighbourLimit(
    { burst: 5, perSecond: 1 },
    { burst: 12, perSecond: 2 },
    () => now,
  );
  assertEquals(count(9, () => limit.take("10.0.0.1")), 5);
  let host = 0;
  assertEquals(count(9, () => limit.take(`2001:db8::${++host}`)), 5);
  // An address over its own limit takes no tokens from the shared bucket.
  assertEquals(count(9, () => limit.take("10.0.0.1")), 0);
  assertEquals(count(9, () => limit.take("10.0.0.2")), 2);
  now += 1_000;
  assertEquals(count(9, () => limit.take("10.0.0.1")), 1);
  assertEquals(count(9, () => limit.take("10.0.0.3")), 1);
});

Deno.test("NeighbourLimit: any number of addresses together get no more than the shared limit", () => {
  const limit = new NeighbourLimit(
    { burst: 5, perSecond: 1 },
    { burst: 100, perSecond: 0 },
    () => 0,
  );
  let number = 0;
  const next = (): string => `10.${number >> 16}.${number >> 8 & 255}.${number++ & 255}`;
  assertEquals(count(5_000, () => limit.take(next())), 100);
});

Deno.test("ConcurrencyLimit: no more tasks than its limit run at a time, and all run in the end, even after failures", async () => {
  const limit = new ConcurrencyLimit(3);
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      limit.run(async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running--;
        if (index % 3 === 0) throw new Error("no");
        return index;
      })),
  );
  assertEquals(most, 3);
  assertEquals(results.filter(({ status }) => status === "fulfilled").length, 13);
});
