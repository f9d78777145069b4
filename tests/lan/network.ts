/**
 * A LAN of hosts: a bridge in its own network namespace, with one cable to each host.
 *
 * ```ts
 * await using lan = await Network.create();
 * const a = await lan.host("alder");
 * const b = await lan.host("birch");
 * await b.must(["ping", "-c1", lan.addressOf(a)]);
 * ```
 *
 * It is separate from the machine's own network: the bridge and both ends of every cable are made inside these
 * namespaces, so that no packet gets out, and the addresses may also be in use elsewhere.
 */

import { Host } from "./host.ts";

/** A LAN and the hosts on it. The hosts that it made end with it. */
export class Network implements AsyncDisposable {
  readonly #switch: Host;
  readonly #prefix: string;
  readonly #hosts = new Map<Host, string>();
  readonly #own: Host[] = [];

  private constructor(device: Host, prefix: string) {
    this.#switch = device;
    this.#prefix = prefix;
  }

  /**
   * Creates an empty LAN.
   *
   * @param prefix the first three numbers of its addresses.
   */
  static async create(prefix = "10.20.30"): Promise<Network> {
    const device = await Host.create("switch");
    await device.must(["ip", "link", "add", "lan", "type", "bridge", "mcast_snooping", "0"]);
    await device.must(["ip", "link", "set", "lan", "up"]);
    return new Network(device, prefix);
  }

  /** Adds a host. Its interface is `eth0`. The last numbers of the hosts' addresses are 1, 2 and so on. */
  async host(name: string): Promise<Host> {
    const host = await Host.create(name);
    this.#own.push(host);
    await this.connect(host);
    return host;
  }

  /** Connects a host that was made separately (or is also on another LAN), with a free interface name. */
  async connect(host: Host, device = "eth0"): Promise<void> {
    this.#hosts.set(host, `${this.#prefix}.${this.#hosts.size + 1}`);
    await this.#plug(host, device);
  }

  async #plug(host: Host, device: string): Promise<void> {
    const [port, address] = [this.#portOf(host), this.addressOf(host)];
    const script = `set -e
      ip link add ${port} type veth peer name ${device} netns ${host.pid}
      ip link set ${port} master lan up`;
    await this.#switch.must(["bash", "-c", script]);
    const inside = `set -e
      ip addr add ${address}/24 broadcast + dev ${device}
      ip link set ${device} up
      ip route append 224.0.0.0/4 dev ${device}`;
    await host.must(["bash", "-c", inside]);
  }

  /** Returns the host's address on this LAN. */
  addressOf(host: Host): string {
    const address = this.#hosts.get(host);
    if (address === undefined) throw new Error(`${host.name} is not on this LAN`);
    return address;
  }

  /** Returns the name of the host with an address; the address itself when there is no such host. */
  nameOf(address: string): string {
    for (const [host, known] of this.#hosts) if (known === address) return host.name;
    return address;
  }

  /** Disconnects a host from the LAN, like pulling its cable. */
  async unplug(host: Host): Promise<void> {
    await this.#switch.must(["ip", "link", "set", this.#portOf(host), "down"]);
  }

  /** Plugs the cable of a host in again. */
  async plugIn(host: Host): Promise<void> {
    await this.#switch.must(["ip", "link", "set", this.#portOf(host), "up"]);
  }

  /** Replaces a host's network adapter with a similar one that has the same address. */
  async replug(host: Host, device = "eth0"): Promise<void> {
    await this.#switch.must(["ip", "link", "del", this.#portOf(host)]);
    await this.#plug(host, device);
  }

  #portOf(host: Host): string {
    return `port${[...this.#hosts.keys()].indexOf(host) + 1}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#own) await host[Symbol.asyncDispose]();
    await this.#switch[Symbol.asyncDispose]();
  }
}
