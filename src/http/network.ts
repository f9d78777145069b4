/** The network interfaces of this host, as they are now. */

import { isLoopback } from "./address.ts";
import type { Connection } from "./exchange.ts";

/** Milliseconds for which a reading holds: interfaces come up and go down. */
const FRESH = 5_000;

/** Knows which addresses and networks are this host's own. */
export class Network {
  #read = Number.NEGATIVE_INFINITY;
  #interfaces: readonly Deno.NetworkInterfaceInfo[] = [];

  /** The interfaces; a reading is kept for a few seconds. */
  interfaces(): readonly Deno.NetworkInterfaceInfo[] {
    const now = performance.now();
    if (now - this.#read > FRESH) {
      this.#interfaces = Deno.networkInterfaces();
      this.#read = now;
    }
    return this.#interfaces;
  }

  /** The addresses of the interfaces with their prefixes: `192.168.1.5/24`. */
  networks(): string[] {
    return this.interfaces().flatMap(({ cidr }) => cidr === null ? [] : [cidr]);
  }

  /** The network in which a client came in; null for a client on this host. */
  networkOf({ remoteAddress, localAddress }: Connection): string | null {
    if (this.isOwn(remoteAddress)) return null;
    const own = this.interfaces().find(({ address }) => address === localAddress);
    return own?.cidr ?? localAddress;
  }

  /** True for an IP address of this host, loopback included. */
  isOwn(address: string): boolean {
    return isLoopback(address) || this.interfaces().some((one) => one.address === address);
  }
}
