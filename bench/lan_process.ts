/**
 * Runs peers in a process that can be killed: `lan_process.ts <count> <kind> <number of the first>`.
 *
 * It prints the URLs of the peers as JSON. Then, for each line that it reads, it prints the number of
 * messages that the peers have got since the last line.
 */

import { serveOriginal, servePeer } from "../tests/peers/lan.ts";
import { packageName } from "./lan.ts";

const [count = "1", kind = "ours", first = "0"] = Deno.args;

/** Number of packages of each peer. */
const PACKAGES = 200;

const peers = await Promise.all(
  Array.from({ length: Number(count) }, (_, at) => {
    const peer = Number(first) + at;
    const names = Array.from({ length: PACKAGES }, (_, index) => packageName(peer, index));
    const files = names.map((name) => `pkg/${name}`);
    return kind === "original" ? serveOriginal(files) : servePeer(files, {}, {
      index: { names: () => Promise.resolve(names), directories: [] },
    });
  }),
);
console.log(JSON.stringify(peers.map(({ base }) => base)));

for await (const _ of Deno.stdin.readable) {
  console.log(String(peers.reduce((sum, { requests }) => sum + requests.length, 0)));
  for (const { requests } of peers) requests.length = 0;
}
