/** Multicast DNS on one link: this server's service and those of others, datagrams in and out. */

import { type BrowsedLink, Browser, type BrowserOptions, type ServiceListener } from "./browser.ts";
import { foldCase, formatMessage, parseMessage } from "./message.ts";
import { type Advertisement, Responder, type Surroundings } from "./responder.ts";

/** This host as it is seen on a link. */
interface LinkAddresses {
  /** This host's IP addresses on the link. */
  readonly addresses: readonly string[];
  /** Its networks on the link (CIDR). */
  readonly networks: readonly string[];
  /** All IP addresses of this host, those on other links too. */
  readonly ownAddresses: ReadonlySet<string>;
}

/** What does not change while the server runs. */
export interface LinkOptions extends BrowserOptions {
  readonly advertisement: Advertisement;
}

/** The responder and the browser of a link. Times are milliseconds on a clock that only goes forward. */
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

  /** Number of services that are known on the link. */
  get services(): number {
    return this.#browser.size;
  }

  /** The name of this server's own service, in lower case. */
  get ownName(): string {
    return foldCase(this.#responder.instance);
  }

  /** When {@link poll} has something to do. */
  get next(): number {
    return Math.min(this.#responder.next, this.#browser.next);
  }

  /** This host's addresses are others than before. */
  changed(addresses: LinkAddresses, now: number): void {
    this.#addresses = addresses;
    this.again(now);
  }

  /** The link may lead to other hosts than before: announces the service and asks who is there. */
  again(now: number): void {
    this.#responder.changed(now);
    this.#browser.changed(now);
  }

  /** A datagram came in from the port of multicast DNS at this IP address. */
  receive(datagram: Uint8Array, source: string, now: number): void {
    const message = parseMessage(datagram);
    if (message === null) return;
    this.#responder.receive(message, source, now);
    this.#browser.receive(message, source, now);
  }

  /** The datagrams that are to be sent now. */
  poll(now: number): Uint8Array[] {
    return [...this.#responder.poll(now), ...this.#browser.poll(now)].flatMap(formatMessage);
  }

  /** Ends: returns the datagrams that say so. */
  close(): Uint8Array[] {
    this.#browser.close();
    const goodbye = this.#responder.goodbye();
    return goodbye === null ? [] : formatMessage(goodbye);
  }
}
