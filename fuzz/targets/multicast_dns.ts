/** Multicast DNS: datagrams that any host on the LAN can send. */

import fc from "fast-check";
import { isInNetwork } from "../../src/http/address.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { VirtualLan } from "../../tests/mdns/virtual_lan.ts";
import { bytesOf, byteText } from "../bytes.ts";
import { target } from "../target.ts";

/** Describes changes to a datagram of a real server. */
const changed = fc.record({
  which: fc.nat(20),
  changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
  length: fc.nat(1_200),
});

/**
 * For any datagrams of a stranger, a server keeps working, finds no server outside its network, is found
 * by another server, and stops sending when nothing changes.
 */
export const multicastDns = target(
  "multicast-dns",
  fc.record({ sent: fc.array(fc.oneof(changed, byteText(600)), { maxLength: 12 }) }),
  ({ sent }) => {
    const lan = new VirtualLan();
    const alder = lan.add({ name: "alder", address: "10.0.0.1" });
    lan.run(5_000);
    const real = lan.sent.map(({ datagram }) => datagram);
    for (const one of sent) {
      lan.send([typeof one === "string" ? bytesOf(one) : mutated(real, one)], "10.0.0.66");
      lan.run(100);
    }
    const birch = lan.add({ name: "birch", address: "10.0.0.2" });
    lan.run(30_000);
    assert(birch.found.size > 0, "the server was not found");
    for (const { addresses } of [...alder.found.values(), ...birch.found.values()]) {
      const isNear = addresses.every((address) => isInNetwork(address, "10.0.0.0/8"));
      assertEquals(isNear, true, addresses.join());
    }
    const before = lan.sent.length;
    lan.run(60_000);
    assert(lan.sent.length - before < 200, "they do not come to rest");
  },
);

function mutated(
  real: readonly Uint8Array[],
  { which, changes, length }: {
    readonly which: number;
    readonly changes: readonly (readonly [at: number, byte: number])[];
    readonly length: number;
  },
): Uint8Array {
  const copy = (real[which % real.length] ?? new Uint8Array()).slice(0, Math.max(length, 12));
  for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
  return copy;
}
