/**
 * Finding servers by multicast DNS: `_pacserve._tcp.local` (RFC 6762 and RFC 6763).
 *
 * It speaks for itself on the port that avahi-daemon and systemd-resolved share, so that it needs none
 * of them and disturbs none. pacredir hosts announce themselves in the same way.
 */

import type { ServiceListener } from "./mdns/browser.ts";
import type { LinkOptions } from "./mdns/link.ts";
import { mdnsInterfaces } from "./mdns/links.ts";
import { formatText } from "./mdns/names.ts";
import { RunningLink } from "./mdns/running_link.ts";

export type { FoundService, ServiceListener } from "./mdns/browser.ts";

/** How this server is announced by multicast DNS, and where. Plain data. */
export interface MdnsConfiguration {
  /** Interfaces (by name or address) that take part; empty for all that qualify. */
  readonly interfaces: readonly string[];
  /** Interfaces (by name, `*` as a wildcard) that never take part. */
  readonly ignoredInterfaces: readonly string[];
  /** The first label of this host's name. */
  readonly hostName: string;
  /** `ID` of os-release, and the architecture of pacman's packages. */
  readonly id: string;
  readonly arch: string;
  readonly version: string;
}

/** Hears what is found, and what goes wrong. */
export interface MdnsListener extends ServiceListener {
  /** Something does not work, in a sentence for the log. */
  problem(sentence: string): void;
}

/** Milliseconds between two looks at the interfaces. */
const RESCAN = 15_000;

/** Most different problems that are told. */
const MAX_REPORTED = 64;

/** Announces this server and finds others, from `start` to `stop`. */
export class Mdns {
  readonly #configuration: MdnsConfiguration;
  readonly #instance: string;
  readonly #listener: MdnsListener;
  readonly #links = new Map<string, RunningLink>();
  readonly #reported = new Set<string>();
  #options: LinkOptions | null = null;
  #rescan: ReturnType<typeof setInterval> | null = null;
  #lastLook = 0;

  /** @param instance identity of the running server: others see by it that it was started anew. */
  constructor(configuration: MdnsConfiguration, instance: string, listener: MdnsListener) {
    this.#configuration = configuration;
    this.#instance = instance;
    this.#listener = listener;
  }

  /** Names of the interfaces that take part now. */
  get interfaces(): string[] {
    return [...this.#links].filter(([, { isOpen }]) => isOpen).map(([name]) => name);
  }

  /** Begins to announce that the server listens on this TCP port, and to look for others. */
  start(port: number): void {
    const { hostName, id, arch, version } = this.#configuration;
    const text = formatText({ id, arch, version, instance: this.#instance });
    this.#options = { advertisement: { hostName, port, text }, id, arch, random: Math.random };
    this.#lastLook = Date.now();
    this.#look();
    this.#rescan = setInterval(() => this.#lookAgain(), RESCAN);
  }

  /** Says that the server ends, and closes all sockets. */
  async stop(): Promise<void> {
    if (this.#rescan !== null) clearInterval(this.#rescan);
    this.#options = null;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
  }

  #lookAgain(): void {
    const now = Date.now();
    // A timer does not run while the machine sleeps: others have forgotten it meanwhile.
    const slept = now - this.#lastLook > 3 * RESCAN;
    this.#lastLook = now;
    this.#look();
    if (slept) { for (const link of this.#links.values()) link.again(); }
  }

  /** Compares the interfaces with the links that are open. */
  #look(): void {
    if (this.#options === null) return;
    const { interfaces, ignoredInterfaces } = this.#configuration;
    const all = Deno.networkInterfaces();
    const ownAddresses = new Set(all.map(({ address }) => address));
    const present = new Map(
      mdnsInterfaces(all, interfaces, ignoredInterfaces).map((link) => [link.name, link]),
    );
    for (const [name, running] of this.#links) {
      const link = present.get(name);
      // One whose sockets could not be opened is tried again: the other program may have ended.
      if (link !== undefined && running.isOpen && running.update(link, ownAddresses)) continue;
      this.#links.delete(name);
      void running.close();
    }
    for (const [name, link] of present) {
      if (this.#links.has(name)) continue;
      const listener: MdnsListener = {
        found: (service) => this.#listener.found(service),
        lost: (service) => {
          if (this.#options !== null) this.#listener.lost(service);
        },
        problem: (sentence) => this.#report(sentence),
      };
      this.#links.set(name, new RunningLink(link, ownAddresses, this.#options, listener));
    }
  }

  /** Says each thing once, however often it is tried. */
  #report(sentence: string): void {
    if (this.#reported.has(sentence) || this.#reported.size >= MAX_REPORTED) return;
    this.#reported.add(sentence);
    this.#listener.problem(sentence);
  }
}
