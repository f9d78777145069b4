/** Multicast DNS on one interface while that exists: its sockets, its state, and a timer. */

import { Buffer } from "node:buffer";
import { Link, type LinkOptions } from "./link.ts";
import type { ServiceListener } from "./browser.ts";
import type { LinkInterface } from "./links.ts";
import { LinkSockets } from "./sockets.ts";

/** Longest delay of the timer in milliseconds. */
const MAX_DELAY = 3_600_000;

/** Number of recently sent datagrams that are recognized when they come back. */
const MAX_SENT = 16;

/** Runs multicast DNS on an interface until it is closed. */
export class RunningLink {
  #interface: LinkInterface;
  readonly #sockets: LinkSockets;
  readonly #link: Link;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  /** True when nothing could be sent. As soon as sending works, the service is announced again. */
  #isMute = false;
  /** Is called when a sent datagram comes back; null while {@link echo} is not in use. */
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

  /** True when at least one socket could be opened. */
  get isOpen(): boolean {
    return this.#sockets.isOpen;
  }

  /**
   * Updates the state of the interface.
   *
   * @returns false when the interface needs other sockets than the open ones.
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

  /** Announces this host again, because others may have forgotten it. */
  again(): void {
    this.#link.again(performance.now());
    this.#wait();
  }

  /** Does the same as {@link again}, and calls `heard` when this host receives the announcement itself. */
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

  /** Announces the end of the service, if it was announced, and closes the sockets. */
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
