/** Multicast DNS on one interface while it is there: its sockets, its state, and a timer. */

import { Buffer } from "node:buffer";
import { Link, type LinkOptions } from "./link.ts";
import type { ServiceListener } from "./browser.ts";
import type { LinkInterface } from "./links.ts";
import { LinkSockets } from "./sockets.ts";

/** Longest delay that a timer takes, in milliseconds. */
const MAX_DELAY = 3_600_000;

/** So many datagrams of those that were sent are known again, and those that are sent next. */
const MAX_SENT = 16;

/** Speaks multicast DNS on an interface, until it is closed. */
export class RunningLink {
  #interface: LinkInterface;
  readonly #sockets: LinkSockets;
  readonly #link: Link;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  /** Nothing could be sent: as soon as something can, all of it is said again. */
  #isMute = false;
  /** Called when one of the datagrams that were sent comes back, while somebody wants to know. */
  #echoed: (() => void) | null = null;
  #sent: readonly Uint8Array[] = [];

  /** @param ownAddresses all IP addresses of this host. */
  constructor(
    link: LinkInterface,
    ownAddresses: ReadonlySet<string>,
    options: LinkOptions,
    listener: ServiceListener & { problem(sentence: string): void },
  ) {
    this.#interface = link;
    this.#link = new Link(options, { ...link, ownAddresses }, listener, performance.now());
    this.#sockets = new LinkSockets(link, {
      received: (datagram, source) => {
        this.#listenForEcho(datagram);
        this.#link.receive(datagram, source, performance.now());
        this.#wait();
      },
      problem: (sentence) => listener.problem(sentence),
    });
    this.#wait();
  }

  /** False when no socket could be opened. */
  get isOpen(): boolean {
    return this.#sockets.isOpen;
  }

  /**
   * Takes note of the interface as it is now.
   *
   * @returns false when it takes other sockets than those that are open.
   */
  update(link: LinkInterface, ownAddresses: ReadonlySet<string>): boolean {
    const before = this.#interface;
    if (before.ipv4 !== link.ipv4 || before.ipv6Index !== link.ipv6Index) return false;
    this.#interface = link;
    if (JSON.stringify(before) === JSON.stringify(link)) return true;
    this.#link.changed({ ...link, ownAddresses }, performance.now());
    this.#wait();
    return true;
  }

  /** Others may have forgotten this host: says again that it is there. */
  again(): void {
    this.#link.again(performance.now());
    this.#wait();
  }

  /** As {@link again}, and calls `heard` when this host hears that itself. */
  echo(heard: () => void): void {
    this.#sent = [];
    this.#echoed = heard;
    this.again();
  }

  #listenForEcho(datagram: Uint8Array): void {
    const echoed = this.#echoed;
    if (echoed === null || !this.#sent.some((one) => Buffer.compare(one, datagram) === 0)) return;
    this.#echoed = null;
    this.#sent = [];
    echoed();
  }

  /** Says that the service ends, if anybody can hear it, and closes the sockets. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const goodbye = this.#link.close();
    if (goodbye.length > 0) await this.#sockets.send(goodbye);
    await this.#sockets.close();
  }

  #wait(): void {
    if (this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const delay = Math.max(0, this.#link.next - performance.now());
    this.#timer = setTimeout(() => void this.#proceed(), Math.min(delay, MAX_DELAY));
  }

  async #proceed(): Promise<void> {
    const datagrams = this.#link.poll(performance.now());
    this.#wait();
    if (datagrams.length === 0) return;
    if (this.#echoed !== null) this.#sent = [...this.#sent.slice(-MAX_SENT), ...datagrams];
    const sent = await this.#sockets.send(datagrams);
    if (sent && this.#isMute) this.again();
    this.#isMute = !sent;
  }
}
