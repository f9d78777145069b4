/**
 * Discovery by UDP multicast: sends announcements and receives those of others.
 *
 * One socket receives on the group's port. For each local address that takes part, another socket is bound
 * to that address and sends, because on Linux this chooses the interface.
 */

import { Buffer } from "node:buffer";
import { BoundedMap } from "../bounded_map.ts";
import { AwaitedEchoes, closeSocket, pause } from "./datagrams.ts";
import type { Log } from "../log.ts";
import { messageOf } from "../failure.ts";
import { isLoopback } from "../http/address.ts";
import { AlignedTimer } from "./aligned_timer.ts";
import { formatAnnouncement, parseAnnouncement } from "./announcement.ts";
import type { MulticastConfiguration, PeersConfiguration } from "./configuration.ts";
import type { Discovery, DiscoveryListener, Echo } from "./discovery.ts";
import {
  addressesNear,
  type InterfaceAddress,
  isFromElsewhere,
  multicastAddresses,
} from "./interfaces.ts";
import { formatPeerUrl, type PeerUrl } from "./peer_url.ts";

/** Milliseconds from the start to the first announcement. */
const FIRST_ANNOUNCEMENT = 1_000;

/** Milliseconds between two checks of the interfaces. One that comes up is used within a minute. */
const RESCAN = 45_000;

const TTL = 32;

/**
 * Tolerance in milliseconds: an announcement is due if the previous one came an interval ago, plus or minus
 * this. An announcement at another time comes from a server that was restarted.
 */
const DUE_MARGIN = 2_000;

/** The greatest number of servers whose last announcement is stored. */
const MAX_HEARD = 2_048;

/**
 * The number of datagrams that are read in each {@link PERIOD}. More wait in the kernel, which drops those
 * that it cannot store. The period is short, so that a flood of datagrams never delays requests for long.
 */
const DATAGRAMS = 50;
const PERIOD = 50;

interface Sender {
  readonly socket: Deno.DatagramConn;
  /** The membership of the sending socket, which has the options for outgoing datagrams. */
  readonly sending: Promise<Deno.MulticastV4Membership> | null;
  readonly membership: Deno.MulticastV4Membership | null;
}

/** Announces this server and listens for others until it is stopped. */
export class Multicast implements Discovery {
  readonly #configuration: MulticastConfiguration;
  readonly #program: PeersConfiguration["program"];
  readonly #defaultPort: number;
  readonly #announcement: Uint8Array;
  readonly #log: Log;
  readonly #senders = new Map<string, Sender>();
  /** The time of the last announcement of each server, by its URL. */
  readonly #lastHeard = new BoundedMap<string, number>(MAX_HEARD);
  readonly #reported = new Set<string>();
  /** Local addresses in whose networks another host was heard. */
  readonly #answered = new Set<string>();
  /** Set while {@link echoes} waits for announcements to come back. */
  #echoes: AwaitedEchoes | null = null;
  #receiver: Deno.DatagramConn | null = null;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #rescan: AlignedTimer | null = null;
  #interfaces: readonly InterfaceAddress[] = [];
  #lastLook = 0;

  /** @param uri the URI of this server in announcements. */
  constructor(
    configuration: MulticastConfiguration,
    { program, defaultPort }: Pick<PeersConfiguration, "program" | "defaultPort">,
    uri: string,
    log: Log,
  ) {
    this.#configuration = configuration;
    this.#program = program;
    this.#defaultPort = defaultPort;
    this.#announcement = formatAnnouncement(program, uri);
    this.#log = log;
  }

  /** Joins the group and starts to announce. */
  start(listener: DiscoveryListener): void {
    const { address, port, interval } = this.#configuration;
    let receiver: Deno.DatagramConn;
    try {
      receiver = Deno.listenDatagram({
        transport: "udp",
        hostname: address,
        port,
        reuseAddress: true,
      });
    } catch (error) {
      this.#log.warn(
        `multicast cannot find peers, because UDP port ${port} of ${address} cannot be used ` +
          `(--multicast-port, --multicast-address): ${messageOf(error)}`,
      );
      return;
    }
    this.#receiver = receiver;
    this.#look();
    this.#lastLook = Date.now();
    this.#timers = [
      setTimeout(() => this.#announce(), FIRST_ANNOUNCEMENT),
      setInterval(() => this.#announce(), interval * 1000),
    ];
    this.#rescan = new AlignedTimer(RESCAN, () => this.#lookAgain());
    this.#receive(receiver, listener);
  }

