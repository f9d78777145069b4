/**
 * Runs one server, for tests that start it on its own host. It prints its log, on SIGUSR1 its state, and on
 * SIGUSR2 where it finds the file `pkg/foo`, which it also shares.
 */

import { IGNORED_INTERFACES } from "../../src/peers/interfaces.ts";
import { find, servePeer } from "./lan.ts";

const node = await servePeer(
  ["pkg/foo"],
  {
    multicast: {
      group: "224.3.45.67",
      port: 15679,
      address: "0.0.0.0",
      interfaces: [],
      ignoredInterfaces: IGNORED_INTERFACES,
      interval: 300,
    },
  },
  { log: (sentence) => console.log(sentence) },
  { hostname: "0.0.0.0", port: 15678 },
);
console.log("listening");

Deno.addSignalListener("SIGUSR1", () => {
  const peers = node.peers.rows().map(({ url, state }) => `${state} ${url}`);
  console.log(JSON.stringify({ peers, rss: Deno.memoryUsage().rss }));
});
Deno.addSignalListener("SIGUSR2", async () => {
  const start = performance.now();
  const url = await find(node, "pkg/foo");
  console.log(`file at ${url} after ${Math.round(performance.now() - start)} ms`);
});
