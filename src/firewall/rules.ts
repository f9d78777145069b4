/** Parses the rules in `/etc/conf.d/pacserve`, which say what pacserve-ports opens. */

import ipaddr from "ipaddr.js";
import { Failure } from "../failure.ts";

/** The protocols that a rule can open. */
export type Protocol = "tcp" | "udp" | "igmp";

/** Ports from the first to the last, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A network. The host bits of its address are zero. */
export interface Network {
  readonly family: 4 | 6;
  readonly address: string;
  /** Length of the prefix, in bits. */
  readonly prefix: number;
}

/** A rule: a protocol, its ports, and where packets may come from. */
export interface Rule {
  /** The name of the variable that defines the rule: `PACSERVE_RULE_1`. */
  readonly variable: string;
  readonly protocol: Protocol;
  /** Null for a protocol without ports. */
  readonly ports: PortRange | null;
  /** Null for any source. */
  readonly sources: readonly Network[] | null;
}

/** The name of a rule, with its number. */
const RULE = /^PACSERVE_RULE_(\d{1,9})$/;

/** The other names in the configuration file: those of the service, of pacman's hook and of `firewalls.ts`. */
const OTHER_NAMES = ["PACSERVE_ARGS", "PACSERVE_FIREWALL", "PACSERVE_HOOK"];

/**
 * Refuses an unknown name that begins with `PACSERVE`: a misspelt name would otherwise be ignored
 * without a message.
 *
 * @throws {Failure} that names it.
 */
export function checkNames(values: ReadonlyMap<string, string>): void {
  for (const name of values.keys()) {
    if (!/^PACSERVE/i.test(name) || RULE.test(name) || OTHER_NAMES.includes(name)) continue;
    throw new Failure(
      `${name} is unknown; the names are ${OTHER_NAMES.join(", ")}, PACSERVE_RULE_<number>`,
    );
  }
}

/**
 * The rules in the configuration file, in the order of their numbers, without empty ones.
 *
 * @throws {Failure} that names the variable, for a malformed rule.
 */
export function rulesOf(values: ReadonlyMap<string, string>): Rule[] {
  const rules: [number, Rule][] = [];
  for (const [variable, value] of values) {
    const [, number] = RULE.exec(variable) ?? [];
    if (number === undefined) continue;
    if (valueWithoutComment(value) !== "") rules.push([Number(number), parseRule(variable, value)]);
  }
  return rules.sort(([one], [other]) => one - other).map(([, rule]) => rule);
}

/**
 * Parses a rule: `tcp 15678`, `udp 15679-15680 from 10.0.0.0/8 fe80::/10`, `igmp`.
 *
 * @throws {Failure} that names the variable.
 */
function parseRule(variable: string, value: string): Rule {
  const words = valueWithoutComment(value).split(/\s+/);
  const name = words.shift() ?? "";
  const protocol = (["tcp", "udp", "igmp"] as const).find((known) => known === name);
  if (protocol === undefined) {
    throw new Failure(`${variable}: "${name}" is not a protocol (tcp, udp or igmp)`);
  }
  const ports = protocol === "igmp" ? null : parsePorts(variable, words.shift());
  const from = words.shift();
  if (from === undefined) return { variable, protocol, ports, sources: null };
  if (from !== "from") {
    throw new Failure(`${variable}: "from" is expected instead of "${from}"`);
  }
  if (words.length === 0) {
    throw new Failure(`${variable}: an address is expected after "from"`);
  }
  const sources = words.map((word) => parseSource(variable, word));
  const wrong = words.find((_, index) => protocol === "igmp" && sources[index]?.family === 6);
  if (wrong !== undefined) {
    throw new Failure(`${variable}: igmp is a protocol of IPv4, but ${wrong} is IPv6`);
  }
  return { variable, protocol, ports, sources };
}

/**
 * A value without the comment at its end. systemd has no such comments, but users write them, and none
 * of our values contains a `#`.
 */
export function valueWithoutComment(value: string): string {
  return value.replace(/#.*$/s, "").trim();
}

function parsePorts(variable: string, word: string | undefined): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word ?? "");
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!(first >= 1 && first <= last && last <= 65535)) {
    throw new Failure(
      `${variable}: "${word ?? ""}" is neither a port (1 to 65535) nor a range of ports`,
    );
  }
  return { first, last };
}

function parseSource(variable: string, word: string): Network {
  const slash = word.indexOf("/");
  const host = slash < 0 ? word : word.slice(0, slash);
  const family = ipaddr.IPv4.isValidFourPartDecimal(host) ? 4 : 6;
  const bits = family === 4 ? 32 : 128;
  const prefix = slash < 0 ? bits : parsePrefix(word.slice(slash + 1));
  // A zone (`fe80::1%eth0`) names an interface, but the source address of a packet has no zone.
  const valid = family === 4 || (host.includes(":") && !host.includes("%"));
  if (!valid || !ipaddr.isValid(host) || prefix > bits) {
    throw new Failure(
      `${variable}: "${word}" is neither an address nor a network (10.0.0.0/8, fe80::/10)`,
    );
  }
  const cidr = `${host}/${prefix}`;
  const address = family === 4
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr)
    : ipaddr.IPv6.networkAddressFromCIDR(cidr);
  return { family, address: address.toString(), prefix };
}

function parsePrefix(digits: string): number {
  return /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity;
}
