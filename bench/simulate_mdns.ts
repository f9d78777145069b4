/** What multicast DNS says on a LAN of many servers: `deno task simulate --mdns`. */

import { type VirtualHost, VirtualLan } from "../tests/mdns/virtual_lan.ts";

/** What was sent in a stretch of time. */
interface Sent {
  readonly datagrams: number;
  readonly bytes: number;
  /** Datagrams in the busiest tenth of a second. */
  readonly peak: number;
}

/** What a number of servers costs. */
export interface MdnsCosts {
  readonly servers: number;
  /** All start in the same moment. */
  readonly start: Sent;
  /** Milliseconds until everybody knows everybody. */
  readonly known: number;
  /** A minute in which nothing happens. */
  readonly idle: Sent;
  /** One more starts. */
  readonly newcomer: Sent;
  /** Milliseconds until it knows all. */
  readonly newcomerKnows: number;
}

const TENTH = 100;
const STEP = 10;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Lets servers announce themselves on a LAN with a clock of its own, and counts. */
export function measureMdns(servers: number): MdnsCosts {
  const lan = new VirtualLan();
  for (let index = 0; index < servers; index++) {
    const address = `10.0.${index >> 8}.${(index & 255) + 1}`;
    lan.add({ name: `workstation-${index}`, address });
  }
  const known = until(lan, () => lan.informed === servers);
  lan.run(20 * SECOND);
  const start = taken(lan);
  // Not the first minute: then all records are of the same age.
  lan.run(5 * MINUTE);
  taken(lan);
  lan.run(10 * MINUTE);
  const { datagrams, bytes, peak } = taken(lan);
  const idle = { datagrams: datagrams / 10, bytes: bytes / 10, peak };
  const late: VirtualHost = lan.add({ name: "newcomer", address: "10.1.0.1" });
  const newcomerKnows = until(lan, () => late.found.size === servers);
  lan.run(4 * SECOND);
  return { servers, start, known, idle, newcomer: taken(lan), newcomerKnows };
}

function until(lan: VirtualLan, done: () => boolean): number {
  const start = lan.now;
  while (!done()) {
    lan.run(STEP);
    if (lan.now - start > MINUTE) throw new Error("not everybody was found within a minute");
  }
  return lan.now - start;
}

/** What was sent since the last call. */
function taken(lan: VirtualLan): Sent {
  const sent = lan.sent.splice(0);
  const tenths = new Map<number, number>();
  for (const { at } of sent) {
    const tenth = Math.floor(at / TENTH);
    tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
  }
  const bytes = sent.reduce((sum, { datagram }) => sum + datagram.length, 0);
  return { datagrams: sent.length, bytes, peak: Math.max(0, ...tenths.values()) };
}
