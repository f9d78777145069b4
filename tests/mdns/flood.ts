/**
 * Sends hostile datagrams to the port of multicast DNS: services of many hosts that do not exist, with and
 * without addresses, and malformed messages.
 *
 * Arguments: the address to send from, and how many datagrams.
 */

import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { formatMessage, type MdnsRecord } from "../../src/peers/mdns/message.ts";

const [address = "", count = ""] = Deno.args;
const TYPE = "_pacserve._tcp.local";

function datagramOf(number: number): Uint8Array {
  const name = `evil ${number}.${TYPE}`;
  const target = `evil${number}.local`;
  const answers: MdnsRecord[] = [
    { name: TYPE, ttl: 2 ** 31 - 1, flush: false, type: "PTR", data: name },
    { name, ttl: 120, flush: true, type: "SRV", data: { target, port: number % 65_535 + 1 } },
    { name, ttl: 120, flush: true, type: "TXT", data: ["pacserve=1", "id=arch", "arch=x86_64"] },
    { name: target, ttl: 120, flush: true, type: "A", data: `192.0.2.${number % 256}` },
  ];
  const kinds = [answers, answers.slice(0, 1), answers.slice(0, 3)];
  const part = kinds[number % kinds.length] ?? [];
  const [datagram = new Uint8Array()] = formatMessage({
    isResponse: number % 5 > 0,
    truncated: false,
    questions: number % 5 > 0 ? [] : [{ name: TYPE, type: "PTR" }],
    answers: part,
    authorities: [],
    additionals: [],
  });
  const copy = datagram.slice();
  // Some have a name that points to itself, or wrong counts.
  if (number % 7 === 0) copy.set([0xc0, 12], 12);
  if (number % 11 === 0) copy.set([0xff, 0xff], 6);
  return copy;
}

const socket = createSocket({ type: "udp4", reuseAddr: true });
await new Promise<void>((resolve) => socket.bind(5353, "224.0.0.251", resolve));
socket.setMulticastInterface(address);
for (let number = 0; number < Number(count); number++) {
  await new Promise((resolve) =>
    socket.send(Buffer.from(datagramOf(number)), 5353, "224.0.0.251", resolve)
  );
}
socket.close();
console.log(`sent ${count}`);
