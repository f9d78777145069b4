/** The current network interfaces of this host. */

import { isLinkLocal, isLoopback } from "./address.ts";
import type { Connection } from "./exchange.ts";

/** How long a list of the interfaces is used before it is read again, in milliseconds. */
const FRESH = 5_000;

/** Lists the addresses and networks of this host. */
export class Network {
  #read = Number.NEGATIVE_INFINITY;
  #interfaces: readonly Deno.NetworkInterfaceInfo[] = [];

  /** The interfaces, as they were at most five seconds ago. */
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

  /** The network (`192.168.1.5/24`) over which a client connected; null for a client on this host. */
  networkOf({ remoteAddress, localAddress }: Connection): string | null {
    if (this.isOwn(remoteAddress, localAddress)) return null;
    const own = this.interfaces().find(({ address }) => address === localAddress);
    return own?.cidr ?? localAddress;
  }

  /**
   * True for an IP address of this host, loopback included.
   *
   * @param local of a client, the address of this host that it connected to. A link-local IPv6 address
   * means a machine on its own link only: a neighbour on another link may have taken the same one. This
   * host connects to such an address from that address itself.
   */
  isOwn(address: string, local: string = address): boolean {
    if (isLinkLocal(address) && address !== local) return false;
    return isLoopback(address) || this.interfaces().some((one) => one.address === address);
  }
}
