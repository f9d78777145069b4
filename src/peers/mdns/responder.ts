/**
 * Announces this server's service on one link and answers queries for it (RFC 6762 §6 and §8 to §10).
 *
 * It opens no socket and reads no clock. The caller passes it received messages and the time, and gets the
 * messages to send and the time of the next call. Times are in milliseconds on a clock that only goes
 * forward.
 */

import { isLinkLocal } from "../../http/address.ts";
import { foldCase, type MdnsRecord, type Message, type Question, rdata } from "./message.ts";
import { instanceName, SERVICE_TYPE, SERVICE_TYPES, targetName, TTL } from "./names.ts";

/** Milliseconds between two probes, and the longest wait before the first one (RFC 6762 §8.1). */
const PROBE_INTERVAL = 250;

const PROBES = 3;

/** Milliseconds between two announcements, and the shortest time between two transmissions of a record (§6). */
const SECOND = 1_000;

const ANNOUNCEMENTS = 2;

/** Least and greatest delay in milliseconds of an answer that several hosts may give (§6). */
const SHARED_DELAY = [20, 120] as const;

/**
 * Milliseconds that each known service adds to the greatest delay, so that the answers of 200 machines do
 * not collide.
 */
const DELAY_A_SERVICE = 2;

const MAX_DELAY = 500;

/** Range of the milliseconds in which more known answers of a query may follow (§7.2). */
const TRUNCATED_DELAY = [400, 500] as const;

/** Number of conflicts within ten seconds after which the next try waits for five seconds (§8.1). */
const MAX_CONFLICTS = 15;
const CONFLICT_PERIOD = 10_000;
const CONFLICT_PAUSE = 5_000;

/** Greatest number of hosts whose known answers are awaited. If there are more, all are answered. */
const MAX_ASKERS = 1_024;

/** The properties of the announced service. */
export interface Advertisement {
  /** The first label of this host's name. */
  readonly hostName: string;
  readonly port: number;
  /** The strings of the TXT record. */
  readonly text: readonly string[];
}

/** The current properties of the link and of this host that the responder uses. */
export interface Surroundings {
  /** This host's IP addresses on the link. */
  readonly addresses: readonly string[];
  /** All IP addresses of this host. Another server on this host may announce them under the same name. */
  readonly ownAddresses: ReadonlySet<string>;
  /** Number of services on the link. */
  readonly services: number;
}

/** Records that are sent together. */
type Group = "service" | "instance" | "host" | "types";

interface Pending {
  at: number;
  /** The hosts that asked; null when the answer is sent whatever known answers they list. */
  readonly askers: Set<string> | null;
}

/** Announces the service and answers queries on one link. */
export class Responder {
  readonly #advertisement: Advertisement;
  readonly #surroundings: Surroundings;
  readonly #random: () => number;
  #instanceNumber = 1;
  #targetNumber = 1;
  #phase: "probing" | "announcing" | "established" = "probing";
  /** Number of probes or announcements that are left, and the time of the next one. */
  #left = PROBES;
  #at: number;
  #conflicts: number[] = [];
  readonly #pending = new Map<Group, Pending>();
  readonly #sent = new Map<Group, number>();

  /** @param random returns at least 0, less than 1. */
  constructor(
    advertisement: Advertisement,
    surroundings: Surroundings,
    random: () => number,
    now: number,
  ) {
    this.#advertisement = advertisement;
    this.#surroundings = surroundings;
    this.#random = random;
    this.#at = now + this.#between(0, PROBE_INTERVAL);
  }

