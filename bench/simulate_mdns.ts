/** Counts the datagrams of multicast DNS on a LAN with many servers: `deno task simulate --mdns`. */

import { type VirtualHost, VirtualLan } from "../tests/mdns/virtual_lan.ts";

/** The datagrams sent in a period. */
interface Sent {
  readonly datagrams: number;
  readonly bytes: number;
  /** Datagrams in the busiest tenth of a second. */
  readonly peak: number;
}

/** The traffic with a number of servers. */
export interface MdnsCosts {
  readonly servers: number;
  /** When all servers start at the same moment. */
  readonly start: Sent;
  /** Time until each server knows all others, in milliseconds. */
  readonly known: number;
  /** In a minute without changes. */
  readonly idle: Sent;
  /** When one more server starts. */
  readonly newcomer: Sent;
  /** Time until the new server knows all others, in milliseconds. */
  readonly newcomerKnows: number;
}

const TENTH = 100;
const STEP = 10;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Simulates servers that announce themselves on a LAN, in simulated time, and counts datagrams. */
export function measureMdns(servers: number): MdnsCosts {
  const lan = new VirtualLan();
  for (let index = 0; index < servers; index++) {
    const address = `10.0.${index >> 8}.${(index & 255) + 1}`;
    lan.add({ name: `workstation-${index}`, address });
  }
  const known = until(lan, () => lan.informed === servers);
  lan.run(20 * SECOND);
  const start = taken(lan);
  // Skip the first minutes, in which all records have the same age.
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

/** The datagrams that were sent since the last call. */
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
