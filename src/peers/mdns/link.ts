/** Multicast DNS on one link: announces this server's service and finds those of others. */

import { type BrowsedLink, Browser, type BrowserOptions, type ServiceListener } from "./browser.ts";
import { foldCase, formatMessage, parseMessage } from "./message.ts";
import { type Advertisement, Responder, type Surroundings } from "./responder.ts";

/** The addresses of this host on a link. */
interface LinkAddresses {
  /** This host's IP addresses on the link. */
  readonly addresses: readonly string[];
  /** Its networks on the link (CIDR). */
  readonly networks: readonly string[];
  /** All IP addresses of this host, including those on other links. */
  readonly ownAddresses: ReadonlySet<string>;
}

/** The settings of a link that do not change while the server runs. */
export interface LinkOptions extends BrowserOptions {
  readonly advertisement: Advertisement;
}

/**
 * Combines the responder and the browser of a link. Times are in milliseconds on a clock that only goes
 * forward.
 */
export class Link implements BrowsedLink, Surroundings {
  readonly #responder: Responder;
  readonly #browser: Browser;
  #addresses: LinkAddresses;

  constructor(
    options: LinkOptions,
    addresses: LinkAddresses,
    listener: ServiceListener,
    now: number,
  ) {
    this.#addresses = addresses;
    this.#responder = new Responder(options.advertisement, this, options.random, now);
    this.#browser = new Browser(options, this, listener, now);
  }

  /** This host's IP addresses on the link. */
  get addresses(): readonly string[] {
    return this.#addresses.addresses;
  }

  /** This host's networks on the link (CIDR). */
  get networks(): readonly string[] {
    return this.#addresses.networks;
  }

  /** All IP addresses of this host. */
  get ownAddresses(): ReadonlySet<string> {
    return this.#addresses.ownAddresses;
  }

  /** Number of services on the link. */
  get services(): number {
    return this.#browser.size;
  }

  /** The name of this server's own service, in lower case. */
  get ownName(): string {
    return foldCase(this.#responder.instance);
  }

  /** The time when {@link poll} must be called next. */
  get next(): number {
    return Math.min(this.#responder.next, this.#browser.next);
  }

  /** Must be called when this host's addresses have changed. */
  changed(addresses: LinkAddresses, now: number): void {
    this.#addresses = addresses;
    this.again(now);
  }

  /**
   * Announces the service again and asks for those of others. Must be called when the link may have other
   * hosts than before.
   */
  again(now: number): void {
    this.#responder.changed(now);
    this.#browser.changed(now);
  }

  /** Handles a datagram that arrived from the port of multicast DNS at this IP address. */
  receive(datagram: Uint8Array, source: string, now: number): void {
    const message = parseMessage(datagram);
    if (message === null) return;
    this.#responder.receive(message, source, now);
    this.#browser.receive(message, source, now);
  }

  /** Returns the datagrams to send now. */
  poll(now: number): Uint8Array[] {
    return [...this.#responder.poll(now), ...this.#browser.poll(now)].flatMap(formatMessage);
  }

  /** Ends the service on the link. Returns the datagrams that announce its end. */
  close(): Uint8Array[] {
    this.#browser.close();
    const goodbye = this.#responder.goodbye();
    return goodbye === null ? [] : formatMessage(goodbye);
  }
}
