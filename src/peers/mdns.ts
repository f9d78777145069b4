/**
 * Discovery by multicast DNS: `_pacserve._tcp.local` (RFC 6762 and RFC 6763).
 *
 * It has its own sockets on the port that avahi-daemon and systemd-resolved share, so that it neither needs
 * nor disturbs them. pacredir hosts announce themselves in the same way.
 */

import type { Log } from "../log.ts";
import { AlignedTimer } from "./aligned_timer.ts";
import type { MdnsConfiguration } from "./configuration.ts";
import type { Discovery, DiscoveryListener, Echo } from "./discovery.ts";
import { AwaitedEchoes } from "./datagrams.ts";
import type { FoundService } from "./mdns/browser.ts";
import type { LinkOptions } from "./mdns/link.ts";
import { mdnsInterfaces } from "./mdns/links.ts";
import { formatText, TTL } from "./mdns/names.ts";
import { RunningLink } from "./mdns/running_link.ts";
import type { PeerUrl } from "./peer_url.ts";

/** Milliseconds after which a server that sent nothing more is forgotten. */
export const MDNS_LIFETIME = 3 * TTL * 1000;

/** The properties of the server that are announced. */
interface AnnouncedServer {
  readonly scheme: "http" | "https";
  /** The TCP port. */
  readonly port: number;
  /** Identity of the running server. It changes when the server is restarted. */
  readonly instance: string;
}

/** Milliseconds between two checks of the interfaces. */
const RESCAN = 45_000;

/** The greatest number of different problems that are logged. */
const MAX_REPORTED = 64;

/** Announces this server and finds others until it is stopped. */
export class Mdns implements Discovery {
  readonly #configuration: MdnsConfiguration;
  readonly #server: AnnouncedServer;
  readonly #log: Log;
  readonly #links = new Map<string, RunningLink>();
  readonly #reported = new Set<string>();
  #listener: DiscoveryListener | null = null;
  #rescan: AlignedTimer | null = null;
  #lastLook = 0;

  constructor(configuration: MdnsConfiguration, server: AnnouncedServer, log: Log) {
    this.#configuration = configuration;
    this.#server = server;
    this.#log = log;
  }

  /** Names of the interfaces that take part now. */
  get interfaces(): string[] {
    return [...this.#links].filter(([, { isOpen }]) => isOpen).map(([name]) => name);
  }

  /** Starts to announce the server and to look for others. */
  start(listener: DiscoveryListener): void {
    this.#listener = listener;
    this.#lastLook = Date.now();
    this.#look();
    this.#rescan = new AlignedTimer(RESCAN, () => this.#lookAgain());
  }

  async echoes(patience: number): Promise<Echo[]> {
    this.#look();
    const echoes = new AwaitedEchoes([...this.#links.keys()]);
    for (const [name, link] of this.#links) link.echo(() => echoes.heard(name));
    const heard = await echoes.wait(patience);
    return heard.map((echo) => ({ means: "multicast DNS", ...echo }));
  }

  /** Announces that the server ends, and closes all sockets. */
  async stop(): Promise<void> {
    this.#rescan?.stop();
    this.#listener = null;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
  }

  #lookAgain(): void {
    const now = Date.now();
    // Timers do not run while the machine sleeps. After that, announce it again, because others forgot it.
    const slept = now - this.#lastLook > 3 * RESCAN;
    this.#lastLook = now;
    this.#look();
    if (slept) { for (const link of this.#links.values()) link.again(); }
  }

  /** Compares the interfaces with the links that are open. */
  #look(): void {
    const { interfaces, ignoredInterfaces, listen } = this.#configuration;
    const all = Deno.networkInterfaces();
    const ownAddresses = new Set(all.map(({ address }) => address));
    const present = new Map(
      mdnsInterfaces(all, interfaces, ignoredInterfaces, listen).map((link) => [link.name, link]),
    );
    for (const [name, running] of this.#links) {
      const link = present.get(name);
      // If the sockets could not be opened, try again: the program that has the port may have ended.
      if (link !== undefined && running.isOpen && running.update(link, ownAddresses)) continue;
      this.#links.delete(name);
      void running.close();
    }
    for (const [name, link] of present) {
      if (this.#links.has(name)) continue;
      this.#links.set(
        name,
        new RunningLink(link, ownAddresses, this.#options(), {
          found: (service) => this.#listener?.found(urlOf(service), service.kind, "multicast DNS"),
          seen: (service) => this.#listener?.seen(urlOf(service), service.kind, "multicast DNS"),
          lost: (service) => this.#listener?.lost(urlOf(service)),
          problem: (sentence) => this.#report(sentence),
        }),
      );
    }
  }

  #options(): LinkOptions {
    const { hostName, id, arch, version } = this.#configuration;
    const { scheme, port, instance } = this.#server;
    const text = formatText({ id, arch, version, instance, scheme });
    return { advertisement: { hostName, port, text }, id, arch, random: Math.random };
  }

  /** Logs each problem only once, even if it occurs again. */
  #report(sentence: string): void {
    if (this.#reported.has(sentence) || this.#reported.size >= MAX_REPORTED) return;
    this.#reported.add(sentence);
    this.#log.warn(sentence);
  }
}

function urlOf({ addresses, port, scheme }: FoundService): PeerUrl {
  const [host = ""] = addresses;
  return { scheme, host, port, path: "/" };
}
