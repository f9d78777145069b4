/** The current network interfaces of this host. */

import { isInNetwork, isLinkLocal, isLoopback, isLoopbackHost } from "./address.ts";
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

  /**
   * True when a client can probably reach a server to which it would be redirected.
   *
   * If this host is on several networks, clients on one of them may have no route to the others. A
   * server on none of them is behind a router, which clients can probably use, too.
   *
   * @param client the network (CIDR) from which the request came; null for a client on this host, which
   * reaches every server that this host reaches.
   * @param host the server's name or IP address.
   */
  reaches(client: string | null, host: string): boolean {
    if (client === null) return true;
    if (isLoopbackHost(host)) return false;
    return isInNetwork(host, client) || !this.networks().some((each) => isInNetwork(host, each));
  }
}