  /** The name of the service. It changes if another host has the same name. */
  get instance(): string {
    return instanceName(this.#advertisement.hostName, this.#instanceNumber);
  }

  /** The name under which this host's addresses are announced. */
  get target(): string {
    return targetName(this.#advertisement.hostName, this.#targetNumber);
  }

  /** The time when {@link poll} must be called next. */
  get next(): number {
    if (this.#isMute()) return Infinity;
    const phase = this.#phase === "established" ? Infinity : this.#at;
    return Math.min(phase, ...[...this.#pending.values()].map(({ at }) => at));
  }

  /**
   * Announces the service again. Must be called when addresses on the link have changed or its cable was
   * plugged in.
   */
  changed(now: number): void {
    if (this.#phase === "probing") return;
    this.#phase = "announcing";
    this.#left = ANNOUNCEMENTS;
    this.#at = now;
  }

  /** Handles a message that arrived on the link. */
  receive(message: Message, source: string, now: number): void {
    if (message.isResponse) {
      for (const record of [...message.answers, ...message.additionals]) {
        this.#noticeConflict(record, now);
      }
      return;
    }
    if (message.authorities.length > 0) this.#noticeProbe(message, now);
    if (this.#phase === "probing") return;
    this.#forgetAsker(message, source);
    for (const question of message.questions) this.#answer(question, message, source, now);
  }

  /** Returns the messages to send now. */
  poll(now: number): Message[] {
    if (this.#isMute()) return [];
    const messages: Message[] = [];
    if (this.#phase !== "established" && this.#at <= now) messages.push(this.#proceed(now));
    const due = [...this.#pending].filter(([, { at }]) => at <= now).map(([group]) => group);
    if (due.length > 0) messages.push(this.#response(due, now));
    return messages;
  }

  /** Returns the message to send when the service ends; null when it was not announced yet. */
  goodbye(): Message | null {
    if (this.#phase === "probing" || this.#isMute()) return null;
    const records = [...this.#serviceRecords(), ...this.#instanceRecords()];
    return response(records.map((record) => ({ ...record, ttl: 0 })), []);
  }

  /** Returns true when the server listens on none of the link's addresses, so that nothing is announced. */
  #isMute(): boolean {
    return this.#surroundings.addresses.length === 0;
  }

  #proceed(now: number): Message {
    if (this.#phase === "probing") {
      this.#at = now + PROBE_INTERVAL;
      if (this.#left-- > 0) return this.#probe();
      this.#phase = "announcing";
      this.#left = ANNOUNCEMENTS;
    }
    this.#at = now + SECOND;
    if (--this.#left === 0) this.#phase = "established";
    return this.#response(["service", "instance", "host"], now);
  }

  #probe(): Message {
    const questions: Question[] = [this.instance, this.target]
      .map((name) => ({ name, type: "ANY" }));
    const authorities = [...this.#instanceRecords(), ...this.#addressRecords()]
      .map((record) => ({ ...record, flush: false }));
    return {
      isResponse: false,
      truncated: false,
      questions,
      answers: [],
      authorities,
      additionals: [],
    };
  }

  /** Handles a record of another host that gives one of our names other data. */
  #noticeConflict(record: MdnsRecord, now: number): void {
    if (record.ttl === 0) return;
    if (record.type === "SRV" && record.name === foldCase(this.instance)) {
      const { target, port } = record.data;
      if (target === foldCase(this.target) && port === this.#advertisement.port) return;
      this.#conflict(now, () => this.#instanceNumber++);
    } else if (isAddress(record) && record.name === foldCase(this.target)) {
      if (this.#surroundings.ownAddresses.has(record.data)) return;
      this.#conflict(now, () => this.#targetNumber++);
    }
  }

  /**
   * Resolves a conflict. While probing it takes another name; an established name must be probed again
   * first (§9).
   */
  #conflict(now: number, rename: () => void): void {
    if (this.#phase === "probing") rename();
    this.#conflicts = [...this.#conflicts, now].filter((at) => at > now - CONFLICT_PERIOD);
    const many = this.#conflicts.length >= MAX_CONFLICTS;
    this.#probeAgain(now + (many ? CONFLICT_PAUSE : this.#between(0, PROBE_INTERVAL)));
  }

  #probeAgain(at: number): void {
    this.#phase = "probing";
    this.#left = PROBES;
    this.#at = at;
    this.#pending.clear();
  }

  /** Handles a probe of another host for the same name. The host with the lesser data waits (§8.2). */
  #noticeProbe({ authorities }: Message, now: number): void {
    if (this.#phase !== "probing" || this.#left === PROBES) return;
    const { ownAddresses } = this.#surroundings;
    const sets = [
      [this.instance, this.#instanceRecords()],
      [this.target, this.#addressRecords()],
    ] as const;
    for (const [name, ours] of sets) {
      const theirs = authorities.filter((record) => record.name === foldCase(name));
      // Another server on this host announces its addresses under the same name, which is not a conflict.
      if (theirs.every((record) => isAddress(record) && ownAddresses.has(record.data))) continue;
      if (compareRecords(ours, theirs) < 0) this.#probeAgain(now + SECOND);
    }
  }

  #answer(question: Question, message: Message, source: string, now: number): void {
    const group = this.#groupOf(question);
    if (group === null) return;
    if (this.#recordsOf(group).every((record) => isKnown(record, message.answers))) return;
    const shared = group === "service" || group === "types";
    const isProbe = message.authorities.length > 0;
    let at = now;
    if (message.truncated) at += this.#between(...TRUNCATED_DELAY);
    else if (shared) {
      const [least, most] = SHARED_DELAY;
      const services = this.#surroundings.services;
      at += this.#between(least, Math.min(most + DELAY_A_SERVICE * services, MAX_DELAY));
    }
    const last = this.#sent.get(group) ?? -Infinity;
    at = Math.max(at, last + (isProbe ? PROBE_INTERVAL : SECOND));
    const pending = this.#pending.get(group);
    if (pending === undefined) {
      this.#pending.set(group, { at, askers: shared ? new Set([source]) : null });
      return;
    }
    if (!shared) pending.at = Math.min(pending.at, at);
    if (pending.askers !== null && pending.askers.size < MAX_ASKERS) pending.askers.add(source);
  }

  /** Handles further known answers of a host that asked. If it knows the answer, it need not be sent. */
  #forgetAsker({ answers, questions }: Message, source: string): void {
    if (questions.length > 0) return;
    for (const [group, { askers }] of this.#pending) {
      if (askers === null || !askers.has(source) || askers.size === MAX_ASKERS) continue;
      if (!this.#recordsOf(group).every((record) => isKnown(record, answers))) continue;
      askers.delete(source);
      if (askers.size === 0) this.#pending.delete(group);
    }
  }

  #groupOf({ name, type }: Question): Group | null {
    const any = type === "ANY";
    if (name === SERVICE_TYPE && (any || type === "PTR")) return "service";
    if (name === SERVICE_TYPES && (any || type === "PTR")) return "types";
    if (name === foldCase(this.instance) && (any || type === "SRV" || type === "TXT")) {
      return "instance";
    }
    if (name === foldCase(this.target) && (any || type === "A" || type === "AAAA")) return "host";
    return null;
  }

  /**
   * Returns a response with the records of these groups, and the additional records that askers will need
   * next.
   */
  #response(groups: readonly Group[], now: number): Message {
    for (const group of groups) {
      this.#pending.delete(group);
      this.#sent.set(group, now);
    }
    const answers = groups.flatMap((group) => this.#recordsOf(group));
    const next: Group[] = groups.includes("service") || groups.includes("instance")
      ? ["instance", "host"]
      : [];
    const additionals = next.filter((group) => !groups.includes(group))
      .flatMap((group) => this.#recordsOf(group));
    return response(answers, [...additionals, ...this.#absent(answers)]);
  }

  #recordsOf(group: Group): MdnsRecord[] {
    switch (group) {
      case "service":
        return this.#serviceRecords();
      case "instance":
        return this.#instanceRecords();
      case "host":
        return this.#addressRecords();
      case "types":
        return [{ name: SERVICE_TYPES, ttl: TTL, flush: false, type: "PTR", data: SERVICE_TYPE }];
    }
  }

  #serviceRecords(): MdnsRecord[] {
    return [{ name: SERVICE_TYPE, ttl: TTL, flush: false, type: "PTR", data: this.instance }];
  }

  #instanceRecords(): MdnsRecord[] {
    const base = { name: this.instance, ttl: TTL, flush: true };
    const { port, text } = this.#advertisement;
    return [
      { ...base, type: "SRV", data: { target: this.target, port } },
      { ...base, type: "TXT", data: text },
    ];
  }

  #addressRecords(): MdnsRecord[] {
    const { addresses } = this.#surroundings;
    const usable = addresses.filter((address) => !isLinkLocal(address));
    return (usable.length > 0 ? usable : addresses).map((address) => ({
      name: this.target,
      ttl: TTL,
      flush: true,
      type: address.includes(":") ? "AAAA" : "A",
      data: address,
    }));
  }

  /**
   * Returns records which state that there is no address of the other family, so that no host waits for
   * one (§6.1).
   */
  #absent(answers: readonly MdnsRecord[]): MdnsRecord[] {
    const types = [...new Set(answers.filter(isAddress).map(({ type }) => type))];
    if (types.length !== 1) return [];
    return [{ name: this.target, ttl: TTL, flush: true, type: "NSEC", data: types }];
  }

  #between(least: number, most: number): number {
    return least + this.#random() * (most - least);
  }
}

function response(
  answers: readonly MdnsRecord[],
  additionals: readonly MdnsRecord[],
): Message {
  return {
    isResponse: true,
    truncated: false,
    questions: [],
    answers,
    authorities: [],
    additionals,
  };
}

function isAddress(record: MdnsRecord): record is Extract<MdnsRecord, { type: "A" | "AAAA" }> {
  return record.type === "A" || record.type === "AAAA";
}

/** Returns true when an asker knows a record for at least half of its time to live (§7.1). */
function isKnown(record: MdnsRecord, known: readonly MdnsRecord[]): boolean {
  if (known.length === 0) return false;
  const [name, data] = [foldCase(record.name), JSON.stringify(folded(record).data)];
  return known.some((other) => {
    return other.type === record.type && other.name === name && other.ttl >= record.ttl / 2 &&
      JSON.stringify(other.data) === data;
  });
}

/** Returns a number below 0 when the first set of records is the lesser one (§8.2.1). */
function compareRecords(ours: readonly MdnsRecord[], theirs: readonly MdnsRecord[]): number {
  const [one, other] = [ours, theirs].map((records) =>
    records.map((record) => rdata(folded(record))).sort(compareBytes)
  );
  for (const [index, bytes] of (one ?? []).entries()) {
    const difference = compareBytes(bytes, other?.[index] ?? new Uint8Array());
    if (difference !== 0) return difference;
  }
  return (one?.length ?? 0) - (other?.length ?? 0);
}

/** Returns a record with its names in lower case, as in received records. */
function folded(record: MdnsRecord): MdnsRecord {
  if (record.type === "PTR") return { ...record, data: foldCase(record.data) };
  if (record.type !== "SRV") return record;
  return { ...record, data: { ...record.data, target: foldCase(record.data.target) } };
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  for (let index = 0; index < Math.min(one.length, other.length); index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}
