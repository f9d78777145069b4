/**
 * Finds the services of other hosts on one link (RFC 6762 §5 and §7, RFC 6763).
 *
 * Like the responder it opens no socket and reads no clock. Its state is bounded, in total and for each
 * sender, because any host on the LAN can announce anything in the name of any other.
 */

import { isInNetwork } from "../../http/address.ts";
import { Freshness, MAX_TTL } from "./freshness.ts";
import type { MdnsRecord, Message, Question } from "./message.ts";
import { parseText, SERVICE_TYPE, type ServiceText } from "./names.ts";

/** The bounds of the state of a link. */
const BOUNDS = {
  services: 1_024,
  /** Greatest number of incomplete services, whose missing records are requested. */
  incomplete: 64,
  /** Greatest number of services that one host announced. */
  perSource: 16,
  /** Greatest number of addresses of one host. */
  addresses: 8,
} as const;

/**
 * Longest time between two questions for services, in milliseconds. It is long, because new servers announce
 * themselves, and the records of known ones are renewed separately.
 */
const MAX_INTERVAL = 300_000;

/** Milliseconds between two events `seen` of one server. */
const SEEN_INTERVAL = 60_000;

const SECOND = 1_000;

/** Questions that are due within this time (ms) are sent together. */
const TOGETHER = 50;

/** A server that was found. */
export interface FoundService {
  /** Its name with type and domain, in lower case. */
  readonly name: string;
  /** `pacserve` for this program; `pacredir` has no index and understands no messages. */
  readonly kind: "pacserve" | "pacredir";
  /** Its IP addresses in networks of the link, IPv4 first. At least one. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly scheme: "http" | "https";
  /** Identity of the running server; null for pacredir. */
  readonly instance: string | null;
  /** IP address of the host that announced it. */
  readonly source: string;
}

/** Receives the events of the browser. */
export interface ServiceListener {
  /** A server is new, has another address, was restarted, or is back. */
  found(service: FoundService): void;
  /** A server that was found is still there. Called about once a minute. */
  seen(service: FoundService): void;
  /** A server that was found announced its end, or its records have expired. */
  lost(service: FoundService): void;
}

/** The current properties of the link and of this host that the browser uses. */
export interface BrowsedLink {
  /** Networks of this host on the link (CIDR). */
  readonly networks: readonly string[];
  /** The name of this server's own service, in lower case. */
  readonly ownName: string;
}

/** The constant settings of a browser. */
export interface BrowserOptions {
  /** The distribution of this host. pacredir hosts with another distribution or architecture are ignored. */
  readonly id: string;
  readonly arch: string;
  /** Returns at least 0, less than 1. */
  readonly random: () => number;
}

interface Kept<Data> {
  readonly freshness: Freshness;
  data: Data | null;
}

interface Service {
  readonly name: string;
  readonly source: string;
  readonly pointer: Freshness;
  readonly location: Kept<{ readonly target: string; readonly port: number }>;
  readonly text: Kept<ServiceText>;
  /**
   * The last version of it that the listener got; null when it got none, or when the service announced
   * its end.
   */
  told: FoundService | null;
  toldAt: number;
}

/** A host that is the target of a service. */
interface TargetHost {
  readonly freshness: Freshness;
  readonly services: Set<Service>;
  readonly addresses: Map<string, { readonly heard: number; readonly expires: number }>;
}

/** Asks for services, stores the answers, and reports complete services to the listener. */
export class Browser {
  readonly #options: BrowserOptions;
  readonly #link: BrowsedLink;
  readonly #listener: ServiceListener;
  readonly #services = new Map<string, Service>();
  readonly #hosts = new Map<string, TargetHost>();
  /** The time of the next question for services, and the wait after it. */
  #browseAt: number;
  #interval = SECOND;
  #lastBrowse = -Infinity;

  constructor(
    options: BrowserOptions,
    link: BrowsedLink,
    listener: ServiceListener,
    now: number,
  ) {
    this.#options = options;
    this.#link = link;
    this.#listener = listener;
    this.#browseAt = this.#soon(now);
  }

  /** Number of services, including incomplete ones. */
  get size(): number {
    return this.#services.size;
  }

