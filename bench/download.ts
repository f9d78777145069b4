/**
 * Downloads one after the other, on a core of its own: large reads, and nothing is done with them.
 *
 * Usage: `download.ts <url> <times>`; it prints the bytes of the bodies and the seconds they took.
 */

import { Client } from "./client.ts";

const [address = "", times] = Deno.args;
const { protocol, port, pathname } = new URL(address);
using client = protocol === "https:"
  ? await Client.connectTls(Number(port))
  : await Client.connect(Number(port));
const start = performance.now();
let bytes = 0;
for (let count = 0; count < Number(times); count++) {
  const { status, length } = await client.request("GET", pathname);
  if (status !== 200) throw new Error(`${address} is answered with ${status}`);
  bytes += length;
}
console.log(bytes, (performance.now() - start) / 1000);
