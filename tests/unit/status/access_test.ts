/** Access to the status and the metrics. */

import { isFromMetricsNetwork, isOwnRequest } from "../../../src/status/access.ts";
import { assertEquals } from "../../assert.ts";
import { makeRequest } from "../../request.ts";

const network = { isOwn: (address: string) => ["127.0.0.1", "192.0.2.1"].includes(address) };

function isOwn(remoteAddress: string, headers: Record<string, string> = {}): boolean {
  return isOwnRequest(makeRequest({ headers, connection: { remoteAddress } }), network);
}

Deno.test("isOwnRequest: true for all addresses of this host, and no others", () => {
  assertEquals(isOwn("127.0.0.1"), true);
  assertEquals(isOwn("192.0.2.1"), true);
  assertEquals(isOwn("192.0.2.7"), false);
});

Deno.test("isOwnRequest: false for requests that a proxy on this host forwards", () => {
  for (const name of ["forwarded", "x-forwarded-for", "x-real-ip", "via"]) {
    assertEquals(isOwn("127.0.0.1", { [name]: "for=203.0.113.9" }), false, name);
  }
});

Deno.test("isOwnRequest: false for requests by a page of another site, true for a link on it", () => {
  const from = (site: string, mode: string, dest: string): Record<string, string> => ({
    "sec-fetch-site": site,
    "sec-fetch-mode": mode,
    "sec-fetch-dest": dest,
  });
  assertEquals(isOwn("127.0.0.1", from("same-origin", "cors", "empty")), true);
  assertEquals(isOwn("127.0.0.1", from("none", "navigate", "document")), true);
  assertEquals(isOwn("127.0.0.1", from("cross-site", "navigate", "document")), true);
  for (const site of ["cross-site", "same-site"]) {
    for (
      const [mode, dest] of [
        ["cors", "empty"],
        ["no-cors", "script"],
        ["no-cors", "image"],
        ["navigate", "iframe"],
      ] as const
    ) assertEquals(isOwn("127.0.0.1", from(site, mode, dest)), false, `${site} ${mode} ${dest}`);
  }
});

Deno.test("isFromMetricsNetwork: true for programs of these networks, false for browsers", () => {
  const networks = ["10.9.0.0/16", "fd00::/8"];
  const is = (remoteAddress: string, headers = {}): boolean =>
    isFromMetricsNetwork(makeRequest({ headers, connection: { remoteAddress } }), networks);
  assertEquals(is("10.9.3.4"), true);
  assertEquals(is("fd00::1"), true);
  assertEquals(is("10.8.0.1"), false);
  assertEquals(is("10.9.3.4", { "sec-fetch-site": "cross-site" }), false);
});