  /** The time when {@link poll} must be called next. */
  get next(): number {
    let next = this.#browseAt;
    for (const { pointer, location, text } of this.#services.values()) {
      next = Math.min(next, pointer.due, pointer.expires);
      next = Math.min(next, location.freshness.due, text.freshness.due);
    }
    for (const { freshness } of this.#hosts.values()) next = Math.min(next, freshness.due);
    return next;
  }

  /** Must be called when the link has changed. Asks for services again at once. */
  changed(now: number): void {
    this.#interval = SECOND;
    this.#browseAt = this.#soon(now);
  }

  /** Handles a message that arrived on the link. */
  receive(message: Message, source: string, now: number): void {
    if (message.isResponse) this.#takeIn(message, source, now);
    else this.#overhear(message, now);
  }

  /** Returns the questions to send now. */
  poll(now: number): Message[] {
    this.#expire(now);
    const questions = this.#dueQuestions(now);
    if (questions.length === 0) return [];
    const browses = questions.some(({ name }) => name === SERVICE_TYPE);
    for (const question of questions) this.#asked(question, now);
    return [{
      isResponse: false,
      truncated: false,
      questions,
      answers: browses ? this.#knownAnswers(now) : [],
      authorities: [],
      additionals: [],
    }];
  }

  /** Reports all services as lost, because the link is gone. */
  close(): void {
    for (const service of this.#services.values()) this.#remove(service);
  }

  #soon(now: number): number {
    return new Freshness(now, this.#options.random).due;
  }

  #dueQuestions(now: number): Question[] {
    const questions: Question[] = [];
    let browse = this.#browseAt <= now;
    const horizon = now + TOGETHER;
    for (const { name, pointer, location, text } of this.#services.values()) {
      if (pointer.due <= now) browse = true;
      if (location.freshness.due <= horizon) questions.push({ name, type: "SRV" });
      if (text.freshness.due <= horizon) questions.push({ name, type: "TXT" });
    }
    for (const [name, { freshness }] of this.#hosts) {
      if (freshness.due <= horizon) questions.push({ name, type: "A" }, { name, type: "AAAA" });
    }
    if (browse) questions.unshift({ name: SERVICE_TYPE, type: "PTR" });
    return questions;
  }

  /** Notes a question of this host or another one, whose answer all hosts receive. */
  #asked({ name, type }: Question, now: number): void {
    if (name === SERVICE_TYPE && type === "PTR") {
      this.#browseAt = now + this.#interval;
      this.#interval = Math.min(this.#interval * 2, MAX_INTERVAL);
      this.#lastBrowse = now;
      for (const { pointer } of this.#services.values()) {
        if (pointer.due <= now + SECOND) pointer.asked(now);
      }
      return;
    }
    const service = this.#services.get(name);
    if (service !== undefined && type === "SRV") service.location.freshness.asked(now);
    if (service !== undefined && type === "TXT") service.text.freshness.asked(now);
    // The questions for both address families are sent together.
    if (type === "A") this.#hosts.get(name)?.freshness.asked(now);
  }

  #knownAnswers(now: number): MdnsRecord[] {
    return [...this.#services.values()].filter(({ pointer }) => pointer.isYoung(now))
      .map(({ name, pointer }) => ({
        name: SERVICE_TYPE,
        ttl: pointer.remaining(now),
        flush: false,
        type: "PTR",
        data: name,
      }));
  }

  /** Handles the query of another host, which may ask what this host was about to ask. */
  #overhear({ questions, answers, authorities }: Message, now: number): void {
    if (authorities.length > 0) return;
    for (const question of questions) this.#asked(question, now);
    // Services that the other host listed as known do not answer. Ask again if one of them is unknown here.
    const unknown = answers.some(({ type, name, data }) => {
      return type === "PTR" && name === SERVICE_TYPE && !this.#services.has(data) &&
        data !== this.#link.ownName && this.#hasRoom();
    });
    if (!unknown) return;
    const soon = Math.max(this.#soon(now), this.#lastBrowse + SECOND);
    this.#browseAt = Math.min(this.#browseAt, soon);
  }

