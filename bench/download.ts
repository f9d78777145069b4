/**
 * Downloads a file several times, with large reads, and drops the bytes.
 *
 * Usage: `download.ts <url> <times>`; it prints the number of bytes in the bodies, and the seconds.
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