  async echoes(patience: number): Promise<Echo[]> {
    const means = "multicast";
    if (this.#receiver === null) {
      return [{ means, place: `UDP port ${this.#configuration.port}`, heard: false }];
    }
    // Include interfaces that came up since the last check.
    this.#look();
    const echoes = new AwaitedEchoes([...this.#senders.keys()].filter((one) => !isLoopback(one)));
    this.#echoes = echoes;
    await this.#loopBack(true);
    this.#announce();
    const heard = await echoes.wait(patience);
    this.#echoes = null;
    await this.#loopBack(false);
    return heard.map((echo) => ({ means, ...echo }));
  }

  /**
   * Sets if this host receives its own datagrams to a LAN. Normally it does not: two servers on one host
   * find each other at the loopback address, and must not find each other at a second address, too.
   */
  async #loopBack(isOn: boolean): Promise<void> {
    await Promise.all([...this.#senders.values()].map(async ({ sending }) => {
      try {
        await (await sending)?.setLoopback(isOn);
      } catch {
        // The interface has just disappeared.
      }
    }));
  }

  /** Leaves the group and closes all sockets. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#rescan?.stop();
    const receiver = this.#receiver;
    this.#receiver = null;
    if (receiver !== null) closeSocket(receiver);
    for (const { socket } of this.#senders.values()) closeSocket(socket);
    this.#senders.clear();
  }

  /** Sends an announcement from every address. */
  #announce(): void {
    for (const address of this.#senders.keys()) this.#announceFrom(address);
  }