  #takeIn({ answers, additionals }: Message, source: string, now: number): void {
    const records = [...answers, ...additionals];
    const touched = new Set<Service>();
    for (const record of records) this.#takePointer(record, source, now, touched);
    for (const record of records) this.#takeDetail(record, now, touched);
    for (const record of records) this.#takeAddress(record, now, touched);
    for (const service of touched) this.#tell(service, now);
  }

  #takePointer(record: MdnsRecord, source: string, now: number, touched: Set<Service>): void {
    if (record.type !== "PTR" || record.name !== SERVICE_TYPE) return;
    const name = record.data;
    if (!name.endsWith(`.${SERVICE_TYPE}`) || name === this.#link.ownName) return;
    let service = this.#services.get(name);
    if (service === undefined) {
      if (record.ttl === 0 || !this.#makeRoom(source)) return;
      service = this.#add(name, source, now);
    }
    service.pointer.received(record.ttl, now);
    // Report the end at once: a server that is back within a second was restarted.
    if (record.ttl === 0) service.told = this.#lose(service);
    touched.add(service);
  }

  #add(name: string, source: string, now: number): Service {
    const { random } = this.#options;
    const service: Service = {
      name,
      source,
      pointer: new Freshness(now, random),
      location: { freshness: new Freshness(now, random), data: null },
      text: { freshness: new Freshness(now, random), data: null },
      told: null,
      toldAt: now,
    };
    this.#services.set(name, service);
    return service;
  }

  #takeDetail(record: MdnsRecord, now: number, touched: Set<Service>): void {
    if (record.type !== "SRV" && record.type !== "TXT") return;
    const service = this.#services.get(record.name);
    if (service === undefined || record.ttl === 0) return;
    touched.add(service);
    if (record.type === "TXT") {
      service.text.freshness.received(record.ttl, now);
      service.text.data = parseText(record.data);
      return;
    }
    service.location.freshness.received(record.ttl, now);
    const before = service.location.data?.target;
    const { target } = record.data;
    service.location.data = record.data;
    if (before === target) return;
    if (before !== undefined) this.#leaveHost(before, service);
    let host = this.#hosts.get(target);
    if (host === undefined) {
      const freshness = new Freshness(now, this.#options.random);
      host = { freshness, services: new Set(), addresses: new Map() };
      this.#hosts.set(target, host);
    }
    host.services.add(service);
  }

  #takeAddress(record: MdnsRecord, now: number, touched: Set<Service>): void {
    if (record.type !== "A" && record.type !== "AAAA") return;
    const host = this.#hosts.get(record.name);
    if (host === undefined || !this.#isNear(record.data)) return;
    const { addresses, freshness } = host;
    for (const [address, { heard, expires }] of addresses) {
      if (expires <= now) addresses.delete(address);
      // RFC 6762 §10.2: addresses that the owner did not repeat remain valid for one more second.
      const sameFamily = address.includes(":") === (record.type === "AAAA");
      const isOld = record.flush && sameFamily && heard < now - SECOND;
      if (isOld && expires > now + SECOND) addresses.set(address, { heard, expires: now + SECOND });
    }
    const isKnown = addresses.has(record.data);
    if (isKnown || (record.ttl > 0 && addresses.size < BOUNDS.addresses)) {
      // Keep an address whose end was announced for a second (§10.1).
      const ttl = Math.min(Math.max(record.ttl, 1), MAX_TTL);
      addresses.set(record.data, { heard: now, expires: now + ttl * SECOND });
    }
    if (record.ttl > 0) freshness.received(record.ttl, now);
    for (const service of host.services) touched.add(service);
  }

  /** Returns true for an address in a network of the link. Other addresses of hosts on the link are ignored. */
  #isNear(address: string): boolean {
    // A link-local IPv6 address needs a zone, which clients do not support in URLs.
    if (/^fe[89ab]/i.test(address)) return false;
    return this.#link.networks.some((network) => isInNetwork(address, network));
  }

  #tell(service: Service, now: number): void {
    const found = this.#complete(service, now);
    if (found === null || service.pointer.expires <= now + SECOND) return;
    const { told } = service;
    const isThere = told?.port === found.port && told.addresses[0] === found.addresses[0];
    if (isThere && told.instance === found.instance && told.kind === found.kind) {
      if (now - service.toldAt < SEEN_INTERVAL) return;
      service.toldAt = now;
      this.#listener.seen(told);
      return;
    }
    if (!isThere) this.#lose(service);
    service.told = found;
    service.toldAt = now;
    this.#listener.found(found);
  }

  #complete({ name, source, location, text }: Service, now: number): FoundService | null {
    if (location.data === null || text.data === null) return null;
    const { target, port } = location.data;
    const { version, instance, id, arch, scheme } = text.data;
    const isOurs = version !== null;
    if (!isOurs && (id !== this.#options.id || arch !== this.#options.arch)) return null;
    const addresses = [...this.#hosts.get(target)?.addresses ?? []]
      .filter(([, { expires }]) => expires > now).map(([address]) => address)
      .sort((one, other) => Number(one.includes(":")) - Number(other.includes(":")));
    if (addresses.length === 0) return null;
    const kind = isOurs ? "pacserve" : "pacredir";
    return { name, kind, addresses, port, scheme, instance: isOurs ? instance : null, source };
  }

  /** Returns true when all questions about a service were answered. */
  #isAnswered({ location, text }: Service): boolean {
    if (location.data === null || text.data === null) return false;
    return (this.#hosts.get(location.data.target)?.addresses.size ?? 0) > 0;
  }

  /** Returns true when there is room for one more service. */
  #hasRoom(): boolean {
    return this.#services.size < BOUNDS.services;
  }

  /**
   * Makes room for a service of this host by removing a random one, so that a flood cannot choose which
   * ones remain.
   */
  #makeRoom(source: string): boolean {
    const all = [...this.#services.values()];
    if (all.filter((service) => service.source === source).length >= BOUNDS.perSource) return false;
    const incomplete = all.filter((service) => !this.#isAnswered(service));
    const victims = incomplete.length >= BOUNDS.incomplete ? incomplete : all;
    if (victims === all && this.#hasRoom()) return true;
    const victim = victims[Math.floor(this.#options.random() * victims.length)];
    if (victim !== undefined) this.#remove(victim);
    return true;
  }

  #expire(now: number): void {
    for (const service of this.#services.values()) {
      if (service.pointer.expires <= now) this.#remove(service);
    }
  }

  #remove(service: Service): void {
    this.#services.delete(service.name);
    this.#lose(service);
    if (service.location.data !== null) this.#leaveHost(service.location.data.target, service);
  }

  #lose({ told }: Service): null {
    if (told !== null) this.#listener.lost(told);
    return null;
  }

  /** Removes a service from a host, and forgets the host if it is the target of no other service. */
  #leaveHost(name: string, service: Service): void {
    const services = this.#hosts.get(name)?.services;
    services?.delete(service);
    if (services?.size === 0) this.#hosts.delete(name);
  }
}
