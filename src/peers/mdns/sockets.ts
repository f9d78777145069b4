/**
 * The sockets of multicast DNS on one link.
 *
 * Port 5353 is shared with avahi-daemon and systemd-resolved. All sockets receive multicast messages, but only
 * one of them receives a unicast message. Therefore each socket here is bound to the group's address, so that
 * it never takes a unicast message for another program.
 */

import { closeSocket, pause } from "../datagrams.ts";
import { createSocket, type Socket } from "node:dgram";
import { messageOf } from "../../failure.ts";
import { isInNetwork } from "../../http/address.ts";
import type { LinkInterface } from "./links.ts";
import { MAX_DATAGRAM } from "./message.ts";

const MDNS_PORT = 5353;

const GROUP = { ipv4: "224.0.0.251", ipv6: "ff02::fb" } as const;

/** The time to live of datagrams (RFC 6762 §11). */
const HOPS = 255;

/**
 * In each {@link PERIOD} (ms), at most this number of datagrams is handled, and for at most {@link WORK}
 * (ms). More wait in the kernel, which drops those that it cannot store.
 */
const DATAGRAMS = 50;
const PERIOD = 50;
const WORK = 5;

/** Receives the events of the sockets. */
interface SocketListener {
  /** A datagram arrived on the link from the port of multicast DNS at this IP address. */
  received(datagram: Uint8Array, source: string): void;
  /** There is a problem, described in a sentence for the log. */
  problem(sentence: string): void;
}

interface Family {
  readonly group: string;
  /** The address that the sockets are bound to, and that datagrams are sent to. */
  readonly bound: string;
  /** The address or number that selects the outgoing interface. */
  readonly outgoing: string;
  readonly receiver: Deno.DatagramConn;
}

/** Receives and sends on one interface, by IPv4 and IPv6. */
export class LinkSockets {
  readonly #interface: LinkInterface;
  readonly #listener: SocketListener;
  readonly #families: Family[] = [];
  #closed = false;
  /** Resolves when all datagrams so far were sent; they are sent one after another. */
  #sending: Promise<void> = Promise.resolve();

  /** Opens the sockets. One that cannot be opened is reported as a problem; nothing is thrown. */
  constructor(link: LinkInterface, listener: SocketListener) {
    this.#interface = link;
    this.#listener = listener;
    const { name, ipv4, ipv6Index } = link;
    if (ipv4 !== null) this.#open("udp4", GROUP.ipv4, GROUP.ipv4, ipv4);
    if (ipv6Index !== null) this.#open("udp6", GROUP.ipv6, `${GROUP.ipv6}%${name}`, `::%${name}`);
  }

  /** True when at least one socket is open. */
  get isOpen(): boolean {
    return this.#families.length > 0;
  }

  /** Sends datagrams to all hosts on the link. @returns false when none could be sent. */
  async send(datagrams: readonly Uint8Array[]): Promise<boolean> {
    const before = this.#sending;
    const done = Promise.withResolvers<void>();
    this.#sending = done.promise;
    await before;
    let sent = false;
    for (const family of this.#families) {
      try {
        await sendBy(family, datagrams);
        sent = true;
      } catch (error) {
        // A new interface has no usable address until duplicate address detection is done (RFC 4862 §5.4).
        if (!this.#closed) {
          const why = messageOf(error);
          this.#listener.problem(
            `cannot send to ${family.bound} on ${this.#interface.name}: ${why}`,
          );
        }
      }
    }
    done.resolve();
    return sent;
  }

  /** Closes the sockets after all pending datagrams were sent. */
  async close(): Promise<void> {
    await this.#sending;
    this.#closed = true;
    for (const { receiver } of this.#families) closeSocket(receiver);
  }

  #open(type: "udp4" | "udp6", group: string, bound: string, outgoing: string): void {
    const { name } = this.#interface;
    let receiver: Deno.DatagramConn;
    try {
      receiver = Deno.listenDatagram({
        transport: "udp",
        hostname: bound,
        port: MDNS_PORT,
        reuseAddress: true,
      });
    } catch (error) {
      const taken = error instanceof Deno.errors.AddrInUse;
      this.#listener.problem(
        taken
          ? `mDNS is not used on ${name}: another program uses UDP port ${MDNS_PORT} exclusively ` +
            "(avahi-daemon: disallow-other-stacks=no in avahi-daemon.conf)"
          : `mDNS is not used on ${name}: ${messageOf(error)}`,
      );
      return;
    }
    const family = { type, group, bound, outgoing, receiver };
    const joined = type === "udp4"
      ? receiver.joinMulticastV4(group, outgoing)
      : receiver.joinMulticastV6(group, this.#interface.ipv6Index ?? 0);
    joined.catch((error) => {
      this.#listener.problem(`cannot join ${group} on ${name}: ${messageOf(error)}`);
    });
    this.#families.push(family);
    this.#receive(receiver);
  }

  async #receive(receiver: Deno.DatagramConn): Promise<void> {
    const buffer = new Uint8Array(MAX_DATAGRAM + 1);
    let period = 0;
    let count = 0;
    let work = 0;
    while (!this.#closed) {
      let from = performance.now();
      try {
        const [datagram, source] = await receiver.receive(buffer);
        from = performance.now();
        if (source.transport === "udp" && source.port === MDNS_PORT && this.#isOnLink(source)) {
          this.#listener.received(datagram, source.hostname);
        }
      } catch (error) {
        if (this.#closed) return;
        this.#listener.problem(`cannot receive on ${this.#interface.name}: ${messageOf(error)}`);
        await pause(1_000);
      }
      const to = performance.now();
      const now = Math.floor(to / PERIOD);
      if (now !== period) count = work = 0;
      period = now;
      work += to - from;
      if (++count >= DATAGRAMS || work > WORK) await pause((now + 1) * PERIOD - to);
    }
  }

  /**
   * Returns true for a sender on the link. The IPv4 socket also receives from all interfaces on which a
   * program has joined the group.
   */
  #isOnLink({ hostname }: Deno.NetAddr): boolean {
    if (/^fe[89ab]/i.test(hostname)) return true;
    return this.#interface.networks.some((network) => isInNetwork(hostname, network));
  }
}

/** Sends by a temporary socket, because a receiving socket cannot choose its outgoing interface. */
async function sendBy(
  { bound, outgoing }: Family,
  datagrams: readonly Uint8Array[],
): Promise<void> {
  const type = bound === GROUP.ipv4 ? "udp4" : "udp6";
  const socket = createSocket({ type, reuseAddr: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(MDNS_PORT, bound, resolve);
    });
    socket.setMulticastInterface(outgoing);
    socket.setMulticastTTL(HOPS);
    for (const datagram of datagrams) await sendOne(socket, datagram, bound);
  } finally {
    socket.close();
  }
}

function sendOne(socket: Socket, datagram: Uint8Array, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(datagram, MDNS_PORT, to, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