  #announceFrom(address: string): void {
    const sender = this.#senders.get(address);
    if (sender === undefined) return;
    const { group, port } = this.#configuration;
    sender.socket.send(this.#announcement, { transport: "udp", hostname: group, port })
      .then(() => this.#reported.delete(address), (error) => {
        // The interface disappeared or has no route yet. The next check opens a new socket.
        if (this.#senders.get(address) === sender) {
          this.#close(address);
          this.#report(address, `cannot announce from ${address}: ${messageOf(error)}`);
        }
      });
  }

  #lookAgain(): void {
    const now = Date.now();
    // Timers do not run while the machine sleeps. After that, announce it again: others may have forgotten it.
    const slept = now - this.#lastLook > 3 * RESCAN;
    this.#lastLook = now;
    const appeared = this.#look();
    if (slept) this.#announce();
    else for (const one of new Set([...appeared, ...this.#unanswered()])) this.#announceFrom(one);
  }

  /**
   * Returns the addresses in whose networks no other host was heard yet. Announcements from there may have
   * been lost: an interface with a fixed address has it even before its cable is plugged in.
   */
  #unanswered(): string[] {
    return [...this.#senders.keys()].filter((address) =>
      !isLoopback(address) && !this.#answered.has(address)
    );
  }

  /** Opens and closes sockets so that they match the interfaces. Returns the new addresses. */
  #look(): string[] {
    const { interfaces, ignoredInterfaces } = this.#configuration;
    this.#interfaces = Deno.networkInterfaces();
    const present = multicastAddresses(this.#interfaces, interfaces, ignoredInterfaces);
    for (const address of this.#senders.keys()) {
      if (!present.includes(address)) this.#close(address);
    }
    for (const address of this.#senders.keys()) {
      if (!isLoopback(address)) this.#joinAgain(address);
    }
    const appeared = present.filter((address) => !this.#senders.has(address));
    return appeared.filter((address) => this.#open(address));
  }

  #open(address: string): boolean {
    const receiver = this.#receiver;
    if (receiver === null) return false;
    let socket: Deno.DatagramConn | null = null;
    try {
      socket = Deno.listenDatagram({ transport: "udp", hostname: address, port: 0 });
      this.#senders.set(address, { socket, sending: null, membership: null });
      this.#join(address, receiver, socket);
      return true;
    } catch (error) {
      if (socket !== null) closeSocket(socket);
      this.#senders.delete(address);
      this.#report(address, `cannot use ${address} for multicast: ${messageOf(error)}`);
      return false;
    }
  }

  #join(address: string, receiver: Deno.DatagramConn, socket: Deno.DatagramConn): void {
    const { group } = this.#configuration;
    // The sending socket joins, too, because the runtime can set the time to live only on a membership.
    const sending = socket.joinMulticastV4(group, address);
    sending.then((membership) => membership.setTTL(TTL))
      .catch((error) => this.#report(address, `cannot join from ${address}: ${messageOf(error)}`));
    this.#senders.set(address, { socket, sending, membership: null });
    receiver.joinMulticastV4(group, address).then((membership) => {
      // The address may have been removed meanwhile.
      if (this.#senders.get(address)?.socket !== socket) return;
      this.#senders.set(address, { socket, sending, membership });
    }).catch((error) => {
      this.#report(address, `cannot join ${group} on ${address}: ${messageOf(error)}`);
    });
  }

  /**
   * Joins the group again on an address. An adapter that was unplugged and plugged in again, or whose driver
   * was reloaded after sleep, has its old address, but the kernel has dropped the membership.
   */
  #joinAgain(address: string): void {
    this.#receiver?.joinMulticastV4(this.#configuration.group, address).catch((error) => {
      if (error instanceof Deno.errors.AddrInUse) return;
      this.#report(address, `cannot join on ${address} again: ${messageOf(error)}`);
    });
  }

  /** On the first datagram from a network, announces there again: others may have missed us. */
  #heard(source: string): void {
    for (const address of addressesNear(source, this.#interfaces)) {
      if (this.#answered.has(address)) continue;
      this.#answered.add(address);
      this.#announceFrom(address);
    }
  }

  /** Returns true when this is a regular announcement of a server: see {@link DUE_MARGIN}. */
  #isDue(peer: PeerUrl): boolean {
    const url = formatPeerUrl(peer);
    const now = performance.now();
    const last = this.#lastHeard.get(url) ?? -Infinity;
    this.#lastHeard.set(url, now);
    return Math.abs(now - last - this.#configuration.interval * 1000) <= DUE_MARGIN;
  }

  /** Returns true for a datagram from a network in which this server does not take part. */
  #isStray(source: string): boolean {
    return isFromElsewhere(source, this.#interfaces, [...this.#senders.keys()]);
  }

  #close(address: string): void {
    const sender = this.#senders.get(address);
    this.#senders.delete(address);
    this.#answered.delete(address);
    if (sender === undefined) return;
    closeSocket(sender.socket);
    // Leaving fails if the interface is gone; the membership ended with it.
    sender.membership?.leave().catch(() => undefined);
  }

  #report(address: string, sentence: string): void {
    if (this.#reported.has(address)) return;
    this.#reported.add(address);
    this.#log.warn(sentence);
  }

  async #receive(
    receiver: Deno.DatagramConn,
    listener: DiscoveryListener,
  ): Promise<void> {
    const buffer = new Uint8Array(65536);
    let period = 0;
    let count = 0;
    while (this.#receiver === receiver) {
      try {
        const [datagram, source] = await receiver.receive(buffer);
        if (source.transport === "udp" && !this.#isStray(source.hostname)) {
          this.#heard(source.hostname);
          if (this.#echoes !== null && Buffer.compare(datagram, this.#announcement) === 0) {
            this.#echoes.heard(source.hostname);
          }
          const { hostname } = source;
          const peer = parseAnnouncement(datagram, this.#program, hostname, this.#defaultPort);
          if (peer !== null && this.#isDue(peer)) listener.seen(peer, "pacserve", "multicast");
          else if (peer !== null) listener.found(peer, "pacserve", "multicast");
        }
      } catch (error) {
        if (this.#receiver !== receiver) return;
        this.#report("receive", `cannot receive announcements: ${messageOf(error)}`);
        await pause(1_000);
      }
      const now = Math.floor(performance.now() / PERIOD);
      if (now !== period) count = 0;
      period = now;
      if (++count >= DATAGRAMS) await pause((now + 1) * PERIOD - performance.now());
    }
  }
}
