/**
 * Simulates the datagrams of many hosts on a LAN in this process, with a clock that runs as fast as
 * possible.
 */

import type { FoundService } from "../../src/peers/mdns/browser.ts";
import { Link } from "../../src/peers/mdns/link.ts";
import { formatText } from "../../src/peers/mdns/names.ts";

/** A datagram that was sent. */
export interface Sent {
  /** Milliseconds. */
  readonly at: number;
  readonly source: string;
  readonly datagram: Uint8Array;
}

/** A host and the services that it found. */
export interface VirtualHost {
  readonly address: string;
  readonly link: Link;
  /** The services that are found now: address and port. */
  readonly found: Map<string, FoundService>;
  /** All events, in order. */
  readonly events: string[];
}

/** The properties of a host. */
export interface VirtualHostOptions {
  readonly name: string;
  readonly address: string;
  readonly port?: number;
  /** The instance of the server, which is new after each restart. */
  readonly instance?: string;
}

/** Delivers each datagram immediately to all hosts, including the sender. */
export class VirtualLan {
  readonly sent: Sent[] = [];
  readonly hosts: VirtualHost[] = [];
  /** Milliseconds. */
  now = 0;
  readonly #random: () => number;

  /** @param seed the same seed gives the same course. */
  constructor(seed = 1) {
    let state = seed;
    this.#random = () => {
      // A linear congruential generator with the constants of Numerical Recipes.
      state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
      return state / 2 ** 32;
    };
  }

  /** Starts a host. */
  add({ name, address, port = 15678, instance = name }: VirtualHostOptions): VirtualHost {
    const found = new Map<string, FoundService>();
    const events: string[] = [];
    const text = formatText({
      id: "arch",
      arch: "x86_64",
      version: "1.2.3",
      instance,
      scheme: "http",
    });
    const options = {
      advertisement: { hostName: name, port, text },
      id: "arch",
      arch: "x86_64",
      random: this.#random,
    };
    const addresses = {
      addresses: [address],
      networks: [`${address}/8`],
      ownAddresses: new Set([address]),
    };
    const placeOf = ({ addresses, port }: FoundService): string => `${addresses[0]}:${port}`;
    const link = new Link(options, addresses, {
      found: (service) => {
        found.set(placeOf(service), service);
        events.push(`found ${placeOf(service)}`);
      },
      seen: () => {},
      lost: (service) => {
        found.delete(placeOf(service));
        events.push(`lost ${placeOf(service)}`);
      },
    }, this.now);
    const host = { address, link, found, events };
    this.hosts.push(host);
    return host;
  }

  /** Removes a host. If it ends cleanly, it announces its end first. */
  remove(host: VirtualHost, cleanly: boolean): void {
    this.hosts.splice(this.hosts.indexOf(host), 1);
    if (cleanly) this.send(host.link.close(), host.address);
  }

  /** Sends datagrams to all hosts. */
  send(datagrams: readonly Uint8Array[], source: string): void {
    for (const datagram of datagrams) {
      this.sent.push({ at: this.now, source, datagram });
      for (const { link } of this.hosts) link.receive(datagram, source, this.now);
    }
  }

  /** Lets the given number of milliseconds pass. */
  run(milliseconds: number): void {
    const end = this.now + milliseconds;
    while (true) {
      const [first] = this.hosts.map((host) => ({ host, next: host.link.next }))
        .sort((one, other) => one.next - other.next);
      if (first === undefined || first.next > end) break;
      this.now = Math.max(this.now, first.next);
      this.send(first.host.link.poll(this.now), first.host.address);
    }
    this.now = end;
  }

  /** Returns the number of hosts that have found all others. */
  get informed(): number {
    const all = this.hosts.length;
    return this.hosts.filter(({ found }) => found.size === all - 1).length;
  }
}
